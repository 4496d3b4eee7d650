// Names that answers on the wire gave to addresses: who asked, when, and for how long they hold. Bounded, oldest overwritten.

import { hashAddress } from '../../flow/hash.ts';
import { sameAddress } from '../../net/address.ts';

/** Sets of eight entries: 65,536 answers in 3.4 MiB. */
const SETS = 8192;
const WAYS = 8;

/**
 * Entries of eight words, and two times:
 *
 *     ints   0..3 address | 4 name + 1, 0 is empty | 5 asker, -1 anybody | 6 kind | 7 unused
 *     times  0 when it was seen, epoch ms | 1 until when it holds
 */
const INTS = 8;
const NAME = 4;
const ASKER = 5;
const KIND = 6;

/** Holds at least this long, whatever its TTL: apps keep an answer for longer than they should. */
const LEAST_HOLD_MS = 60_000;
const LONGEST_HOLD_MS = 3_600_000;

/** The answer that names an address. Reused by the next look-up. */
export interface Answer {
  name: number;
  kind: number;
}

/** Answers by address. */
export class Answers {
  readonly #ints = new Int32Array(SETS * WAYS * INTS);
  readonly #times = new Float64Array(SETS * WAYS * 2);
  readonly #seed: number;
  readonly #found: Answer = { name: -1, kind: 0 };

  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /**
   * Enters an answer.
   *
   * @param asker process that asked, -1 where it is unknown or asks for all (a resolver)
   * @param ttl seconds
   * @param now epoch ms
   */
  add(words: Int32Array, at: number, name: number, asker: number, kind: number, ttl: number, now: number): void {
    const first = this.#set(words, at) * WAYS;
    let oldest = first;
    for (let entry = first; entry < first + WAYS; entry++) {
      const base = entry * INTS;
      const same =
        this.#ints[base + NAME] === name + 1 && this.#ints[base + ASKER] === asker && sameAddress(this.#ints, base, words, at);
      if (same) {
        oldest = entry;
        break;
      }
      if ((this.#times[entry * 2] as number) < (this.#times[oldest * 2] as number)) oldest = entry;
    }
    const base = oldest * INTS;
    for (let i = 0; i < 4; i++) this.#ints[base + i] = words[at + i] as number;
    this.#ints[base + NAME] = name + 1;
    this.#ints[base + ASKER] = asker;
    this.#ints[base + KIND] = kind;
    this.#times[oldest * 2] = now;
    this.#times[oldest * 2 + 1] = now + Math.min(LONGEST_HOLD_MS, Math.max(LEAST_HOLD_MS, ttl * 1000));
  }

  /**
   * The newest answer for an address that came before `before` and still held then: the asker's own, else anybody's. Null where there is none.
   */
  find(words: Int32Array, at: number, asker: number, before: number): Answer | null {
    const first = this.#set(words, at) * WAYS;
    let best = -1;
    let bestOwn = false;
    for (let entry = first; entry < first + WAYS; entry++) {
      const base = entry * INTS;
      if (this.#ints[base + NAME] === 0 || !sameAddress(this.#ints, base, words, at)) continue;
      const seen = this.#times[entry * 2] as number;
      if (seen > before || (this.#times[entry * 2 + 1] as number) < before) continue;
      const own = asker >= 0 && this.#ints[base + ASKER] === asker;
      const better = best < 0 || (own && !bestOwn) || (own === bestOwn && seen > (this.#times[best * 2] as number));
      if (!better) continue;
      best = entry;
      bestOwn = own;
    }
    if (best < 0) return null;
    this.#found.name = (this.#ints[best * INTS + NAME] as number) - 1;
    this.#found.kind = this.#ints[best * INTS + KIND] as number;
    return this.#found;
  }

  #set(words: Int32Array, at: number): number {
    return hashAddress(words, at, this.#seed) & (SETS - 1);
  }
}

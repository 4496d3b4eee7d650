// Remembers answers seen on the wire: which name an address has, which process asked, and how long the answer is valid. It is bounded and
// overwrites the oldest, so it doesn't use the table of names, which flows share.

import { hashAddress } from '../../flow/hash.ts';
import { sameAddress } from '../../net/address.ts';

/** Sets of eight entries: 32,768 answers in 1.8 MiB, plus at most 8.5 MiB of text. */
const SETS = 4096;
const WAYS = 8;

/**
 * An entry has seven words, two times and a name:
 *
 *     ints   0..3 address | 4 1 if the entry is used | 5 asking process, -1 for anybody | 6 kind
 *     times  0 when it was seen, epoch ms | 1 when it expires, epoch ms
 */
const INTS = 7;
const USED = 4;
const ASKER = 5;
const KIND = 6;

/** An answer is valid for at least this long, whatever its TTL: apps use answers longer than they should. */
const MIN_HOLD_MS = 60_000;
const LONGEST_HOLD_MS = 3_600_000;

/** The answer that names an address. The next lookup reuses the object. */
export interface Answer {
  name: string;
  kind: number;
}

/** Answers by address. */
export class Answers {
  readonly #ints = new Int32Array(SETS * WAYS * INTS);
  readonly #times = new Float64Array(SETS * WAYS * 2);
  readonly #names = new Array<string>(SETS * WAYS).fill('');
  readonly #seed: number;
  /** Time of the newest answer, epoch ms; lets lookups return early. */
  newest = Number.NEGATIVE_INFINITY;
  readonly #found: Answer = { name: '', kind: 0 };

  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /**
   * Adds an answer.
   *
   * @param asker process that asked; -1 if unknown, or a resolver that asks for others
   * @param ttl seconds
   * @param now epoch ms
   */
  add(words: Int32Array, at: number, name: string, asker: number, kind: number, ttl: number, now: number): void {
    if (now > this.newest) this.newest = now;
    const first = this.#set(words, at) * WAYS;
    let place = -1;
    let oldest = first;
    for (let entry = first; entry < first + WAYS; entry++) {
      const base = entry * INTS;
      if (this.#ints[base + USED] === 0) {
        if (place < 0) place = entry;
        continue;
      }
      const same = this.#ints[base + ASKER] === asker && sameAddress(this.#ints, base, words, at) && this.#names[entry] === name;
      if (same) {
        place = entry;
        break;
      }
      if ((this.#times[entry * 2] as number) < (this.#times[oldest * 2] as number)) oldest = entry;
    }
    if (place < 0) place = oldest;
    const base = place * INTS;
    for (let i = 0; i < 4; i++) this.#ints[base + i] = words[at + i] as number;
    this.#ints[base + USED] = 1;
    this.#ints[base + ASKER] = asker;
    this.#ints[base + KIND] = kind;
    this.#names[place] = name;
    this.#times[place * 2] = now;
    this.#times[place * 2 + 1] = now + Math.min(LONGEST_HOLD_MS, Math.max(MIN_HOLD_MS, ttl * 1000));
  }

  /**
   * The newest answer for an address that was seen by `before` and still valid then. Prefers the asker's own answers. Null if there is none.
   */
  find(words: Int32Array, at: number, asker: number, before: number): Answer | null {
    if (this.newest === Number.NEGATIVE_INFINITY) return null;
    const first = this.#set(words, at) * WAYS;
    let best = -1;
    let bestOwn = false;
    for (let entry = first; entry < first + WAYS; entry++) {
      const base = entry * INTS;
      if (this.#ints[base + USED] === 0 || !sameAddress(this.#ints, base, words, at)) continue;
      const seen = this.#times[entry * 2] as number;
      if (seen > before || (this.#times[entry * 2 + 1] as number) < before) continue;
      const own = asker >= 0 && this.#ints[base + ASKER] === asker;
      const better = best < 0 || (own && !bestOwn) || (own === bestOwn && seen > (this.#times[best * 2] as number));
      if (!better) continue;
      best = entry;
      bestOwn = own;
    }
    if (best < 0) return null;
    this.#found.name = this.#names[best] as string;
    this.#found.kind = this.#ints[best * INTS + KIND] as number;
    return this.#found;
  }

  #set(words: Int32Array, at: number): number {
    return hashAddress(words, at, this.#seed) & (SETS - 1);
  }
}

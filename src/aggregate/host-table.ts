// Remote hosts by address: address -> dense number. Bounded; what comes beyond the bound is folded into one row.

import { hashAddress } from '../flow/hash.ts';
import { sameAddress } from '../net/address.ts';

/** Number of the row that stands for all hosts beyond the bound. */
export const OTHER_HOSTS = 0;

/** Interns addresses; open addressing, never removes. Host numbers begin at 1. */
export class HostTable {
  readonly #limit: number;
  readonly #seed: number;
  #slots: Int32Array;
  #mask: number;
  #words: Int32Array;
  count = 1;
  /** Look-ups that found the table full. */
  folded = 0;

  /** @param limit hosts at the most */
  constructor(limit: number, seed: number) {
    this.#limit = limit;
    this.#seed = seed | 0;
    this.#slots = new Int32Array(1024);
    this.#mask = 1023;
    this.#words = new Int32Array(512 * 4);
  }

  /** Number of the host whose address lies in `words` at `at`; OTHER_HOSTS when the table is full. */
  intern(words: Int32Array, at: number): number {
    const hash = hashAddress(words, at, this.#seed);
    let slot = hash & this.#mask;
    for (;;) {
      const host = this.#slots[slot] as number;
      if (host === 0) break;
      if (sameAddress(this.#words, host * 4, words, at)) return host;
      slot = (slot + 1) & this.#mask;
    }
    if (this.count > this.#limit) {
      this.folded++;
      return OTHER_HOSTS;
    }
    if (this.count * 2 > this.#mask) {
      this.#grow();
      slot = hash & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    }
    const host = this.count++;
    for (let i = 0; i < 4; i++) this.#words[host * 4 + i] = words[at + i] as number;
    this.#slots[slot] = host;
    return host;
  }

  /** Words of all hosts; four a host. Valid until the next `intern`. */
  get words(): Int32Array {
    return this.#words;
  }

  #grow(): void {
    const size = this.#slots.length * 2;
    this.#slots = new Int32Array(size);
    this.#mask = size - 1;
    const words = new Int32Array(size * 2);
    words.set(this.#words);
    this.#words = words;
    for (let host = 1; host < this.count; host++) {
      let slot = hashAddress(words, host * 4, this.#seed) & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = host;
    }
  }
}

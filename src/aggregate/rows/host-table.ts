// Numbers remote hosts, by name or address, and whatever else has a key of four words. Bounded: beyond the bound all share one number, until
// others are released.

import { hashAddress } from '../../flow/hash.ts';
import { sameAddress } from '../../net/address.ts';
import { widened } from '../../net/bytes.ts';

/** Number of all hosts beyond the bound, and of evicted ones. */
export const OTHER_HOSTS = 0;
/** Beyond this, the table grows to its full size at once: memory that was never written costs nothing. */
const LAST_COPY = 16_384;
/** Values of `#names` that are not names. */
const NO_NAME = -1;
const FREE = -2;

/**
 * Numbers hosts from 1. `words`, four a host, is the address of a host, or the first address of a name; `#names`, one a host, is the number
 * of its name. `#slots` finds addresses by open addressing. A released number is given out again.
 */
export class HostTable {
  readonly #limit: number;
  readonly #seed: number;
  #slots = new Int32Array(1024);
  #mask = 1023;
  #words = new Int32Array(512 * 4);
  #names = new Int32Array(512);
  /** Host by name. */
  #byName = new Int32Array(0);
  readonly #free: number[] = [];
  /** Numbers below it were given out. */
  end = 1;
  /** Look-ups that found the table full. */
  folded = 0;

  /** @param limit hosts at the most */
  constructor(limit: number, seed: number) {
    this.#limit = limit;
    this.#seed = seed | 0;
  }

  /** Hosts there are. */
  get count(): number {
    return this.end - 1 - this.#free.length;
  }

  /** True if less than an eighth is left: time to evict. */
  get isNearlyFull(): boolean {
    return this.count > this.#limit - (this.#limit >>> 3);
  }

  /** Number of the host whose address is at `at` in `words`; OTHER_HOSTS if there is none. */
  find(words: Int32Array, at: number): number {
    return this.#slots[this.#slot(words, at)] as number;
  }

  /** Number of the host whose address is at `at` in `words`, a new one if need be; OTHER_HOSTS if the table is full. */
  intern(words: Int32Array, at: number): number {
    const known = this.#slots[this.#slot(words, at)] as number;
    if (known !== 0) return known;
    const host = this.#take();
    if (host === OTHER_HOSTS) return OTHER_HOSTS;
    for (let i = 0; i < 4; i++) this.#words[host * 4 + i] = words[at + i] as number;
    this.#names[host] = NO_NAME;
    this.#slots[this.#slot(words, at)] = host;
    return host;
  }

  /** Number of the host with a name; OTHER_HOSTS if the table is full. */
  named(name: number): number {
    const known = this.#byName[name] ?? 0;
    if (known !== 0) return known;
    const host = this.#take();
    if (host === OTHER_HOSTS) return OTHER_HOSTS;
    if (name >= this.#byName.length) this.#byName = widened(this.#byName, Math.max(1024, name * 2));
    this.#byName[name] = host;
    this.#names[host] = name;
    this.#words.fill(0, host * 4, host * 4 + 4);
    return host;
  }

  /** Number of a host's name; negative for an address. */
  nameOf(host: number): number {
    return this.#names[host] as number;
  }

  /** True if a name has a host. */
  hasName(name: number): boolean {
    return (this.#byName[name] ?? 0) !== 0;
  }

  isTaken(host: number): boolean {
    return host > 0 && host < this.end && this.#names[host] !== FREE;
  }

  /** Words of all hosts; four a host. Valid until the next host is taken. */
  get words(): Int32Array {
    return this.#words;
  }

  /** Releases the numbers of evicted hosts. */
  release(hosts: readonly number[]): void {
    for (const host of hosts) {
      const name = this.#names[host] as number;
      if (name >= 0) this.#byName[name] = 0;
      this.#names[host] = FREE;
      this.#free.push(host);
    }
    if (hosts.length > 0) this.#enterAll();
  }

  /** Where an address is, or would be. */
  #slot(words: Int32Array, at: number): number {
    let slot = hashAddress(words, at, this.#seed) & this.#mask;
    for (;;) {
      const host = this.#slots[slot] as number;
      if (host === 0 || sameAddress(this.#words, host * 4, words, at)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.end > this.#limit) {
      this.folded++;
      return OTHER_HOSTS;
    }
    if (this.end >= this.#names.length) this.#grow();
    return this.end++;
  }

  #grow(): void {
    const { length } = this.#names;
    const hosts = length < LAST_COPY ? length * 2 : Math.max(length * 2, this.#limit + 1);
    this.#words = widened(this.#words, hosts * 4);
    this.#names = widened(this.#names, hosts);
    let slots = this.#slots.length;
    while (slots < hosts * 2) slots *= 2;
    this.#slots = new Int32Array(slots);
    this.#mask = slots - 1;
    this.#enterAll();
  }

  #enterAll(): void {
    this.#slots.fill(0);
    for (let host = 1; host < this.end; host++)
      if (this.#names[host] === NO_NAME) this.#slots[this.#slot(this.#words, host * 4)] = host;
  }
}

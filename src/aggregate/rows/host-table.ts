// Remote hosts by name or address -> dense number. Bounded; what comes beyond the bound is folded into one row, until numbers are given back.

import { hashAddress } from '../../flow/hash.ts';
import { sameAddress } from '../../net/address.ts';
import { widened } from '../../net/bytes.ts';

/** Number of the row that stands for all hosts beyond the bound, and for those that gave their number up. */
export const OTHER_HOSTS = 0;
/** More hosts than this have room taken for all there may be: memory that was never written takes none. */
const LAST_COPY = 16_384;
/** Values of `#names` that are no name. */
const NO_NAME = -1;
const FREE = -2;

/**
 * Interns hosts, from 1. A host is an address or a name: `words`, four a host, is the address, or the first that the name had; `#names`, one a host,
 * its name's number. Addresses lie in `#slots` by open addressing. A number that was given back is another host's when it is taken again.
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

  /** True when an eighth is left: time to give numbers back. */
  get isNearlyFull(): boolean {
    return this.count > this.#limit - (this.#limit >>> 3);
  }

  /** Number of the host whose address lies in `words` at `at`; OTHER_HOSTS when the table is full. */
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

  /** Number of the host with a name; OTHER_HOSTS when the table is full. */
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

  /** True where a name has a host. */
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

  /** Gives numbers back. */
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

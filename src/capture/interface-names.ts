// Bounded tables from names that arrive with every packet to Uint16 indexes. A hit allocates nothing; entries are never removed.

import { sanitize } from '../net/text.ts';
import { interfaceKind } from './devices/kind.ts';
import type { CaptureInterface } from './source.ts';

const FIRST_ENTRIES = 64;
/** Differs from run to run, so that a capture cannot be built to make every name collide. */
const SEED = (Math.random() * 0x1_0000_0000) | 0;

/**
 * Open-addressed set of (key, bytes) pairs in the order of their arrival.
 *
 *     slots    [ index + 1, 0 is empty ]            twice the entries at least, a power of two
 *     keys     [ key ]  lengths [ bytes used ]      one per entry
 *     names    [ width bytes ]                      one slice per entry; longer names are cut
 */
export class NameIndex {
  readonly limit: number;
  readonly width: number;
  #count = 0;
  #slots = new Int32Array(FIRST_ENTRIES * 2);
  #hashes = new Int32Array(FIRST_ENTRIES);
  #keys = new Int32Array(FIRST_ENTRIES);
  #lengths = new Uint8Array(FIRST_ENTRIES);
  #names: Uint8Array;

  /**
   * @param limit entries at the most
   * @param width bytes of a name that are told apart, 255 at the most
   */
  constructor(limit: number, width: number) {
    this.limit = limit;
    this.width = width;
    this.#names = new Uint8Array(FIRST_ENTRIES * width);
  }

  get count(): number {
    return this.#count;
  }

  /** Index of the pair, or -1. The name is `bytes[from..to)`, without its NUL. */
  find(key: number, bytes: Uint8Array, from: number, to: number): number {
    const length = Math.min(to - from, this.width);
    const hash = hashOf(key, bytes, from, length);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = (this.#slots[slot] as number) - 1;
      if (entry < 0) return -1;
      if (this.#hashes[entry] === hash && this.#keys[entry] === key && this.#lengths[entry] === length) {
        if (this.#holds(entry, bytes, from, length)) return entry;
      }
    }
  }

  /** Adds a pair that `find` did not know. @returns its index, or -1 when the limit is reached. */
  add(key: number, bytes: Uint8Array, from: number, to: number): number {
    if (this.#count >= this.limit) return -1;
    if (this.#count === this.#keys.length) this.#grow();
    const entry = this.#count++;
    const length = Math.min(to - from, this.width);
    this.#hashes[entry] = hashOf(key, bytes, from, length);
    this.#keys[entry] = key;
    this.#lengths[entry] = length;
    this.#names.set(bytes.subarray(from, from + length), entry * this.width);
    this.#place(entry);
    return entry;
  }

  #holds(entry: number, bytes: Uint8Array, from: number, length: number): boolean {
    const base = entry * this.width;
    for (let i = 0; i < length; i++) if (this.#names[base + i] !== bytes[from + i]) return false;
    return true;
  }

  #place(entry: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#hashes[entry] as number) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry + 1;
  }

  #grow(): void {
    const entries = this.#keys.length * 2;
    this.#hashes = widened(this.#hashes, new Int32Array(entries));
    this.#keys = widened(this.#keys, new Int32Array(entries));
    this.#lengths = widened(this.#lengths, new Uint8Array(entries));
    this.#names = widened(this.#names, new Uint8Array(entries * this.width));
    this.#slots = new Int32Array(entries * 2);
    for (let entry = 0; entry < this.#count; entry++) this.#place(entry);
  }
}

/** Where the name that begins at `from` ends: its first NUL, or `to`. */
export function nameEnd(bytes: Uint8Array, from: number, to: number): number {
  let end = from;
  while (end < to && bytes[end] !== 0) end++;
  return end;
}

function hashOf(key: number, bytes: Uint8Array, from: number, length: number): number {
  let hash = Math.imul(key ^ SEED, 0x9e3779b1);
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (bytes[from + i] as number), 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x85ebca6b) ^ (hash >>> 13);
}

function widened<T extends Int32Array | Uint8Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

const LIMIT = 1_024;
const NAME_BYTES = 64;
const PKTAP_BIT = 0x1_0000;

const decoder = new TextDecoder('utf-8');
const encoder = new TextEncoder();

/**
 * Interfaces by name and link type. When the table is full, its last entry, `other interfaces`, stands for all that come after.
 */
export class InterfaceTable {
  readonly interfaces: CaptureInterface[] = [];
  readonly #index = new NameIndex(LIMIT, NAME_BYTES);

  /**
   * Index of an interface.
   *
   * @param link LINKTYPE of its frames
   * @param pktap true where PKTAP delivered them: then loopback packets come twice
   * @param from the name is `bytes[from..to)`, without its NUL; 64 bytes count
   */
  indexOf(link: number, pktap: boolean, bytes: Uint8Array, from: number, to: number): number {
    const key = pktap ? link | PKTAP_BIT : link;
    const found = this.#index.find(key, bytes, from, to);
    if (found >= 0) return found;
    return this.#enter(key, link, pktap, bytes, from, to);
  }

  /** `indexOf` for a name that is text. */
  named(link: number, pktap: boolean, name: string): number {
    const bytes = encoder.encode(name);
    return this.indexOf(link, pktap, bytes, 0, bytes.length);
  }

  #enter(key: number, link: number, pktap: boolean, bytes: Uint8Array, from: number, to: number): number {
    if (this.interfaces.length >= LIMIT) return LIMIT - 1;
    this.#index.add(key, bytes, from, to);
    const last = this.interfaces.length === LIMIT - 1;
    const name = sanitize(decoder.decode(bytes.subarray(from, Math.min(to, from + NAME_BYTES))));
    const kind = last ? 'virtual' : interfaceKind(name);
    const deliversTwice = pktap && kind === 'loopback';
    return this.interfaces.push({ name: last ? 'other interfaces' : name, kind, link, deliversTwice }) - 1;
  }
}

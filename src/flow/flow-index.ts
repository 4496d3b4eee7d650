// The index of the flow table: two ends, protocol and interface -> row. Open addressing, at most half full, no tombstones.

import { sameAddress } from '../net/address.ts';
import * as L from './layout.ts';

/** Copies, as in decode/ipv4.ts. */
const { HASH, INTS, LOCAL, PORTS, PROTOCOL_INTERFACE, REMOTE } = L;

const EMPTY = -1;
const FIRST_PLACES = 2048;
/** Most hashes per call of `warm`. */
export const MAX_WARMED = 64;
/** Words to read for a row's first two cache lines, including their last word, because an array seldom starts at a line. */
const SECOND_LINE = 16;
const LAST_WORD = 31;
const THIRD_LINE = 32;

/**
 * Rows by hash: `slots` holds pairs [hash, row]. It finds a tuple in either direction, because `hashFlow` is symmetric; `sent` says which.
 * It grows with its contents, not with the flow table, so a small index stays in the CPU's cache.
 */
export class FlowIndex {
  #slots: Int32Array = new Int32Array(FIRST_PLACES * 2).fill(EMPTY);
  #mask = FIRST_PLACES - 1;
  #count = 0;
  readonly #warmRows = new Int32Array(MAX_WARMED);
  #ints: Int32Array;
  /** After `find`: whether the first end given is the flow's local end. */
  sent = true;

  /** @param ints the flow table's arena */
  constructor(ints: Int32Array) {
    this.#ints = ints;
  }

  /** Sets the new arena after the table has grown. */
  setArena(ints: Int32Array): void {
    this.#ints = ints;
  }

  /** Row of the flow between the two ends in `words`; -1 if there is none. */
  find(words: Int32Array, sourcePort: number, destinationPort: number, protocolInterface: number, hash: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const ints = this.#ints;
    const asSent = (sourcePort << 16) | destinationPort;
    const asReceived = (destinationPort << 16) | sourcePort;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = slots[2 * slot + 1] as number;
      if (row === EMPTY) return -1;
      if (slots[2 * slot] !== hash) continue;
      const base = row * INTS;
      if (ints[base + PROTOCOL_INTERFACE] !== protocolInterface) continue;
      const ports = ints[base + PORTS];
      if (ports === asSent && sameAddress(ints, base + LOCAL, words, 0) && sameAddress(ints, base + REMOTE, words, 4)) {
        this.sent = true;
        return row;
      }
      if (ports === asReceived && sameAddress(ints, base + LOCAL, words, 4) && sameAddress(ints, base + REMOTE, words, 0)) {
        this.sent = false;
        return row;
      }
    }
  }

  /**
   * Prefetches the slots of these hashes, then everything that a packet needs of their rows. The reads of a pass are independent, so the CPU runs many
   * at a time.
   *
   * @param hashes of at most MAX_WARMED packets
   * @returns a value that depends on all reads, so the compiler keeps them
   */
  warm(hashes: Int32Array, count: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const ints = this.#ints;
    const rows = this.#warmRows;
    let read = 0;
    for (let i = 0; i < count; i++) rows[i] = slots[2 * ((hashes[i] as number) & mask) + 1] as number;
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      if (row === EMPTY) continue;
      read ^=
        (ints[row * INTS] as number) ^ (ints[row * INTS + SECOND_LINE] as number) ^ (ints[row * INTS + LAST_WORD] as number);
    }
    return read;
  }

  /** Prefetches the slots of these rows, and the cache line of each that `warm` leaves out. @returns as `warm` */
  warmRows(rows: Int32Array, count: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const ints = this.#ints;
    let read = 0;
    for (let i = 0; i < count; i++) {
      const base = (rows[i] as number) * INTS;
      read ^= (slots[2 * ((ints[base + HASH] as number) & mask)] as number) ^ (ints[base + THIRD_LINE] as number);
    }
    return read;
  }

  insert(hash: number, row: number): void {
    // Exactly half full is allowed: a full flow table would otherwise double the index for its last row.
    if (++this.#count * 2 > this.#mask + 1) this.#grow();
    this.#place(hash, row);
  }

  #place(hash: number, row: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash & mask;
    while (slots[2 * slot + 1] !== EMPTY) slot = (slot + 1) & mask;
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = row;
  }

  /** Removes an entry by backward shift (Knuth 6.4, algorithm R): entries that would become unreachable move into the hole. */
  remove(hash: number, row: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash & mask;
    while (slots[2 * slot + 1] !== row) slot = (slot + 1) & mask;
    for (let next = (slot + 1) & mask; slots[2 * next + 1] !== EMPTY; next = (next + 1) & mask) {
      const home = (slots[2 * next] as number) & mask;
      if (((next - home) & mask) >= ((next - slot) & mask)) {
        slots[2 * slot] = slots[2 * next] as number;
        slots[2 * slot + 1] = slots[2 * next + 1] as number;
        slot = next;
      }
    }
    slots[2 * slot + 1] = EMPTY;
    this.#count--;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2).fill(EMPTY);
    this.#mask = old.length - 1;
    for (let i = 0; i < old.length; i += 2) {
      const row = old[i + 1] as number;
      if (row !== EMPTY) this.#place(old[i] as number, row);
    }
  }
}

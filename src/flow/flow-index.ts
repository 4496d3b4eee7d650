// The index of the flow table: two ends, protocol and interface -> row. Open addressing, at most half full, no tombstones.

import { sameAddress } from '../net/address.ts';
import * as L from './layout.ts';

/** Copies, as in decode/ipv4.ts. */
const { HASH, INTS, LOCAL, PORTS, PROTOCOL_INTERFACE, REMOTE } = L;

const EMPTY = -1;
const FIRST_PLACES = 2048;
/** Most packets that `warm` takes. */
export const MAX_WARMED = 64;
/** Words of a row to read for its first two cache lines, and the last word: an array seldom begins at a line. */
const SECOND_LINE = 16;
const LAST_WORD = 31;
const THIRD_LINE = 32;

/**
 * Rows by hash: `slots` holds pairs [hash, row]. A tuple is found in either direction, as `hashFlow` is symmetric; `sent` tells which.
 * It grows with what it holds, not with the flow table: a small index stays in the processor's cache.
 */
export class FlowIndex {
  #slots: Int32Array = new Int32Array(FIRST_PLACES * 2).fill(EMPTY);
  #mask = FIRST_PLACES - 1;
  #count = 0;
  readonly #warmRows = new Int32Array(MAX_WARMED);
  #ints: Int32Array;
  /** After `find`: true when the first end given is the flow's local end. */
  sent = true;

  /** @param ints the flow table's arena */
  constructor(ints: Int32Array) {
    this.#ints = ints;
  }

  /** Follows the arena, which moves when the table grows. */
  setArena(ints: Int32Array): void {
    this.#ints = ints;
  }

  /** Row of the flow between the two ends in `words`, or -1. */
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
   * Reads the places of these hashes, then all that a packet needs of the rows that stand there. All reads of a pass are independent of one another:
   * the processor has many of them under way at a time.
   *
   * @param hashes of MAX_WARMED packets at the most
   * @returns something of all that was read
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

  /** Reads the places of these rows, and of each the line that `warm` does not. @returns something of all that was read */
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
    if (++this.#count * 2 > this.#mask) this.#grow();
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

  /** Backward shift (Knuth 6.4, algorithm R): an entry that would no longer be found moves into the hole. */
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

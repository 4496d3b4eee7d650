// The index of the flow table: two ends, protocol and interface -> row. Open addressing, at most half full, no tombstones.

import { sameAddress } from '../net/address.ts';
import { INTS, LOCAL, PORTS, PROTOCOL_INTERFACE, REMOTE } from './layout.ts';

const EMPTY = -1;

/**
 * Rows by hash: `slots` holds pairs [hash, row]. A tuple is found in either direction, as `hashFlow` is symmetric; `sent` tells which.
 */
export class FlowIndex {
  #slots: Int32Array;
  #mask: number;
  #ints: Int32Array;
  /** After `find`: true when the first end given is the flow's local end. */
  sent = true;

  /** @param rows the most it will hold, a power of two @param ints the flow table's arena */
  constructor(rows: number, ints: Int32Array) {
    this.#slots = new Int32Array(rows * 4).fill(EMPTY);
    this.#mask = rows * 2 - 1;
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

  insert(hash: number, row: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash & mask;
    while (slots[2 * slot + 1] !== EMPTY) slot = (slot + 1) & mask;
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = row;
  }

  /** Backward shift (Knuth 6.4, algorithm R): whatever would no longer be found moves into the hole. */
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
  }

  /** Makes room for `rows` rows, whose arena is now `ints`. */
  grow(rows: number, ints: Int32Array): void {
    const old = this.#slots;
    this.#ints = ints;
    this.#slots = new Int32Array(rows * 4).fill(EMPTY);
    this.#mask = rows * 2 - 1;
    for (let i = 0; i < old.length; i += 2) {
      const row = old[i + 1] as number;
      if (row !== EMPTY) this.insert(old[i] as number, row);
    }
  }
}

// The newest flows without a name, for an answer that comes a moment after its flow began. Bounded, the newest over the oldest.

import type { FlowTable } from '../../flow/flow-table.ts';
import { COUNTERS, FIRST_SEEN, INTS, REMOTE, SERIAL } from '../../flow/layout.ts';
import { sameAddress } from '../../net/address.ts';

const ROOM = 512;

/** Flows that wait for a name, by row and serial number. */
export class WaitingFlows {
  readonly #flows: FlowTable;
  readonly #lateMs: number;
  readonly #take: (row: number, name: string, source: number) => void;
  /** `entries`: row | serial, 0 is empty */
  readonly #entries = new Float64Array(ROOM * 2);
  #next = 0;
  #count = 0;

  /**
   * @param lateMs how long after its beginning a flow may be named
   * @param take told of each flow that a name is for
   */
  constructor(flows: FlowTable, lateMs: number, take: (row: number, name: string, source: number) => void) {
    this.#flows = flows;
    this.#lateMs = lateMs;
    this.#take = take;
  }

  add(row: number): void {
    const at = this.#next * 2;
    if (this.#entries[at + 1] === 0) this.#count++;
    this.#entries[at] = row;
    this.#entries[at + 1] = this.#flows.counters[row * COUNTERS + SERIAL] as number;
    this.#next = (this.#next + 1) % ROOM;
  }

  /**
   * Gives a name to the waiting flows towards an address, and lets those go that waited too long.
   *
   * @param now epoch ms
   */
  name(words: Int32Array, at: number, name: string, source: number, now: number): void {
    if (this.#count === 0) return;
    const { ints, counters } = this.#flows;
    for (let i = 0; i < ROOM; i++) {
      const serial = this.#entries[2 * i + 1] as number;
      if (serial === 0) continue;
      const row = this.#entries[2 * i] as number;
      const base = row * COUNTERS;
      const isGone = !this.#flows.isLive(row) || counters[base + SERIAL] !== serial;
      if (isGone || (counters[base + FIRST_SEEN] as number) < now - this.#lateMs) {
        this.#entries[2 * i + 1] = 0;
        this.#count--;
        continue;
      }
      if (sameAddress(ints, row * INTS + REMOTE, words, at)) this.#take(row, name, source);
    }
  }
}

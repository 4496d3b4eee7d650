// Flows that wait for an owner: a bounded queue of rows with their serial numbers, tried again a few times, then given a reason.

import type { FlowTable } from '../../flow/flow-table.ts';
import { COUNTERS, SERIAL } from '../../flow/layout.ts';

const LIMIT = 16_384;
/** When a flow is tried again after it was not found, ms. */
const RETRY_MS = [0, 50, 250, 1000];

/** One waiting flow. */
export interface Pending {
  readonly row: number;
  readonly serial: number;
  tries: number;
  /** Monotonic ms. */
  due: number;
  /** Packets that it had sent when it was looked for in vain. */
  sent: number;
}

/** The queue. */
export class PendingFlows {
  readonly #flows: FlowTable;
  #waiting: Pending[] = [];
  /** Flows that found the queue full: they stay `not looked up yet`. */
  overflowed = 0;

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  get size(): number {
    return this.#waiting.length;
  }

  add(row: number, now: number): void {
    if (this.#waiting.length >= LIMIT) {
      this.overflowed++;
      return;
    }
    this.#waiting.push({ row, serial: this.#serial(row), tries: 0, due: now, sent: 0 });
  }

  /** True when any flow is due. */
  hasDue(now: number): boolean {
    for (const each of this.#waiting) if (each.due <= now) return true;
    return false;
  }

  /** Takes out the flows that are due; those that are gone meanwhile are dropped. */
  takeDue(now: number): Pending[] {
    const due: Pending[] = [];
    const later: Pending[] = [];
    for (const each of this.#waiting) {
      if (!this.isCurrent(each)) continue;
      (each.due <= now ? due : later).push(each);
    }
    this.#waiting = later;
    return due;
  }

  /** Puts a flow back that was not found. @returns false when it was tried often enough */
  retry(each: Pending, now: number): boolean {
    each.tries++;
    const wait = RETRY_MS[each.tries];
    if (wait === undefined) return false;
    each.due = now + wait;
    this.#waiting.push(each);
    return true;
  }

  /** Puts a flow back that could not be looked for: the try does not count. */
  putBack(each: Pending, due: number): void {
    if (this.#waiting.length >= LIMIT) {
      this.overflowed++;
      return;
    }
    each.due = due;
    this.#waiting.push(each);
  }

  /** True while the row still belongs to the same flow. */
  isCurrent(each: Pending): boolean {
    return this.#flows.isLive(each.row) && this.#serial(each.row) === each.serial;
  }

  #serial(row: number): number {
    return this.#flows.counters[row * COUNTERS + SERIAL] as number;
  }
}

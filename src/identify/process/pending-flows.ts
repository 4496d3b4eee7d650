// Flows that wait for an owner: a bounded queue of rows with their serial numbers. A flow is tried a few times, then gets a reason.

import type { FlowTable } from '../../flow/flow-table.ts';

const LIMIT = 16_384;
/** Time before each try, ms. */
const RETRY_MS = [0, 50, 250, 1000];

/** One waiting flow. */
export interface Pending {
  readonly row: number;
  readonly serial: number;
  tries: number;
  /** Monotonic ms. */
  due: number;
  /** When its newest packet had been seen at the last failed look, epoch ms. */
  seen: number;
}

/** The queue: new flows first, the newest before the others since its socket most likely still exists; then the retries, in order. */
export class PendingFlows {
  readonly #flows: FlowTable;
  readonly #fresh: Pending[] = [];
  #again: Pending[] = [];
  /** Flows that found the queue full since it was last refilled. */
  overflowed = 0;

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  get size(): number {
    return this.#fresh.length + this.#again.length;
  }

  /** Queues a flow, unless its ends belong to another connection by now: the socket that has them is not the flow's own. */
  add(row: number, now: number): void {
    if (this.#flows.isRetired(row)) {
      if (this.#flows.awaitsOwner(row)) this.#flows.disown(row, 'closed before it could be looked up');
      return;
    }
    if (this.size >= LIMIT) {
      this.overflowed++;
      return;
    }
    this.#fresh.push({ row, serial: this.#flows.serial(row), tries: 0, due: now, seen: 0 });
  }

  /** Queues the flows that found the queue full, once it is empty. @param now monotonic ms */
  refill(now: number): void {
    if (this.overflowed === 0 || this.size > 0) return;
    this.overflowed = 0;
    const flows = this.#flows;
    for (let row = 0; row < flows.rows; row++) if (flows.awaitsOwner(row) && flows.isLive(row)) this.add(row, now);
  }

  /** True when any flow is due. @param hasAgain includes retries */
  hasDue(now: number, hasAgain = true): boolean {
    return isAnyDue(this.#fresh, now) || (hasAgain && isAnyDue(this.#again, now));
  }

  /**
   * Takes out the flows that are due, and drops those that ended meanwhile.
   *
   * @param most how many
   * @param hasAgain includes retries
   */
  takeDue(now: number, most = Number.POSITIVE_INFINITY, hasAgain = true): Pending[] {
    const due: Pending[] = [];
    while (due.length < most) {
      const each = this.#fresh.pop();
      if (each === undefined) break;
      if (this.isCurrent(each)) due.push(each);
    }
    if (!hasAgain || due.length >= most || !isAnyDue(this.#again, now)) return due;
    const later: Pending[] = [];
    for (const each of this.#again) {
      if (!this.isCurrent(each)) continue;
      (each.due <= now && due.length < most ? due : later).push(each);
    }
    this.#again = later;
    return due;
  }

  /** Queues another try for a flow that was not found. @returns false after the last try */
  retry(each: Pending, now: number): boolean {
    each.tries++;
    const wait = RETRY_MS[each.tries];
    if (wait === undefined) return false;
    each.due = now + wait;
    this.#again.push(each);
    return true;
  }

  /** Puts back a flow that could not be looked up; the try does not count. */
  putBack(each: Pending, due: number): void {
    if (this.size >= LIMIT) {
      this.overflowed++;
      return;
    }
    each.due = due;
    this.#again.push(each);
  }

  /** True while the row holds the same flow, and the flow still has its ends. */
  isCurrent(each: Pending): boolean {
    return this.#flows.holds(each.row, each.serial) && !this.#flows.isRetired(each.row);
  }
}

function isAnyDue(waiting: readonly Pending[], now: number): boolean {
  for (const each of waiting) if (each.due <= now) return true;
  return false;
}

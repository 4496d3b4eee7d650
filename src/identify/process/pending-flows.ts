// A bounded queue of flows that wait for an owner. Each flow is tried a few times.

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
  /** Time of its newest packet at the last failed lookup, epoch ms. */
  seen: number;
}

/** The queue: new flows first, newest before oldest, since its socket is the likeliest to exist still; then retries in order. */
export class PendingFlows {
  readonly #flows: FlowTable;
  readonly #fresh: Pending[] = [];
  #again: Pending[] = [];
  /** Flows that found the queue full since the last refill. */
  overflowed = 0;

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  get size(): number {
    return this.#fresh.length + this.#again.length;
  }

  /** Queues a flow, unless another connection has its ends by now: the socket with these ends wouldn't be the flow's. */
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

  /** Once the queue is empty, adds the flows that found it full. @param now monotonic ms */
  refill(now: number): void {
    if (this.overflowed === 0 || this.size > 0) return;
    this.overflowed = 0;
    const flows = this.#flows;
    for (let row = 0; row < flows.rows; row++) if (flows.awaitsOwner(row) && flows.isLive(row)) this.add(row, now);
  }

  /** Whether any flow is due. @param hasRetries includes retries */
  hasDue(now: number, hasRetries = true): boolean {
    return isAnyDue(this.#fresh, now) || (hasRetries && isAnyDue(this.#again, now));
  }

  /**
   * Removes and returns the flows that are due. Drops those that are no longer current.
   *
   * @param limit how many
   * @param hasRetries includes retries
   */
  takeDue(now: number, limit = Number.POSITIVE_INFINITY, hasRetries = true): Pending[] {
    const due: Pending[] = [];
    while (due.length < limit) {
      const each = this.#fresh.pop();
      if (each === undefined) break;
      if (this.isCurrent(each)) due.push(each);
    }
    if (!hasRetries || due.length >= limit || !isAnyDue(this.#again, now)) return due;
    const later: Pending[] = [];
    for (const each of this.#again) {
      if (!this.isCurrent(each)) continue;
      (each.due <= now && due.length < limit ? due : later).push(each);
    }
    this.#again = later;
    return due;
  }

  /** Schedules another try for a flow that wasn't found. @returns false after the last try */
  retry(each: Pending, now: number): boolean {
    each.tries++;
    const wait = RETRY_MS[each.tries];
    if (wait === undefined) return false;
    each.due = now + wait;
    this.#again.push(each);
    return true;
  }

  /** Requeues a flow that could not be looked up. The try doesn't count. */
  putBack(each: Pending, due: number): void {
    if (this.size >= LIMIT) {
      this.overflowed++;
      return;
    }
    each.due = due;
    this.#again.push(each);
  }

  /** Whether the row still holds this flow, and no other connection has its ends. */
  isCurrent(each: Pending): boolean {
    return this.#flows.holds(each.row, each.serial) && !this.#flows.isRetired(each.row);
  }
}

function isAnyDue(waiting: readonly Pending[], now: number): boolean {
  for (const each of waiting) if (each.due <= now) return true;
  return false;
}

// Flows that wait for an owner: a bounded queue of rows with their serial numbers, tried again a few times, then given a reason.

import type { FlowTable } from '../../flow/flow-table.ts';

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
  /** When its newest packet was seen as it was looked for in vain, epoch ms. */
  seen: number;
}

/** The queue: new flows, the newest first as its socket is the likeliest to be there still, then those that are looked for again, in their order. */
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

  /** Takes a flow in; one whose ends are another connection's by now is not looked for: the socket that is there is not its own. */
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

  /** Where the queue is empty and flows found it full before: takes in those that still wait for a first look. @param now monotonic ms */
  refill(now: number): void {
    if (this.overflowed === 0 || this.size > 0) return;
    this.overflowed = 0;
    const flows = this.#flows;
    for (let row = 0; row < flows.rows; row++) if (flows.awaitsOwner(row) && flows.isLive(row)) this.add(row, now);
  }

  /** True when any flow is due. @param hasAgain also of those that are looked for again */
  hasDue(now: number, hasAgain = true): boolean {
    return isAnyDue(this.#fresh, now) || (hasAgain && isAnyDue(this.#again, now));
  }

  /**
   * Takes out flows that are due; those that are gone meanwhile are dropped.
   *
   * @param most how many
   * @param hasAgain also of those that are looked for again
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

  /** Puts a flow back that was not found. @returns false when it was tried often enough */
  retry(each: Pending, now: number): boolean {
    each.tries++;
    const wait = RETRY_MS[each.tries];
    if (wait === undefined) return false;
    each.due = now + wait;
    this.#again.push(each);
    return true;
  }

  /** Puts a flow back that could not be looked for: the try does not count. */
  putBack(each: Pending, due: number): void {
    if (this.size >= LIMIT) {
      this.overflowed++;
      return;
    }
    each.due = due;
    this.#again.push(each);
  }

  /** True while the row still belongs to the same flow, and the flow's ends to it. */
  isCurrent(each: Pending): boolean {
    return this.#flows.holds(each.row, each.serial) && !this.#flows.isRetired(each.row);
  }
}

function isAnyDue(waiting: readonly Pending[], now: number): boolean {
  for (const each of waiting) if (each.due <= now) return true;
  return false;
}

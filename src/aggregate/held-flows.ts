// Flows whose owner is still being looked for: history is told of them when that is known, so that no short one stays there under
// "not looked up yet". Bounded in time: what takes longer is told as it is.

import { type FlowTable, NO_OWNER } from '../flow/flow-table.ts';
import { COUNTERS, INTS, OWNERSHIP, PROCESS, SERIAL } from '../flow/layout.ts';
import { NOT_LOOKED_UP } from '../flow/new-flow.ts';

/** Collections that a flow may wait for its owner: some ten seconds. */
const MOST_COLLECTIONS = 4;

interface Held {
  readonly row: number;
  readonly serial: number;
  /** Collections until it is told in any case. */
  left: number;
}

/** The flows in waiting. */
export class HeldFlows {
  readonly #flows: FlowTable;
  #held: Held[] = [];

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  /** True while a flow's owner is being looked for. */
  isOpen(row: number): boolean {
    const base = row * INTS;
    return this.#flows.ints[base + OWNERSHIP] === NOT_LOOKED_UP && this.#flows.ints[base + PROCESS] === NO_OWNER;
  }

  /** Holds a flow back. Once for each. */
  hold(row: number): void {
    this.#held.push({ row, serial: this.#serial(row), left: MOST_COLLECTIONS });
  }

  /** Hands the flows to `tell` whose owner was found, or that waited long enough; `isLast` for all. Those that are gone were told then. */
  release(tell: (row: number) => void, isLast: boolean): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const each of held) {
      if (!this.#flows.isLive(each.row) || this.#serial(each.row) !== each.serial) continue;
      if (!isLast && this.isOpen(each.row) && --each.left > 0) this.#held.push(each);
      else tell(each.row);
    }
  }

  clear(): void {
    this.#held = [];
  }

  #serial(row: number): number {
    return this.#flows.counters[row * COUNTERS + SERIAL] as number;
  }
}

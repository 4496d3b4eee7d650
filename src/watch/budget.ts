// Tells when a month's budget is nearly used, and when it is used up. What was used before this run is what history knows.

import type { BudgetPlan } from '../model/options.ts';
import type { WatchedTick } from '../model/watch.ts';
import { type Detector, NOBODY, type Report } from './finding.ts';
import { amount, day, percent } from './words.ts';

/** Share of the budget from which on it is nearly used. */
const NEAR = 0.8;

/** A budget, and how its periods are cut: in the user's zone, as on the screen. */
export interface WatchedBudget {
  readonly plan: BudgetPlan;
  /** The period that a time lies in, epoch ms. */
  readonly periodOf: (time: number) => { readonly from: number; readonly to: number };
}

/** Adds up what moves in the period. */
export class Budgets implements Detector {
  readonly #budget: WatchedBudget;
  readonly #report: Report;
  #from = Number.NaN;
  #until = Number.NaN;
  /** Used before `#base`; null until history has said. */
  #before: number | null = null;
  /** What the run had moved when the period began. */
  #base = 0;
  #told = 0;

  constructor(budget: WatchedBudget, report: Report) {
    this.#budget = budget;
    this.#report = report;
  }

  /** Takes what was used of the period before this run. A share that was passed then was told of then. */
  know(used: number): void {
    this.#before = used;
    this.#told = used / this.#budget.plan.bytes;
  }

  tick(now: WatchedTick): void {
    if (this.#before === null) return;
    const { plan, periodOf } = this.#budget;
    const moved = movedOn(now, plan.interface);
    // A clock that was ahead is set back, too.
    if (!(now.time >= this.#from && now.time < this.#until)) {
      const isFirst = Number.isNaN(this.#until);
      ({ from: this.#from, to: this.#until } = periodOf(now.time));
      if (!isFirst) {
        this.#before = 0;
        this.#base = moved;
        this.#told = 0;
      }
    }
    const used = this.#before + moved - this.#base;
    const share = used / plan.bytes;
    if (share >= 1 && this.#told < 1) this.#found(used, share, `The month's budget of ${amount(plan.bytes)} is used up.`);
    else if (share >= NEAR && this.#told < NEAR)
      this.#found(used, share, `${percentUsed(share)} of the month's budget is used: ${amount(used)} of ${amount(plan.bytes)}.`);
    this.#told = Math.max(this.#told, share);
  }

  #found(used: number, share: number, text: string): void {
    this.#report({
      kind: 'budget',
      subject: NOBODY,
      cause: `${this.#until} ${share >= 1 ? 1 : NEAR}`,
      quietMs: 0,
      text,
      details: [`used: ${amount(used)}, ${percentUsed(share)}`, `the next month begins on ${day(this.#until)}`],
      needsBaseline: false,
    });
  }
}

/** 100 % only once all of it is used. */
function percentUsed(share: number): string {
  return percent(share < 1 ? Math.min(share, 0.99) : share);
}

/** RX and TX since the run began, of everything or of one interface. */
function movedOn({ total, interfaces }: WatchedTick, name: string | null): number {
  const row = name === null ? total : interfaces.find((one) => one.interface === name);
  return row === undefined ? 0 : row.rxBytes + row.txBytes;
}

// The budget: how much of a period's allowance is used, and where it ends at this pace. Pure; the period is cut in the user's zone.

import type { BudgetPlan } from '../../model/options.ts';
import { DAY_MS, daysInMonth, midnight } from '../text/calendar.ts';

/** First moment of a period and of the next one, epoch ms. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** How a budget stands. Bytes. */
export interface BudgetStatus extends Period {
  readonly used: number;
  readonly left: number;
  readonly over: number;
  /** Used of what is allowed; above 1 when it is over. */
  readonly share: number;
  /** What will be used at the end when it goes on as since `since`; null while it is too early to say. */
  readonly expected: number | null;
  /** When the allowance is used up at this pace, epoch ms; null where that is not in this period, or has been already. */
  readonly emptyAt: number | null;
  /** From when on the period is recorded. Later than `from`, all figures are the least that was used. */
  readonly since: number;
}

/** Share from which on the header speaks of it. */
export const BUDGET_NEAR = 0.8;

/** The period that a time lies in. */
export function periodOf(day: number, time: number): Period {
  const date = new Date(time);
  const year = date.getFullYear();
  const month = date.getMonth();
  const begins = (offset: number): number => midnight(year, month + offset, Math.min(day, daysInMonth(year, month + offset)));
  return time >= begins(0) ? { from: begins(0), to: begins(1) } : { from: begins(-1), to: begins(0) };
}

/**
 * How the budget stands.
 *
 * @param used bytes since the period began, as far as they were recorded
 * @param oldest first record of all, epoch ms; null where nothing is recorded
 */
export function budgetStatusOf(plan: BudgetPlan, used: number, oldest: number | null, now: number): BudgetStatus {
  const period = periodOf(plan.day, now);
  const since = Math.min(now, Math.max(period.from, oldest ?? now));
  const measured = now - since;
  const left = Math.max(0, plan.bytes - used);
  // Less than a day says more about the time of day than about the month.
  const pace = measured < DAY_MS ? null : used / measured;
  const emptyAt = pace === null || pace === 0 || left === 0 ? null : now + left / pace;
  return {
    ...period,
    used,
    left,
    over: Math.max(0, used - plan.bytes),
    share: used / plan.bytes,
    expected: pace === null ? null : used + pace * (period.to - now),
    emptyAt: emptyAt !== null && emptyAt < period.to ? emptyAt : null,
    since,
  };
}

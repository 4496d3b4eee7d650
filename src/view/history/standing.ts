// The budget as it stands now: what is recorded of the period, and what moved since that was read.

import type { Snapshot } from '../../aggregate/snapshot.ts';
import { type BudgetStanding, periodOf, standingOf } from './budget.ts';
import { countedBytes } from './counted.ts';
import { type HistoryState, resultOf } from './state.ts';

/** The standing; null where there is no budget, or nothing recorded of its period. */
export function standingNow(history: HistoryState, live: Snapshot): BudgetStanding | null {
  const { plan } = history;
  const result = resultOf(history, 'budget');
  if (plan === null || result === null || result.oldest === null) return null;
  const now = live.time;
  if (result.query.from !== periodOf(plan.day, now).from) return null; // a period ended since
  const { rxBytes, txBytes } = result.total;
  const since = Math.max(0, countedBytes(live, plan.interface) - (history.slots.budget?.counted ?? 0));
  // Only what will be in the record is added to what is in it.
  const recorded = live.capture.history === null ? 0 : since;
  return standingOf(plan, rxBytes + txBytes + recorded, result.oldest, now);
}

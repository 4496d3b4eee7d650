// Rows of the history tables in their order, and the cursor among them; and when an app first reached its domains.

import { foldedIn, type HistoryAnswer, type HistoryResult, type HistoryRow } from '../../model/history.ts';
import { topFor } from '../tables/selection.ts';
import { type HistoryPane, type HistorySort, type HistoryState, type ListState, resultOf } from './state.ts';

const VALUES: Readonly<Record<HistorySort, (row: HistoryRow) => number | string>> = {
  total: (row) => row.rxBytes + row.txBytes,
  rx: (row) => row.rxBytes,
  tx: (row) => row.txBytes,
  flows: (row) => row.flows,
  name: (row) => row.key?.toLowerCase() ?? '',
};

/** The last order of each answer: frames ask for it many times. */
const sorted = new WeakMap<HistoryResult, { readonly sort: HistoryState['sort']; readonly rows: readonly HistoryRow[] }>();

/** Rows of a pane: sorted, the folded rest at the end; others without a key where their bytes put them, by name at the end. */
export function historyRows(history: HistoryState, pane: HistoryPane): readonly HistoryRow[] {
  const result = resultOf(history, pane);
  if (result === null) return [];
  const old = sorted.get(result);
  if (old?.sort === history.sort) return old.rows;
  const { column, descending } = history.sort;
  const value = VALUES[column];
  const sign = descending ? -1 : 1;
  const rows = [...result.rows].sort((a, b) => {
    const rest = Number(isFolded(a)) - Number(isFolded(b));
    if (rest !== 0) return rest;
    if (column === 'name' && (a.key === null) !== (b.key === null)) return a.key === null ? 1 : -1;
    const [left, right] = [value(a), value(b)];
    return left === right ? 0 : sign * (left < right ? -1 : 1);
  });
  sorted.set(result, { sort: history.sort, rows });
  return rows;
}

/** A row that stands for many folded ones can't be compared with others. */
function isFolded(row: HistoryRow): boolean {
  return foldedIn(row) > 0;
}

/** Id of a row for the cursor and the mouse. */
export function rowId(row: HistoryRow): string {
  return row.key === null ? `\u0000${row.reason ?? ''}` : row.key;
}

/** Index of the chosen row; -1 in an empty list. */
export function listIndex(list: ListState, rows: readonly HistoryRow[]): number {
  if (rows.length === 0) return -1;
  if (list.selected === null) return 0;
  const found = rows.findIndex((row) => rowId(row) === list.selected);
  return found >= 0 ? found : Math.min(list.index, rows.length - 1);
}

/** The list with its cursor moved; `visible` rows are shown at once. */
export function movedList(
  list: ListState,
  rows: readonly HistoryRow[],
  to: (index: number, count: number) => number,
  visible: number,
  follow = false,
): ListState {
  if (rows.length === 0) return list;
  const index = Math.min(Math.max(0, to(listIndex(list, rows), rows.length)), rows.length - 1);
  const selected = follow && index === 0 ? null : rowId(rows[index] as HistoryRow);
  return { selected, index, top: topFor(list.top, index, visible, rows.length) };
}

/** When an app first reached its domains, epoch ms. Made once per answer: there may be thousands. */
interface FirstTimes {
  /** The earliest; null when there is none. */
  readonly app: number | null;
  readonly domains: ReadonlyMap<string, number>;
  /** True when there may be more domains. */
  readonly isCut: boolean;
}

const made = new WeakMap<HistoryAnswer, FirstTimes>();

/** First times of the app whose page is open; null while they are not known. */
export function firstTimes({ page, slots }: HistoryState): FirstTimes | null {
  const answer = slots.first?.answer;
  if (answer?.kind !== 'first-seen' || answer.app !== page?.name) return null;
  const known = made.get(answer);
  if (known !== undefined) return known;
  let first: number | null = null;
  for (const { time } of answer.domains) if (first === null || time < first) first = time;
  const times = { app: first, domains: new Map(answer.domains.map(({ domain, time }) => [domain, time])), isCut: answer.isCut };
  made.set(answer, times);
  return times;
}

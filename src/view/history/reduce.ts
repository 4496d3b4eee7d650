// The reducer of the history view: commands, answers, and the requests that follow from a state. No clock, no I/O.

import type { HistoryRow } from '../../model/history.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { counted } from '../../net/counted.ts';
import type { Action, Command, Step } from '../action.ts';
import { withFilter } from '../input/filter-input.ts';
import { isFilter } from '../input/row-filter.ts';
import type { ViewState } from '../state.ts';
import { topFor } from '../tables/selection.ts';
import { startOf, stepped } from '../text/calendar.ts';
import { drawable } from '../text/cells.ts';
import { formatAmount } from '../text/format.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { historyPage, plotOf } from './layout.ts';
import { historyRows, listIndex, movedList, rowId } from './lists.ts';
import { markRange, showDay, stepBy, toNow, withHistory, zoomBy } from './navigation.ts';
import { calendarStart, dueRequests } from './requests.ts';
import {
  countedBytes,
  HISTORY_PANES,
  HISTORY_SORTS,
  type HistoryPane,
  type HistorySort,
  type HistoryState,
  type SlotState,
} from './state.ts';
import { type HistoryViewModel, historyViewModel } from './view-model.ts';

/** Snapshots before the budget is asked for: the first frames come first. */
const BUDGET_AFTER = 5;

/** Applies a command in the view of history; null for one that means there what it means everywhere. */
export function reduceHistory(state: ViewState, command: Command, live: Snapshot, glyphs: Glyphs): Step | null {
  const model = historyViewModel(state, live, glyphs);
  const next = changed(state, command, model);
  if (next !== undefined) return next === null ? null : { state: next, effects: [] };
  if (command !== 'copy') return { state, effects: [] };
  const text = chosenText(state, glyphs);
  return { state, effects: text === null ? [] : [{ type: 'copy', text }] };
}

/** The state after a command; null where it is none of this view's, undefined where it means nothing here. */
function changed(state: ViewState, command: Command, model: HistoryViewModel): ViewState | null | undefined {
  const { page } = state.history;
  const inCalendar = page?.pane === 'calendar';
  switch (command) {
    case 'collapse':
      return inCalendar ? moveDay(state, model, -7) : stepBy(state, model, -1);
    case 'expand':
      return inCalendar ? moveDay(state, model, 7) : stepBy(state, model, 1);
    case 'shorter':
      return zoomBy(state, model, -1);
    case 'longer':
      return zoomBy(state, model, 1);
    case 'mark':
      return markRange(state, model);
    case 'now':
      return toNow(state);
    case 'up':
      return inCalendar ? moveDay(state, model, -1) : moveList(state, model, (index) => index - 1);
    case 'down':
      return inCalendar ? moveDay(state, model, 1) : moveList(state, model, (index) => index + 1);
    case 'first':
      return inCalendar ? moveDay(state, model, Number.NEGATIVE_INFINITY) : moveList(state, model, () => 0, true);
    case 'last':
      return inCalendar ? moveDay(state, model, Number.POSITIVE_INFINITY) : moveList(state, model, (_, count) => count - 1);
    case 'page-up':
      return inCalendar ? moveDay(state, model, -28) : moveList(state, model, (index, _, rows) => index - rows);
    case 'page-down':
      return inCalendar ? moveDay(state, model, 28) : moveList(state, model, (index, _, rows) => index + rows);
    case 'next-pane':
      return turnPane(state, 1);
    case 'previous-pane':
      return turnPane(state, -1);
    case 'sort-next':
      return sortBy(state, turned(HISTORY_SORTS, state.history.sort.column, 1));
    case 'sort-previous':
      return sortBy(state, turned(HISTORY_SORTS, state.history.sort.column, -1));
    case 'sort-direction':
      return withHistory(state, { sort: { ...state.history.sort, descending: !state.history.sort.descending } });
    case 'details':
      return openRow(state, model);
    case 'back':
      return goBack(state);
    case 'names':
    case 'services':
    case 'closed':
    case 'count-from-now':
    case 'freeze':
    case 'pin':
    case 'copy':
      return undefined;
    default:
      return null;
  }
}

/** Takes an answer in; drops one to an older question. */
export function takeAnswer(state: ViewState, action: Extract<Action, { type: 'history' }>, live: Snapshot): ViewState {
  const slot = state.history.slots[action.slot];
  if (slot === undefined || slot.serial !== action.serial) return state;
  const { answer } = action;
  const counted = countedBytes(live, state.history.plan?.interface ?? null);
  const next: SlotState =
    answer.kind === 'failed'
      ? { ...slot, pending: false, failure: answer }
      : { ...slot, pending: false, failure: null, answer, counted };
  return withHistory(state, { slots: { ...state.history.slots, [action.slot]: next } });
}

/** Adds what must be asked in a state to the effects of the step that led to it. */
export function withQuestions(step: Step, live: Snapshot, glyphs: Glyphs): Step {
  const { state } = step;
  const isShown = state.view === 'history';
  if (!isShown && (state.history.plan === null || live.seq < BUDGET_AFTER)) return step;
  const { history, requests } = dueRequests(state.history, historyViewModel(state, live, glyphs).context);
  if (requests.length === 0) return step;
  return { state: { ...state, history }, effects: [...step.effects, { type: 'history', requests }] };
}

/** Puts the cursor of a table onto a row that was clicked. */
export function selectHistory(state: ViewState, pane: HistoryPane, id: string, live: Snapshot, glyphs: Glyphs): ViewState {
  const index = historyRows(state.history, pane).findIndex((row) => rowId(row) === id);
  if (index < 0) return state;
  const { page } = state.history;
  const focused = withHistory(state, page === null ? { pane } : { page: { ...page, pane: 'domains' } });
  return moveList(focused, historyViewModel(focused, live, glyphs), () => index);
}

/** Marks the bins under a cell of the chart, or from another cell to it. */
export function markCells(state: ViewState, cell: number, anchor: number | null, live: Snapshot, glyphs: Glyphs): ViewState {
  const { layout, bins } = historyViewModel(state, live, glyphs);
  if (layout.chart === null) return state;
  const { cells } = plotOf(layout.chart);
  const count = bins.edges.length - 1;
  // Where bins are narrower than cells, a range ends with the last one of its cell.
  const timeOf = (at: number, isEnd: boolean): number => {
    const bin = isEnd ? Math.ceil(((at + 1) * count) / cells) - 1 : Math.floor((at * count) / cells);
    return bins.edges[Math.min(count - 1, Math.max(0, bin))] as number;
  };
  const mark = anchor === null ? null : timeOf(anchor, anchor > cell);
  return withHistory(state, { cursor: timeOf(cell, anchor !== null && cell > anchor), mark });
}

/** Moves the window of a table; the cursor comes along only where it would leave it. */
export function scrollHistory(state: ViewState, pane: HistoryPane, by: number, live: Snapshot, glyphs: Glyphs): ViewState {
  const { lists } = state.history;
  const rows = historyRows(state.history, pane);
  const visible = historyPage(historyViewModel(state, live, glyphs).layout, pane);
  const list = lists[pane];
  const top = topFor(list.top + by, -1, visible, rows.length);
  const at = Math.min(Math.max(listIndex(list, rows), top), top + visible - 1);
  return withHistory(state, { lists: { ...lists, [pane]: movedList({ ...list, top }, rows, () => at, visible) } });
}

function moveList(
  state: ViewState,
  model: HistoryViewModel,
  to: (index: number, count: number, rows: number) => number,
  follow = false,
): ViewState {
  const pane = focusedPane(state.history);
  const visible = historyPage(model.layout, pane);
  const rows = historyRows(state.history, pane);
  const list = movedList(state.history.lists[pane], rows, (index, count) => to(index, count, visible), visible, follow);
  return withHistory(state, { lists: { ...state.history.lists, [pane]: list } });
}

function focusedPane(history: HistoryState): HistoryPane {
  return history.page === null ? history.pane : 'domains';
}

function turnPane(state: ViewState, by: number): ViewState {
  const { page, pane } = state.history;
  if (page === null) return withHistory(state, { pane: turned(HISTORY_PANES, pane, by) });
  return withHistory(state, { page: { ...page, pane: page.pane === 'calendar' ? 'domains' : 'calendar' } });
}

function turned<T>(all: readonly T[], one: T, by: number): T {
  return all[(all.indexOf(one) + by + all.length) % all.length] as T;
}

function sortBy(state: ViewState, column: HistorySort): ViewState {
  return withHistory(state, { sort: { column, descending: column !== 'name' } });
}

/** Moves the calendar's cursor by days, within what the calendar shows. */
function moveDay(state: ViewState, model: HistoryViewModel, by: number): ViewState {
  const { page } = state.history;
  if (page === null) return state;
  const today = startOf('day', model.now);
  const first = calendarStart(model.now);
  const wanted = Number.isFinite(by) ? stepped('day', page.day ?? today, by) : by;
  const day = Math.min(today, Math.max(first, wanted));
  return withHistory(state, { page: { ...page, day: day === today ? null : day } });
}

/** An app opens its page, a day its hours; anything else becomes the filter. */
function openRow(state: ViewState, model: HistoryViewModel): ViewState {
  const { history } = state;
  const { page } = history;
  if (page?.pane === 'calendar') return showDay(state, page.day ?? startOf('day', model.now), model.now);
  const pane = focusedPane(history);
  const rows = historyRows(history, pane);
  const key = rows[listIndex(history.lists[pane], rows)]?.key ?? null;
  if (key === null) return rows.length === 0 ? state : { ...state, notice: 'nothing more is known about this row' };
  if (pane === 'apps') return withHistory(state, { page: { name: key, pane: 'calendar', day: null } });
  const text = isFilter(FIELD[pane], key);
  return text === null ? { ...state, notice: 'this name can not be filtered for' } : withFilter(state, text);
}

/** One thing at a time: the zoom, the mark, the cursor, the page, the way back to now; then the filter, as everywhere. */
function goBack(state: ViewState): ViewState | null {
  const { mark, cursor, page, anchor } = state.history;
  if (state.zoomed && page === null) return { ...state, zoomed: false };
  if (mark !== null) return withHistory(state, { mark: null });
  if (cursor !== null) return withHistory(state, { cursor: null });
  if (page !== null) return withHistory(state, { page: null });
  return anchor === null ? null : toNow(state);
}

/** Filter fields of the tables. */
const FIELD: Readonly<Record<HistoryPane, string>> = {
  apps: 'app',
  domains: 'domain',
  categories: 'category',
  interfaces: 'iface',
};

/** What the selected row is called, and its filter: null if no filter can tell it; null for no row. */
export function chosenRow({ history }: ViewState): { readonly name: string; readonly filter: string | null } | null {
  const pane = focusedPane(history);
  const row = rowOf(history, pane);
  return row === undefined ? null : { name: row.key ?? 'packets', filter: isFilter(FIELD[pane], row.key) };
}

function rowOf(history: HistoryState, pane: HistoryPane): HistoryRow | undefined {
  const rows = historyRows(history, pane);
  return rows[listIndex(history.lists[pane], rows)];
}

function chosenText(state: ViewState, glyphs: Glyphs): string | null {
  const pane = focusedPane(state.history);
  const row = rowOf(state.history, pane);
  if (row === undefined) return null;
  const hides = state.privacy && pane === 'domains';
  const name = hides ? glyphs.masked.repeat(6) : drawable(row.key ?? `(${row.reason ?? 'unknown'})`, glyphs);
  const amount = (bytes: number): string => formatAmount(bytes, state.units).trim();
  return `${name}  RX ${amount(row.rxBytes)}  TX ${amount(row.txBytes)}  ${counted(row.flows, 'flow')}`;
}

// The cursor and the window of each table: moved by keys and wheel, and held on their rows when rows change.

import type { Snapshot } from '../aggregate/snapshot.ts';
import { layoutOf, visibleRows } from './layout.ts';
import { noteOf } from './panels/header.ts';
import { type AnyRow, orderedRows } from './rows.ts';
import { cursorIndex, moveTo, settle, topFor } from './selection.ts';
import type { TableName, TableState, ViewState } from './state.ts';

/** The state with one of its tables replaced; the same object where nothing changed. */
export function withTable(state: ViewState, name: TableName, table: TableState): ViewState {
  return table === state.tables[name] ? state : { ...state, tables: { ...state.tables, [name]: table } };
}

/** The row under the cursor of the focused table. */
export function chosenRow(state: ViewState, live: Snapshot): AnyRow | undefined {
  const rows = orderedRows(state, live, state.pane);
  return rows[cursorIndex(state.tables[state.pane], rows)];
}

/**
 * Moves the cursor of the focused table.
 *
 * @param follow whether the first row means whatever is first, from now on
 */
export function move(
  state: ViewState,
  live: Snapshot,
  to: (index: number, count: number, page: number) => number,
  follow = false,
): ViewState {
  const rows = orderedRows(state, live, state.pane);
  const table = state.tables[state.pane];
  const page = pageOf(state, live);
  const index = cursorIndex(table, rows);
  return withTable(state, state.pane, moveTo(table, rows, to(index, rows.length, page), page, follow));
}

/** The wheel moves the window; the cursor comes along only where it would leave it. */
export function scroll(state: ViewState, name: TableName, by: number, live: Snapshot): ViewState {
  const rows = orderedRows(state, live, name);
  const page = pageOf(state, live, name);
  const table = state.tables[name];
  const top = topFor(table.top + by, -1, page, rows.length);
  const index = Math.min(Math.max(cursorIndex(table, rows), top), top + page - 1);
  return withTable(state, name, moveTo({ ...table, top }, rows, index, page));
}

/**
 * The cursor on its row in every table that is shown, after rows changed. Tables out of sight are not even sorted: they settle when they come
 * into view.
 */
export function settled(state: ViewState, live: Snapshot): ViewState {
  let next = state;
  const { tables } = layoutOf(state, noteOf(state, live) !== '');
  const shown = tables.map(({ table }) => table);
  for (const name of shown.includes(state.pane) ? shown : [...shown, state.pane])
    next = withTable(next, name, settle(next.tables[name], orderedRows(next, live, name), pageOf(next, live, name)));
  return next;
}

/** Rows a table shows at once. */
function pageOf(state: ViewState, live: Snapshot, table: TableName = state.pane): number {
  const placed = layoutOf(state, noteOf(state, live) !== '').tables.find((entry) => entry.table === table);
  return placed === undefined ? 1 : Math.max(1, visibleRows(placed.rect));
}

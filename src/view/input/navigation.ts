// Navigation: cursors and scrolling of the tables, views and panes, sorting, pins and trees. A cursor stays on its row when rows change.

import type { Snapshot } from '../../model/snapshot.ts';
import { layoutOf, panesOf, showsLite, visibleRows } from '../layout.ts';
import { noteOf } from '../panels/header.ts';
import {
  type Details,
  OPEN_MAX,
  PINS_MAX,
  paneOf,
  perTable,
  TABLES,
  type TableName,
  type TableState,
  type ViewName,
  type ViewState,
} from '../state.ts';
import { ascendingFirst, type CellContext, sortKeys } from '../tables/column.ts';
import { columnsInFocus } from '../tables/placement.ts';
import { type AnyRow, branchOf, hasBranches, nextOrder, orderedRows, SPECS } from '../tables/rows.ts';
import { cursorIndex, moveTo, settle, topFor } from '../tables/selection.ts';
import { isMachineLine, machineLine } from '../tree/machines.ts';

/** The state with one of its tables replaced; the same object where nothing changed. */
function withTable(state: ViewState, name: TableName, table: TableState): ViewState {
  return table === state.tables[name] ? state : { ...state, tables: { ...state.tables, [name]: table } };
}

/** The row under the cursor of the focused table; none if it is that of a machine, which stands for many. */
export function selectedRow(state: ViewState, live: Snapshot): AnyRow | undefined {
  const row = selectedLine(state, live);
  return row === undefined || isMachineLine(row) ? undefined : row;
}

function selectedLine(state: ViewState, live: Snapshot): AnyRow | undefined {
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
  for (const name of shownTables(state, live))
    next = withTable(next, name, settle(next.tables[name], orderedRows(next, live, name), pageOf(next, live, name)));
  return next;
}

/** After a tick: the order that each table that is shown holds from now on, and the cursors on their rows in it. */
export function afterTick(state: ViewState, live: Snapshot): ViewState {
  const shown = shownTables(state, live);
  const orders = perTable((name) => (shown.includes(name) ? nextOrder(state, live, name) : null));
  const isSame = TABLES.every((name) => orders[name] === state.orders[name]);
  return settled(isSame ? state : { ...state, orders }, live);
}

/** Tables in sight, and the focused one. */
function shownTables(state: ViewState, live: Snapshot): readonly TableName[] {
  const shown = layoutOf(state, noteOf(state, live) !== '').tables.map(({ table }) => table);
  return shown.includes(state.pane) ? shown : [...shown, state.pane];
}

/** Rows a table shows at once. */
function pageOf(state: ViewState, live: Snapshot, table: TableName = state.pane): number {
  const placed = layoutOf(state, noteOf(state, live) !== '').tables.find((entry) => entry.table === table);
  return placed === undefined ? 1 : Math.max(1, visibleRows(placed.rect));
}

/** Goes to another view; a pane that the overview has too stays focused. */
export function showView(state: ViewState, view: ViewName): ViewState {
  const keepsPane = view === 'overview' && panesOf({ ...state, view }).includes(state.pane);
  const first = view === 'events' && state.hasAlerts ? 'alerts' : paneOf(view);
  return { ...state, view, zoomed: false, pane: keepsPane ? state.pane : first };
}

/** Focuses the next pane, or the previous one. */
export function turnPane(state: ViewState, by: number): ViewState {
  const panes = panesOf(state);
  const at = panes.indexOf(state.pane);
  return { ...state, pane: panes[(at + by + panes.length) % panes.length] ?? state.pane };
}

/** Gives the focused pane the whole screen, or takes it back; most views have only one. */
export function toggleZoom(state: ViewState): ViewState {
  const hasOne = state.view !== 'overview' && state.view !== 'history' && panesOf(state).length === 1;
  if (hasOne) return { ...state, notice: 'this view already fills the screen' };
  return inSight({ ...state, zoomed: !state.zoomed });
}

/** Takes note of whether there are several machines. */
export function withMachines(state: ViewState, { machines = [] }: Snapshot): ViewState {
  const hasMachines = machines.length > 1;
  return hasMachines === state.hasMachines ? state : { ...state, hasMachines };
}

/** Takes note of alerts: whether there are any, and in the events view that the user sees them. */
export function withAlerts(state: ViewState, { alerts }: Snapshot): ViewState {
  const hasAlerts = alerts.length > 0;
  const newest = alerts.at(-1)?.time ?? 0;
  const alertsSeen = state.view === 'events' ? Math.max(state.alertsSeen, newest) : state.alertsSeen;
  if (hasAlerts === state.hasAlerts && alertsSeen === state.alertsSeen) return state;
  return { ...state, hasAlerts, alertsSeen };
}

/** The focus on a pane that is there: a narrower screen has fewer. */
function inSight(state: ViewState): ViewState {
  if (state.view !== 'overview' || state.zoomed || panesOf(state).includes(state.pane)) return state;
  return { ...state, pane: 'apps' };
}

/** The screen in another size. */
export function resized(state: ViewState, columns: number, rows: number): ViewState {
  return inSight({ ...state, size: { columns, rows } });
}

/** Shows the lite screen, or the whole overview again. */
export function toggleLite(state: ViewState): ViewState {
  const lite = !showsLite(state);
  return { ...showView({ ...state, lite }, 'overview'), pane: 'apps' };
}

/** Opens the details of the selected row. */
export function openDetails(state: ViewState, live: Snapshot): ViewState {
  const row = selectedLine(state, live);
  if (row !== undefined && isMachineLine(row)) return isOpen(state, row.id) ? collapse(state, live) : expand(state, live);
  return row === undefined ? state : { ...hold(state, row.id), popup: detailsOf(state.pane, row.id) };
}

function detailsOf(table: TableName, id: string): Details {
  return { kind: 'details', table, id, top: 0, showsPackets: false, page: null };
}

/** Opens the list of themes. */
export function openThemes(state: ViewState): ViewState {
  if (state.themes.length === 0) return { ...state, notice: 'no themes found' };
  return { ...state, popup: { kind: 'themes', index: Math.max(0, state.themes.indexOf(state.theme)), before: state.theme } };
}

/** The popup, scrolled by the wheel. */
export function scrolledPopup(state: ViewState, by: number): ViewState['popup'] {
  const { popup } = state;
  return popup === null || !('top' in popup) ? popup : { ...popup, top: Math.max(0, popup.top + by) };
}

/** Sorts the focused table by the next column that is shown, or the previous one. */
export function turnSort(state: ViewState, by: 1 | -1, live: Snapshot, context: CellContext): ViewState {
  const spec = SPECS[state.pane];
  const keys = sortKeys(spec);
  const shown = sortKeys({ ...spec, columns: columnsInFocus(state, live, context) });
  const { column } = state.tables[state.pane].sort;
  const at = Math.max(0, keys.indexOf(column));
  // From a column that is hidden now, to the next one that is not.
  const next = keys
    .map((_, i) => keys[(at + by * (i + 1) + keys.length) % keys.length] as string)
    .find((key) => shown.includes(key));
  return sortBy(state, next ?? column, live);
}

/** Sorts the focused table by a column; the same column again turns the direction. */
export function sortBy(state: ViewState, column: string, live: Snapshot): ViewState {
  if (sortKeys(SPECS[state.pane]).length === 0) return { ...state, notice: 'these rows are in order of time' };
  const table = state.tables[state.pane];
  const same = table.sort.column === column;
  const descending = same ? !table.sort.descending : !ascendingFirst(SPECS[state.pane], column);
  const sorted = withTable({ ...state, frozen: null }, state.pane, {
    ...table,
    sort: { column, descending },
    sortedAt: state.size.columns,
  });
  return settled(sorted, live);
}

/** Freezes the present order of all tables, or unfreezes it. */
export function toggleFrozen(state: ViewState, live: Snapshot): ViewState {
  const now = () =>
    perTable((name) => orderedRows(state, live, name).flatMap((row) => (branchOf(row) === undefined ? [row.id] : [])));
  return settled({ ...state, frozen: state.frozen === null ? now() : null }, live);
}

/** Pins the selected row on top of its table, or unpins it. */
export function togglePin(state: ViewState, live: Snapshot): ViewState {
  const row = selectedRow(state, live);
  if (row === undefined) return state;
  const top = branchOf(row)?.root ?? row.id;
  const pins = state.pins[state.pane];
  const next = pins.includes(top) ? pins.filter((id) => id !== top) : [...pins, top].slice(-PINS_MAX);
  return settled({ ...state, pins: { ...state.pins, [state.pane]: next } }, live);
}

/** Expands the selected row; if it is expanded, moves the cursor to its first child. */
export function expand(state: ViewState, live: Snapshot): ViewState {
  const row = selectedLine(state, live);
  if (row === undefined || !hasBranches(row, state.pane)) return state;
  if (isOpen(state, row.id)) return move(state, live, (index) => index + 1);
  return settled(withOpen(hold(state, row.id), [...state.open[state.pane], row.id].slice(-OPEN_MAX)), live);
}

/** Collapses the selected row; if it is collapsed, moves the cursor to its parent. */
export function collapse(state: ViewState, live: Snapshot): ViewState {
  const row = selectedLine(state, live);
  if (row === undefined) return state;
  if (isOpen(state, row.id)) {
    const open = state.open[state.pane].filter((id) => id !== row.id);
    return settled(withOpen(hold(state, row.id), open), live);
  }
  const machine = state.byMachine && 'machine' in row ? machineLine(row.machine ?? '', []).id : undefined;
  const parent = branchOf(row)?.parent ?? machine;
  if (parent === undefined) return state;
  const at = orderedRows(state, live, state.pane).findIndex(({ id }) => id === parent);
  return at < 0 ? state : move(state, live, () => at);
}

function isOpen(state: ViewState, id: string): boolean {
  return state.open[state.pane].includes(id);
}

function withOpen(state: ViewState, open: readonly string[]): ViewState {
  return { ...state, open: { ...state.open, [state.pane]: open } };
}

/** A cursor that follows whatever is first would leave the row that the user just opened. */
function hold(state: ViewState, id: string): ViewState {
  const table = state.tables[state.pane];
  return { ...state, tables: { ...state.tables, [state.pane]: { ...table, selected: id } } };
}

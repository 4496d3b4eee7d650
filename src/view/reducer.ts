// The one place where input changes state: action in, new state and effects out. No time, no I/O, nothing is changed in place.

import type { Snapshot } from '../aggregate/snapshot.ts';
import type { Action, Command, Effect } from './action.ts';
import { ascendingFirst, sortKeys } from './column.ts';
import { editFilter, openFilter, withoutFilter } from './filter-input.ts';
import { UNIT_MODES } from './format.ts';
import type { FrameSettings } from './frame.ts';
import { layoutOf, panesOf, visibleRows } from './layout.ts';
import { noteOf } from './panels/header.ts';
import { reducePopup } from './popup-reducer.ts';
import { rowText } from './row-text.ts';
import { orderedRows, SPECS } from './rows.ts';
import { cursorIndex, moveTo, settle, topFor } from './selection.ts';
import { PINS_MAX, paneOf, TABLES, type TableName, type TableState, type ViewName, type ViewState } from './state.ts';

/** What a step of the reducer gives back. */
export interface Step {
  readonly state: ViewState;
  readonly effects: readonly Effect[];
}

const NONE: readonly Effect[] = [];

/** Applies one action. The same state object comes back when nothing changed. */
export function reduce(state: ViewState, action: Action, live: Snapshot, settings: FrameSettings): Step {
  switch (action.type) {
    case 'command': {
      const before = state.notice === '' ? state : { ...state, notice: '' };
      return state.popup === null
        ? command(before, action.command, live, settings)
        : reducePopup(before, action.command, live, settings);
    }
    case 'edit':
      return still(settled(editFilter(state, action.edit, action.text), live));
    case 'snapshot':
      return still(settled(state, live));
    case 'resize':
      return still(settled({ ...state, size: { columns: action.columns, rows: action.rows } }, live));
    case 'select': {
      const index = orderedRows(state, live, action.table).findIndex((row) => row.id === action.id);
      return still(index < 0 ? state : move({ ...state, pane: action.table }, live, () => index));
    }
    case 'sort':
      return still(sortBy({ ...state, pane: action.table }, action.column, live));
    case 'scroll':
      return still(
        state.popup === null
          ? scroll(state, action.table, action.by, live)
          : { ...state, popup: scrolledPopup(state, action.by) },
      );
  }
}

function still(state: ViewState): Step {
  return { state, effects: NONE };
}

function scrolledPopup(state: ViewState, by: number): ViewState['popup'] {
  const { popup } = state;
  return popup === null || popup.kind === 'themes' ? popup : { ...popup, top: Math.max(0, popup.top + by) };
}

function command(state: ViewState, name: Command, live: Snapshot, settings: FrameSettings): Step {
  switch (name) {
    case 'quit':
      return { state, effects: [{ type: 'quit' }] };
    case 'suspend':
      return { state, effects: [{ type: 'suspend' }] };
    case 'redraw':
      return { state, effects: [{ type: 'redraw' }] };
    case 'help':
      return still({ ...state, popup: { kind: 'help', top: 0 } });
    case 'capture':
      return still({ ...state, popup: { kind: 'capture', top: 0 } });
    case 'theme':
      return still(openThemes(state));
    case 'details':
      return still(openDetails(state, live));
    case 'back':
      return still(state.filter.text === '' ? state : settled(withoutFilter(state), live));
    case 'filter':
      return still(openFilter(state));
    case 'up':
      return still(move(state, live, (index) => index - 1));
    case 'down':
      return still(move(state, live, (index) => index + 1));
    case 'first':
      return still(move(state, live, () => 0, true));
    case 'last':
      return still(move(state, live, (_, count) => count - 1));
    case 'page-up':
      return still(move(state, live, (index, _, page) => index - page));
    case 'page-down':
      return still(move(state, live, (index, _, page) => index + page));
    case 'next-pane':
      return still(turnPane(state, 1));
    case 'previous-pane':
      return still(turnPane(state, -1));
    case 'overview':
    case 'apps':
    case 'connections':
    case 'hosts':
    case 'categories':
    case 'interfaces':
      return still(settled(showView(state, name), live));
    case 'sort-next':
      return still(turnSort(state, 1, live));
    case 'sort-previous':
      return still(turnSort(state, -1, live));
    case 'sort-direction':
      return still(sortBy(state, state.tables[state.pane].sort.column, live));
    case 'pause':
      return still(settled({ ...state, paused: state.paused === null ? live : null }, live));
    case 'freeze':
      return still(settled({ ...state, frozen: state.frozen === null ? frozenNow(state, live) : null }, live));
    case 'pin':
      return still(togglePin(state, live));
    case 'closed':
      return still(
        settled(
          { ...state, closed: !state.closed, notice: state.closed ? 'closed connections hidden' : 'closed connections shown' },
          live,
        ),
      );
    case 'count-from-now':
      return still(settled({ ...state, since: state.since === null ? (state.paused ?? live) : null }, live));
    case 'names':
      return still({ ...state, names: !state.names, notice: state.names ? 'addresses' : 'names' });
    case 'services':
      return still({ ...state, services: !state.services, notice: state.services ? 'port numbers' : 'service names' });
    case 'units': {
      const units = UNIT_MODES[(UNIT_MODES.indexOf(state.units) + 1) % UNIT_MODES.length] ?? 'bytes';
      return still({ ...state, units, notice: `units: ${units}` });
    }
    case 'privacy':
      return still({ ...state, privacy: !state.privacy });
    case 'copy': {
      const text = rowText(state, live, settings.glyphs);
      return text === null ? still(state) : { state: { ...state, notice: 'row copied' }, effects: [{ type: 'copy', text }] };
    }
  }
}

/** Rows the focused table shows at once. */
function pageOf(state: ViewState, live: Snapshot, table: TableName = state.pane): number {
  const placed = layoutOf(state, noteOf(state, live) !== '').tables.find((entry) => entry.table === table);
  return placed === undefined ? 1 : Math.max(1, visibleRows(placed.rect));
}

function withTable(state: ViewState, name: TableName, table: TableState): ViewState {
  return table === state.tables[name] ? state : { ...state, tables: { ...state.tables, [name]: table } };
}

function move(
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
function scroll(state: ViewState, name: TableName, by: number, live: Snapshot): ViewState {
  const rows = orderedRows(state, live, name);
  const page = pageOf(state, live, name);
  const table = state.tables[name];
  const top = topFor(table.top + by, -1, page, rows.length);
  const index = Math.min(Math.max(cursorIndex(table, rows), top), top + page - 1);
  return withTable(state, name, moveTo({ ...table, top }, rows, index, page));
}

/** Every table's cursor on its row, after rows changed. */
function settled(state: ViewState, live: Snapshot): ViewState {
  let next = state;
  for (const name of TABLES)
    next = withTable(next, name, settle(next.tables[name], orderedRows(next, live, name), pageOf(next, live, name)));
  return next;
}

function turnPane(state: ViewState, by: number): ViewState {
  const panes = panesOf(state);
  const at = panes.indexOf(state.pane);
  return { ...state, pane: panes[(at + by + panes.length) % panes.length] ?? state.pane };
}

function showView(state: ViewState, view: ViewName): ViewState {
  return {
    ...state,
    view,
    pane: view === 'overview' && panesOf({ ...state, view }).includes(state.pane) ? state.pane : paneOf(view),
  };
}

function turnSort(state: ViewState, by: number, live: Snapshot): ViewState {
  const keys = sortKeys(SPECS[state.pane]);
  const at = keys.indexOf(state.tables[state.pane].sort.column);
  return sortBy(state, keys[(at + by + keys.length) % keys.length] ?? 'rate', live);
}

/** Sorts by a column; the same column again turns the direction. */
function sortBy(state: ViewState, column: string, live: Snapshot): ViewState {
  const table = state.tables[state.pane];
  const same = table.sort.column === column;
  const descending = same ? !table.sort.descending : !ascendingFirst(SPECS[state.pane], column);
  const sorted = withTable({ ...state, frozen: null }, state.pane, { ...table, sort: { column, descending } });
  return settled(sorted, live);
}

function frozenNow(state: ViewState, live: Snapshot): Record<TableName, readonly string[]> {
  const ids = (name: TableName) => orderedRows(state, live, name).map((row) => row.id);
  return {
    apps: ids('apps'),
    connections: ids('connections'),
    hosts: ids('hosts'),
    categories: ids('categories'),
    interfaces: ids('interfaces'),
  };
}

function togglePin(state: ViewState, live: Snapshot): ViewState {
  const rows = orderedRows(state, live, state.pane);
  const row = rows[cursorIndex(state.tables[state.pane], rows)];
  if (row === undefined) return state;
  const pins = state.pins[state.pane];
  const next = pins.includes(row.id) ? pins.filter((id) => id !== row.id) : [...pins, row.id].slice(-PINS_MAX);
  return settled({ ...state, pins: { ...state.pins, [state.pane]: next } }, live);
}

function openDetails(state: ViewState, live: Snapshot): ViewState {
  const rows = orderedRows(state, live, state.pane);
  const row = rows[cursorIndex(state.tables[state.pane], rows)];
  return row === undefined ? state : { ...state, popup: { kind: 'details', table: state.pane, id: row.id, top: 0 } };
}

function openThemes(state: ViewState): ViewState {
  if (state.themes.length === 0) return { ...state, notice: 'no themes found' };
  return { ...state, popup: { kind: 'themes', index: Math.max(0, state.themes.indexOf(state.theme)), before: state.theme } };
}

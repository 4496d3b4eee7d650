// The order of rows as the user has it: sort column and direction, an order that is held, rows pinned on top.

import type { Snapshot } from '../aggregate/snapshot.ts';
import { ascendingFirst, sortKeys } from './column.ts';
import { chosenRow, settled, withTable } from './movement.ts';
import { branchOf, orderedRows, SPECS } from './rows.ts';
import { PINS_MAX, perTable, type ViewState } from './state.ts';

/** Sorts the focused table by the next column, or the previous one. */
export function turnSort(state: ViewState, by: number, live: Snapshot): ViewState {
  const keys = sortKeys(SPECS[state.pane]);
  if (keys.length === 0) return { ...state, notice: 'these rows stand in the order of time' };
  const at = keys.indexOf(state.tables[state.pane].sort.column);
  return sortBy(state, keys[(at + by + keys.length) % keys.length] ?? 'rate', live);
}

/** Sorts the focused table by a column; the same column again turns the direction. */
export function sortBy(state: ViewState, column: string, live: Snapshot): ViewState {
  if (sortKeys(SPECS[state.pane]).length === 0) return { ...state, notice: 'these rows stand in the order of time' };
  const table = state.tables[state.pane];
  const same = table.sort.column === column;
  const descending = same ? !table.sort.descending : !ascendingFirst(SPECS[state.pane], column);
  const sorted = withTable({ ...state, frozen: null }, state.pane, { ...table, sort: { column, descending } });
  return settled(sorted, live);
}

/** Holds the order of all tables as it is, or lets go of it. */
export function toggleFrozen(state: ViewState, live: Snapshot): ViewState {
  const now = () =>
    perTable((name) => orderedRows(state, live, name).flatMap((row) => (branchOf(row) === undefined ? [row.id] : [])));
  return settled({ ...state, frozen: state.frozen === null ? now() : null }, live);
}

/** Pins the chosen row on top of its table, or lets go of it. */
export function togglePin(state: ViewState, live: Snapshot): ViewState {
  const row = chosenRow(state, live);
  if (row === undefined) return state;
  const top = branchOf(row)?.root ?? row.id;
  const pins = state.pins[state.pane];
  const next = pins.includes(top) ? pins.filter((id) => id !== top) : [...pins, top].slice(-PINS_MAX);
  return settled({ ...state, pins: { ...state.pins, [state.pane]: next } }, live);
}

// Rows of a tree opened and closed, the cursor going along.

import type { Snapshot } from '../aggregate/snapshot.ts';
import { chosenRow, move, settled } from './movement.ts';
import { branchOf, hasBranches, orderedRows } from './rows.ts';
import { OPEN_MAX, type ViewState } from './state.ts';

/** Opens the chosen row; one that is open hands the cursor to the first row under it. */
export function expand(state: ViewState, live: Snapshot): ViewState {
  const row = chosenRow(state, live);
  if (row === undefined || !hasBranches(row, state.pane)) return state;
  if (isOpen(state, row.id)) return move(state, live, (index) => index + 1);
  return settled(withOpen(hold(state, row.id), [...state.open[state.pane], row.id].slice(-OPEN_MAX)), live);
}

/** Closes the chosen row; one that is closed hands the cursor to the row it hangs under. */
export function collapse(state: ViewState, live: Snapshot): ViewState {
  const row = chosenRow(state, live);
  if (row === undefined) return state;
  if (isOpen(state, row.id)) {
    const open = state.open[state.pane].filter((id) => id !== row.id);
    return settled(withOpen(hold(state, row.id), open), live);
  }
  const parent = branchOf(row)?.parent;
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

/** A cursor that follows whatever is first would leave the row that was just opened. */
function hold(state: ViewState, id: string): ViewState {
  const table = state.tables[state.pane];
  return { ...state, tables: { ...state.tables, [state.pane]: { ...table, selected: id } } };
}

// Where the user is: view, pane, and the popup that was opened.

import type { Snapshot } from '../aggregate/snapshot.ts';
import { panesOf } from './layout.ts';
import { chosenRow } from './movement.ts';
import { paneOf, type ViewName, type ViewState } from './state.ts';

/** Goes to another view; a pane that the overview has too stays focused. */
export function showView(state: ViewState, view: ViewName): ViewState {
  const keepsPane = view === 'overview' && panesOf({ ...state, view }).includes(state.pane);
  return { ...state, view, zoomed: false, pane: keepsPane ? state.pane : paneOf(view) };
}

/** Focuses the next pane, or the previous one. */
export function turnPane(state: ViewState, by: number): ViewState {
  const panes = panesOf(state);
  const at = panes.indexOf(state.pane);
  return { ...state, pane: panes[(at + by + panes.length) % panes.length] ?? state.pane };
}

/** Gives the focused pane the whole screen, or takes it back; all views but the overview and history have only one. */
export function toggleZoom(state: ViewState): ViewState {
  if (state.view !== 'overview' && state.view !== 'history')
    return { ...state, notice: 'this view has the whole screen already' };
  return { ...state, zoomed: !state.zoomed };
}

/** Opens all that is known about the chosen row. */
export function openDetails(state: ViewState, live: Snapshot): ViewState {
  const row = chosenRow(state, live);
  return row === undefined ? state : { ...state, popup: { kind: 'details', table: state.pane, id: row.id, top: 0 } };
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

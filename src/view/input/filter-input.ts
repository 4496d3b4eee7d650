// The filter input: a one-line editor whose text is applied as it is typed. What is only half typed shows no error and empties no screen: the
// last filter stays in force until Enter, or until typing pauses.

import { isHalfName } from '../../filter/completions.ts';
import { compileFilter, type Filter, type FilterResult } from '../../filter/filter.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Edit } from '../action.ts';
import { pictureOf } from '../derive.ts';
import { nextOffer, recalledFilter, withRecent } from '../panels/filter-help.ts';
import type { ViewState } from '../state.ts';
import { topRows } from '../tables/rows.ts';

/** Longest filter text. */
const LONGEST = 512;

/** How long typing pauses before the text counts as finished, ms. */
export const PAUSE_MS = 800;

/** No filter. */
const NOTHING = { text: '', applied: '', filter: null, problem: null } as const;

/** Opens the input with the text of the filter in force. */
export function openFilter(state: ViewState): ViewState {
  const text = state.filter.applied;
  return { ...state, filter: { ...state.filter, text, problem: null, cursor: text.length, recalled: null, offer: null } };
}

/** No filter, input closed. */
export function withoutFilter(state: ViewState): ViewState {
  return { ...state, filter: { ...state.filter, ...NOTHING, cursor: null } };
}

/** The state with this filter in force, for one that came from the command line; a wrong one is shown as typed, with its error. */
export function withFilter(state: ViewState, text: string): ViewState {
  const next = finished(state, text.slice(0, LONGEST), 0);
  return next.filter.problem === null ? { ...next, filter: { ...next.filter, cursor: null } } : next;
}

/** Applies one editing key. */
export function editFilter(before: ViewState, edit: Edit, inserted: string, live: Snapshot): ViewState {
  if (before.filter.cursor === null) return before;
  if (edit === 'complete') return completed(before, live);
  const state = before.filter.offer === null ? before : { ...before, filter: { ...before.filter, offer: null } };
  if (edit === 'older' || edit === 'newer') return recalled(state, edit === 'older' ? -1 : 1);
  return edited(state, edit, inserted, live);
}

/** True while the input holds what is not applied, and nothing says why. */
export function isTyping({ filter }: ViewState): boolean {
  return filter.cursor !== null && filter.problem === null && filter.text.trim() !== filter.applied.trim();
}

/**
 * Takes what was typed as finished, but for a word that may become a field, as a search for it would find nothing, and for a field whose value is
 * still to come.
 */
export function pausedTyping(state: ViewState, live: Snapshot): ViewState {
  const { text, cursor } = state.filter;
  if (cursor === null || !isTyping(state)) return state;
  const next = finished(state, text, cursor);
  if (next.filter.problem !== null && /[:=<>~]\s*$/.test(text.slice(0, cursor))) return state;
  return isHalfName(text, cursor) && state.view !== 'history' && !hasRows(next, live) ? state : next;
}

function edited(
  state: ViewState,
  edit: Exclude<Edit, 'complete' | 'older' | 'newer'>,
  inserted: string,
  live: Snapshot,
): ViewState {
  const { text } = state.filter;
  const cursor = state.filter.cursor ?? 0;
  const before = text.slice(0, cursor);
  const after = text.slice(cursor);
  const at = (position: number): ViewState => ({ ...state, filter: { ...state.filter, cursor: position } });
  switch (edit) {
    case 'cancel':
      return withoutFilter(state);
    case 'accept':
      return accepted(
        state.filter.problem === null ? finished(state, text, cursor) : { ...state, filter: { ...state.filter, problem: null } },
      );
    case 'left':
      return at(Math.max(0, cursor - 1));
    case 'right':
      return at(Math.min(text.length, cursor + 1));
    case 'home':
      return at(0);
    case 'end':
      return at(text.length);
    case 'insert':
      return text.length + inserted.length > LONGEST
        ? state
        : typed(state, before + inserted + after, cursor + inserted.length, live);
    case 'backspace':
      return cursor === 0 ? state : typed(state, before.slice(0, -1) + after, cursor - 1, live);
    case 'delete':
      return typed(state, before + after.slice(1), cursor, live);
    case 'clear':
      return typed(state, after, 0, live);
    case 'word': {
      const kept = before.replace(/\S+\s*$/, '');
      return typed(state, kept + after, kept.length, live);
    }
  }
}

/** Closes the input with the filter in force; one that is wrong stays, with its error, and the next Enter drops it. */
function accepted(state: ViewState): ViewState {
  const { applied, problem, recent } = state.filter;
  if (problem !== null) return state;
  const kept = { text: applied, cursor: null, recent: withRecent(recent, applied), recalled: null };
  return { ...state, filter: { ...state.filter, ...kept } };
}

/** Recalls a recent filter, or what the user had typed. */
function recalled(state: ViewState, by: -1 | 1): ViewState {
  const found = recalledFilter(state.filter, by);
  if (found === null) return state;
  const next = finished(state, found.text, found.text.length);
  return { ...next, filter: { ...next.filter, recalled: found.recalled, typed: found.typed } };
}

/** The next of what could stand at the cursor. */
function completed(state: ViewState, live: Snapshot): ViewState {
  const next = nextOffer(state.filter, state.paused ?? live);
  if (next === null || next.text.length > LONGEST) return state;
  const done = typed(state, next.text, next.cursor, live);
  return { ...done, filter: { ...done.filter, offer: next.offer } };
}

/** The text while it is being typed: applied unless it is half a filter, or would leave nothing on the screen. */
function typed(state: ViewState, text: string, cursor: number, live: Snapshot): ViewState {
  const next = { ...state, filter: { ...state.filter, text, cursor, recalled: null, problem: null } };
  if (text.trim() === '') return { ...next, filter: { ...next.filter, ...NOTHING, text } };
  if (isHalfName(text, cursor)) return next;
  const { applied, result } = compiled(text);
  return !result.ok || empties(next, result.filter, live)
    ? next
    : { ...next, filter: { ...next.filter, applied, filter: result.filter } };
}

/** Compiles a text that is being typed; brackets that are still open are closed. */
function compiled(text: string): { readonly applied: string; readonly result: FilterResult } {
  const result = compileFilter(text);
  const open = text.split('(').length - text.split(')').length;
  if (result.ok || open <= 0) return { applied: text, result };
  const applied = text.trimEnd() + ')'.repeat(open);
  return { applied, result: compileFilter(applied) };
}

/** True if the focused table has rows now, and would have none. Recorded history isn't here to be asked. */
function empties(state: ViewState, filter: Filter | null, live: Snapshot): boolean {
  if (state.view === 'history') return false;
  return hasRows(state, live) && !hasRows({ ...state, filter: { ...state.filter, filter } }, live);
}

function hasRows(state: ViewState, live: Snapshot): boolean {
  return topRows(pictureOf(state, live), state.pane).length > 0;
}

/** The text as it stands: in force, or with its error while the last valid filter stays. */
function finished(state: ViewState, text: string, cursor: number): ViewState {
  const next = { ...state.filter, text, cursor, recalled: null };
  if (text.trim() === '') return { ...state, filter: { ...next, ...NOTHING, text } };
  const result = compileFilter(text);
  if (!result.ok) return { ...state, filter: { ...next, problem: { message: result.message, column: result.column } } };
  return { ...state, filter: { ...next, applied: text, filter: result.filter, problem: null } };
}

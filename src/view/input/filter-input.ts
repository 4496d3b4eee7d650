// The filter input: a one-line editor that compiles its text at each key. While it is invalid, the last valid filter stays in force.

import { compileFilter } from '../../filter/filter.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Edit } from '../action.ts';
import { nextOffer, recalledFilter, withRecent } from '../panels/filter-help.ts';
import type { ViewState } from '../state.ts';

/** Longest filter text. */
const LONGEST = 512;

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
  const next = typed(state, text.slice(0, LONGEST), 0);
  return next.filter.problem === null ? { ...next, filter: { ...next.filter, cursor: null } } : next;
}

/** Applies one editing key. */
export function editFilter(before: ViewState, edit: Edit, inserted: string, live: Snapshot): ViewState {
  if (before.filter.cursor === null) return before;
  if (edit === 'complete') return completed(before, live);
  const state = before.filter.offer === null ? before : { ...before, filter: { ...before.filter, offer: null } };
  if (edit === 'older' || edit === 'newer') return recalled(state, edit === 'older' ? -1 : 1);
  return edited(state, edit, inserted);
}

function edited(state: ViewState, edit: Exclude<Edit, 'complete' | 'older' | 'newer'>, inserted: string): ViewState {
  const { text } = state.filter;
  const cursor = state.filter.cursor ?? 0;
  const before = text.slice(0, cursor);
  const after = text.slice(cursor);
  const at = (position: number): ViewState => ({ ...state, filter: { ...state.filter, cursor: position } });
  switch (edit) {
    case 'cancel':
      return withoutFilter(state);
    case 'accept':
      return {
        ...state,
        filter: {
          ...state.filter,
          text: state.filter.applied,
          problem: null,
          cursor: null,
          recent: withRecent(state.filter.recent, state.filter.applied),
          recalled: null,
        },
      };
    case 'left':
      return at(Math.max(0, cursor - 1));
    case 'right':
      return at(Math.min(text.length, cursor + 1));
    case 'home':
      return at(0);
    case 'end':
      return at(text.length);
    case 'insert':
      return text.length + inserted.length > LONGEST ? state : typed(state, before + inserted + after, cursor + inserted.length);
    case 'backspace':
      return cursor === 0 ? state : typed(state, before.slice(0, -1) + after, cursor - 1);
    case 'delete':
      return typed(state, before + after.slice(1), cursor);
    case 'clear':
      return typed(state, after, 0);
    case 'word': {
      const kept = before.replace(/\S+\s*$/, '');
      return typed(state, kept + after, kept.length);
    }
  }
}

/** Recalls a recent filter, or what the user had typed. */
function recalled(state: ViewState, by: -1 | 1): ViewState {
  const found = recalledFilter(state.filter, by);
  if (found === null) return state;
  const next = typed(state, found.text, found.text.length);
  return { ...next, filter: { ...next.filter, recalled: found.recalled, typed: found.typed } };
}

/** The next of what could stand at the cursor. */
function completed(state: ViewState, live: Snapshot): ViewState {
  const next = nextOffer(state.filter, live);
  if (next === null || next.text.length > LONGEST) return state;
  const done = typed(state, next.text, next.cursor);
  return { ...done, filter: { ...done.filter, offer: next.offer } };
}

function typed(state: ViewState, text: string, cursor: number): ViewState {
  const kept = { ...state.filter, text, cursor, recalled: null };
  if (text.trim() === '') return { ...state, filter: { ...kept, ...NOTHING, text } };
  const result = compileFilter(text);
  if (!result.ok) return { ...state, filter: { ...kept, problem: { message: result.message, column: result.column } } };
  return { ...state, filter: { ...kept, applied: text, filter: result.filter, problem: null } };
}

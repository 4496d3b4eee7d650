// The filter as it is typed: a one-line editor whose text is compiled at each key; a wrong text leaves the last right one in force.

import { compileFilter } from '../filter/filter.ts';
import type { Edit } from './action.ts';
import type { ViewState } from './state.ts';

/** Longest filter text. */
const LONGEST = 512;

/** Opens the input with the text of the filter in force. */
export function openFilter(state: ViewState): ViewState {
  const text = state.filter.applied;
  return { ...state, filter: { ...state.filter, text, problem: null, cursor: text.length } };
}

/** No filter, input closed. */
export function withoutFilter(state: ViewState): ViewState {
  return { ...state, filter: { text: '', applied: '', filter: null, problem: null, cursor: null } };
}

/** The state with this filter in force, for one that came from the command line; a wrong one is shown as typed, with its error. */
export function withFilter(state: ViewState, text: string): ViewState {
  const next = typed(state, text.slice(0, LONGEST), 0);
  return next.filter.problem === null ? { ...next, filter: { ...next.filter, cursor: null } } : next;
}

/** Applies one editing key. */
export function editFilter(state: ViewState, edit: Edit, inserted: string): ViewState {
  const { text, cursor } = state.filter;
  if (cursor === null) return state;
  const before = text.slice(0, cursor);
  const after = text.slice(cursor);
  const at = (position: number): ViewState => ({ ...state, filter: { ...state.filter, cursor: position } });
  switch (edit) {
    case 'cancel':
      return withoutFilter(state);
    case 'accept':
      return { ...state, filter: { ...state.filter, text: state.filter.applied, problem: null, cursor: null } };
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

function typed(state: ViewState, text: string, cursor: number): ViewState {
  if (text.trim() === '') return { ...state, filter: { text, applied: '', filter: null, problem: null, cursor } };
  const result = compileFilter(text);
  if (!result.ok)
    return { ...state, filter: { ...state.filter, text, problem: { message: result.message, column: result.column }, cursor } };
  return { ...state, filter: { text, applied: text, filter: result.filter, problem: null, cursor } };
}

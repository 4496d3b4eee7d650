// The filter language: text in, a predicate over flows out, or a message with its column. This folder knows no flow table, no records and no
// screen: whatever can be filtered comes as a FilterSubject.

import { compileExpression, type Predicate } from './compile.ts';
import type { FilterSubject } from './fields.ts';
import { fieldOf, wordOf } from './fields.ts';
import { parseFilter } from './parser.ts';
import { type Expression, FilterSyntaxError } from './syntax.ts';

/** Hint after an invalid filter. */
export const FILTER_HINT = "type for example: --filter 'app:curl port:443' (all of it: netmon-tui --help)";

/** A compiled filter. It holds no state but cached answers, and may be kept for as long as wanted. */
export interface Filter {
  /** As it was typed. */
  readonly text: string;
  /** Names of the fields that it asks for, each once. A word that stands for no field has its own name; a search is `text`. */
  readonly fields: readonly string[];
  /** True for the empty filter, which matches all. */
  readonly matchesAll: boolean;
  /** True if the answer about a flow may change although the flow didn't: it depends on time, on rates, or on what is learnt of an app. */
  readonly isVolatile: boolean;
  /** True if it can match only flows of interfaces that it names: `iface:docker0`. */
  readonly namesInterface: boolean;
  /** True if it asks for what is new: it needs to know which apps and domains were met before. */
  readonly asksNew: boolean;
  /** True if it asks for closed flows, which are otherwise not shown: `closed`, `state:reset`. */
  readonly asksClosed: boolean;
  /**
   * Whether a flow passes.
   *
   * @param now - epoch milliseconds that `age` and `idle` count from; without it they are unknown.
   */
  matches(subject: FilterSubject, now?: number): boolean;
}

/** A filter, or why it is invalid: `message` for the user, `column` in UTF-16 units from 0. */
export type FilterResult =
  | { readonly ok: true; readonly filter: Filter }
  | { readonly ok: false; readonly message: string; readonly column: number };

/** Compiles a filter. Never throws, whatever the text. */
export function compileFilter(text: string): FilterResult {
  try {
    const expression = parseFilter(text);
    const matches: Predicate = compileExpression(expression);
    return {
      ok: true,
      filter: {
        text,
        fields: [...new Set(fieldsOf(expression))],
        matchesAll: expression.kind === 'every',
        isVolatile: someAtom(expression, isVolatile),
        namesInterface: namesInterface(expression),
        asksNew: someAtom(expression, isNewWord),
        asksClosed: someAtom(expression, isClosed),
        matches: (subject, now) => matches(subject, now),
      },
    };
  } catch (error) {
    if (error instanceof FilterSyntaxError) return { ok: false, message: error.message, column: error.column };
    throw error;
  }
}

const VOLATILE = new Set(['age', 'idle', 'rate', 'rxrate', 'txrate', 'exe', 'user']);

function fieldsOf(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'every':
      return [];
    case 'or':
    case 'and':
      return expression.terms.flatMap(fieldsOf);
    case 'not':
      return fieldsOf(expression.term);
    case 'compare':
      return [fieldOf(expression.field)?.name ?? expression.field];
    case 'word': {
      const word = wordOf(expression.text);
      return [word === undefined ? 'text' : (word.field ?? word.name)];
    }
    case 'search':
      return ['text'];
  }
}

/** True if any comparison, word or search of an expression passes the test. */
function someAtom(expression: Expression, test: (atom: Expression) => boolean): boolean {
  switch (expression.kind) {
    case 'or':
    case 'and':
      return expression.terms.some((term) => someAtom(term, test));
    case 'not':
      return someAtom(expression.term, test);
    default:
      return test(expression);
  }
}

function isVolatile(atom: Expression): boolean {
  return isNewWord(atom) || (atom.kind === 'compare' && VOLATILE.has(fieldOf(atom.field)?.name ?? ''));
}

function isNewWord(atom: Expression): boolean {
  return atom.kind === 'word' && wordOf(atom.text)?.name === 'new';
}

function isClosed(atom: Expression): boolean {
  if (atom.kind === 'word') return wordOf(atom.text)?.name === 'closed';
  const isState = atom.kind === 'compare' && fieldOf(atom.field)?.name === 'state' && /^[:=]$/.test(atom.operator);
  return isState && /^(closed|reset)$/i.test(atom.value.text);
}

function namesInterface(expression: Expression): boolean {
  switch (expression.kind) {
    case 'or':
      return expression.terms.every(namesInterface);
    case 'and':
      return expression.terms.some(namesInterface);
    case 'compare':
      return fieldOf(expression.field)?.name === 'iface' && expression.operator !== '!=';
    default:
      return false;
  }
}

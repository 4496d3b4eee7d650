// Completions for a filter: names of fields, words with a meaning, and values of fields that have few.

import { beginsName, FIELDS, fieldOf, WORDS } from './fields.ts';

/** Texts that could replace the input from `from` to `to`, UTF-16 units. */
export interface Completions {
  readonly from: number;
  readonly to: number;
  readonly items: readonly Completion[];
}

/** One offer and what it means. */
export interface Completion {
  readonly text: string;
  readonly help: string;
}

/** A word, or a field with what there is of its value. */
const AT_CURSOR = /(?:^|[\s(])[!-]*([a-z][a-z0-9_-]*|)((?::|!=|=)("[^"]*|[^\s()"]*))?$/i;

/** True if the word that ends at the cursor may become the name of a field, a word with a meaning, `and`, `or` or `not`. */
export function isHalfName(text: string, cursor: number): boolean {
  const [, word = '', rest] = AT_CURSOR.exec(text.slice(0, cursor)) ?? [];
  return word !== '' && rest === undefined && /^(?:$|[\s)])/.test(text.slice(cursor)) && beginsName(word);
}

/**
 * Offers for the word that ends at the cursor; empty if nothing fits.
 *
 * @param known values of a field that occur at the moment, as a user types them
 */
export function completions(text: string, cursor: number, known: (field: string) => readonly string[] = () => []): Completions {
  const to = Math.max(0, Math.min(cursor, text.length));
  const typed = AT_CURSOR.exec(text.slice(0, to));
  if (typed === null) return { from: to, to, items: [] };
  const name = (typed[1] as string).toLowerCase();
  if (typed[2] === undefined) {
    const items = FIELDS.filter((field) => field.name.startsWith(name)).map((field) => ({
      text: `${field.name}:`,
      help: field.help,
    }));
    return { from: to - name.length, to, items: [...items, ...wordsFor(name)] };
  }
  const begun = (typed[3] as string).toLowerCase();
  const field = fieldOf(name);
  const few = field?.kind === 'text' ? (field.values ?? field.usual ?? []) : [];
  const values = [...new Set([...few, ...(field === undefined ? [] : known(field.name))])];
  const bare = begun.replace(/^"/, '');
  const items = values
    .filter((value) => value.toLowerCase().replace(/^"/, '').startsWith(bare))
    .map((value) => ({ text: value, help: field?.help ?? '' }));
  return { from: to - begun.length, to, items };
}

/** Words that begin like this. One that is typed in full is offered as text first: it may have been meant as a search. */
function wordsFor(typed: string): readonly Completion[] {
  return WORDS.filter(({ name }) => name.startsWith(typed)).flatMap(({ name, help }) => {
    const word = { text: name, help };
    if (typed === '') return [word];
    const quoted = { text: `"${name}"`, help: `the text ${name}` };
    return name === typed ? [quoted, word] : [word, quoted];
  });
}

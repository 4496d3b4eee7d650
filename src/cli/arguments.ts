// The words of the command line, made unambiguous before yargs sees them: every flag by its long name, every value behind a `=`.
// Mistyped flags and missing values are refused here, where the word that was typed is still at hand.

import { NetmonError } from '../errors.ts';
import type { Flag } from './flag.ts';
import { FLAGS } from './flags.ts';
import { nearest } from './nearest.ts';
import { quoted } from './quote.ts';

const LONG = new Map(FLAGS.map((flag) => [flag.name, flag]));
const SHORT = new Map(FLAGS.flatMap((flag) => (flag.short === null ? [] : [[flag.short, flag]])) as [string, Flag][]);
const WORD_LIMIT = 1000;

/**
 * Rewrites words into the one form that yargs reads without guessing: `--name=true` or `--name="value"`.
 *
 * yargs would take `--read -` for a flag without a value, split `-ieth0` into letters, refuse `--filter -app:x`, and strip the quotes
 * of `--filter='"two words"'`: it strips one pair at the most, so each value gets one pair of its own. Words after `--` are left alone.
 *
 * @throws NetmonError `usage`
 */
export function normaliseArguments(words: readonly string[]): string[] {
  if (words.length > WORD_LIMIT) throw usage(`more than ${WORD_LIMIT} arguments`);
  const out: string[] = [];
  const comments: string[] = []; // SQL may begin with one: two dashes and a space are no flag
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === '--') return [...out, '--', ...comments, ...words.slice(i + 1)];
    if (/^--\s/.test(word)) comments.push(word);
    else if (word === '-' || !word.startsWith('-')) out.push(word);
    else if (word.startsWith('--')) i += long(word, words[i + 1], out);
    else i += short(word, words[i + 1], out);
  }
  return comments.length === 0 ? out : [...out, '--', ...comments];
}

/** @returns how many of the words after this one were used */
function long(word: string, next: string | undefined, out: string[]): 0 | 1 {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const flag = LONG.get(name);
  if (flag === undefined) throw unknown(`--${name}`);
  if (flag.value === null) {
    if (equals >= 0) throw usage(`--${name} takes no value`);
    out.push(`--${name}=true`);
    return 0;
  }
  const takesNext = equals < 0 && !flag.optional;
  const value = takesNext ? following(flag, word, next) : equals < 0 ? '' : word.slice(equals + 1);
  out.push(`--${name}="${value}"`);
  return takesNext ? 1 : 0;
}

/** Letters behind one dash: simple flags in a row, the last of which may take the rest (`-ieth0`, `-i=eth0`) or the next word. */
function short(word: string, next: string | undefined, out: string[]): 0 | 1 {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at] as string;
    const flag = SHORT.get(letter);
    if (flag === undefined) throw unknown(word.length === 2 || at > 1 ? `-${letter}` : word);
    if (flag.value === null) {
      out.push(`--${flag.name}=true`);
      continue;
    }
    const rest = word.slice(at + 1);
    const value = rest === '' ? following(flag, `-${letter}`, next) : rest.replace(/^=/, '');
    out.push(`--${flag.name}="${value}"`);
    return rest === '' ? 1 : 0;
  }
  return 0;
}

function following(flag: Flag, typed: string, next: string | undefined): string {
  if (next === undefined || isFlag(next)) throw usage(`${typed} needs a value`, `type: ${typed} ${flag.value}`);
  return next;
}

/** True for a flag exactly as listed. Other words that begin with a dash may be values: a filter may begin with one. */
function isFlag(word: string): boolean {
  return word.startsWith('--') ? LONG.has(word.slice(2)) : word.startsWith('-') && SHORT.has(word.slice(1));
}

function unknown(typed: string): NetmonError {
  const near = typed.startsWith('--')
    ? nearest(
        typed.slice(2),
        FLAGS.flatMap((flag) => (flag.help === null ? [] : [flag.name])),
      )
    : null;
  const oneDash = typed.length > 2 && !typed.startsWith('--') && LONG.has(typed.slice(1));
  const meant = oneDash ? `-${typed}` : near === null ? null : `--${near}`;
  return usage(`unknown option ${quoted(typed)}`, meant === null ? undefined : `did you mean ${meant}?`);
}

function usage(message: string, hint = 'type: netmon-tui --help'): NetmonError {
  return new NetmonError('usage', message, hint);
}

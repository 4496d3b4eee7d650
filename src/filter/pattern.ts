// Regular expressions in filters, without regard to case. re2js matches any pattern in linear time, but would compile patterns that take seconds
// and hundreds of megabytes; those are refused here.

import { createRequire } from 'node:module';
import type * as Re2 from 're2js';

/** Longest program, roughly in instructions: characters of the pattern times the repeats around them. */
const MAX_STEPS = 1000;
const MAX_REPEATS = 100;
/** Ranges in classes that may reach beyond ASCII. re2js folds their case character by character, several milliseconds each. */
const MAX_WIDE_RANGES = 4;
/** Longest part of a text that is searched. */
const LONGEST_TEXT = 256;
/** Memory for the states that re2js remembers per pattern, in bytes by its own reckoning. */
const STATE_MEMORY = 1 << 20;

/** Whether a text holds a match anywhere. */
export type TextMatcher = (text: string) => boolean;

/** Why a pattern is refused, and where. Never leaves this folder. */
export class PatternError extends Error {
  readonly column: number;

  constructor(message: string, column: number) {
    super(message);
    this.column = column;
  }
}

/**
 * Compiles a regular expression in RE2's syntax.
 *
 * @throws PatternError if it is invalid, needs backtracking, or is too large
 */
export function compilePattern(source: string): TextMatcher {
  refuseLarge(source);
  const { RE2JS, RE2JSSyntaxException, RE2Set } = loadPatterns();
  const flags = RE2JS.CASE_INSENSITIVE | RE2JS.DOTALL | RE2JS.DISABLE_UNICODE_GROUPS;
  // A set of one: only sets take a bound for their memory.
  const set = new RE2Set(RE2Set.UNANCHORED, flags, STATE_MEMORY);
  try {
    set.add(source);
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) throw refusal(source, error);
    throw error;
  }
  set.compile();
  return (text) => set.match(text.slice(0, LONGEST_TEXT)).length > 0;
}

/** Estimates the program from above without parsing: repeats of groups multiply, repeats of single characters add. */
function refuseLarge(source: string): void {
  let copies = 1;
  let steps = source.length;
  // `\Q\E` is empty, so a count behind it repeats whatever stands before.
  for (const count of source.matchAll(/(\)|\\E)?\{(\d+)(?:,(\d*))?\}/g)) {
    const most = Number(count[3] || count[2]);
    if (most > MAX_REPEATS) throw new PatternError(`a repeat counts to ${MAX_REPEATS} at most`, count.index);
    if (count[1] === undefined) steps += most;
    else copies *= Math.max(1, most);
  }
  const wideRanges = source.match(/-(?:\\x|[^\0-\x7f])/g)?.length ?? 0;
  if (copies * steps > MAX_STEPS || wideRanges > MAX_WIDE_RANGES)
    throw new PatternError('this regular expression is too large', 0);
}

function refusal(source: string, { error, input }: Re2.RE2JSSyntaxException): PatternError {
  const part = input ?? '';
  const at = source.indexOf(part);
  // If something is missing at the end, the part is the whole pattern behind its flags.
  const column = part === '' || at < 0 ? source.length : at;
  if (/^\(\?<?[=!]/.test(part)) return new PatternError('looking ahead or behind is not supported', column);
  if (/^\\[1-9k]/.test(part)) return new PatternError('backreferences are not supported', column);
  return new PatternError(error, column);
}

let loaded: typeof Re2 | null = null;

/**
 * Loads re2js, which takes 10 ms and 8 MiB, with the first pattern. A thread that will fence itself in must call this before.
 *
 * @throws PatternError if the program's files can no longer be read
 */
export function loadPatterns(): typeof Re2 {
  try {
    loaded ??= createRequire(import.meta.url)('re2js') as typeof Re2;
    return loaded;
  } catch (thrown) {
    throw new PatternError(`re2js cannot be loaded: ${(thrown as NodeJS.ErrnoException).code ?? 'unknown'}`, 0);
  }
}

// Quotes values from outside: for a message, sanitised and short; for a shell, as a user types them.

import { sanitize } from './text.ts';

const SHOWN = 60;

/** A value for a message: without control characters, cut at 60, in double quotes. */
export function quoted(value: unknown): string {
  const text = sanitize(typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)));
  return `"${text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text}"`;
}

/** A place in a file, for a message: `path:line`. */
export function place(path: string, line: number): string {
  return `${sanitize(path)}:${line}`;
}

/**
 * Words as they are typed into a POSIX shell: plain ones bare, others in single quotes.
 *
 * Control characters are dropped: nobody could type them, and they would reach the terminal.
 */
export function shellWords(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}

function shellWord(word: string): string {
  const safe = sanitize(word);
  return /^[\w@%+=:,./-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", "'\\''")}'`;
}

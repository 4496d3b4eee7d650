// The command line of a process as it may be shown: one line, bounded, without control characters, and without what looks like a secret.

import { sanitize } from '../../net/text.ts';

/** Longest command line, in UTF-16 units. */
const LONGEST = 256;
const MASK = '***';
/** Names whose values are hidden: `--password=x`, `API_TOKEN=x`, `--secret-key x`. */
const SECRET = 'pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|private[-_]?key|credentials?|auth(?:orization)?';
const ASSIGNED = new RegExp(`^(-{0,2}[\\w.-]*(?:${SECRET})[\\w.-]*[=:])(.+)$`, 'is');
const OPTION = new RegExp(`^-{1,2}[\\w-]*(?:${SECRET})[\\w-]*$`, 'i');
/** Options of curl, wget and others whose value is `user:password`. */
const LOGIN = /^(?:-u|-U|--user|--proxy-user)$/;
/** `https://user:password@host`. */
const IN_ADDRESS = /(:\/\/[^/@:\s]*):[^/@\s]+@/g;
/** `?token=x` and `&key=x` in an address. */
const IN_QUERY = new RegExp(`([?&][\\w.-]*(?:${SECRET}|key|sig(?:nature)?)[\\w.-]*=)[^&\\s#]+`, 'gi');
/** `Authorization: Bearer x`, as one word. */
const SCHEME = /\b(Bearer|Basic)\s+\S+/gi;

/**
 * What to show of a process's arguments; null if there are none, as of a thread of the kernel.
 *
 * It hides values of options and variables whose names speak of passwords, tokens, secrets, keys or credentials, and passwords in addresses.
 * A secret that nothing announces (`-pX`, a bare word) is not recognised.
 *
 * @param raw NUL-terminated, as in /proc/PID/cmdline; a program may have put any text there
 */
export function commandLine(raw: string): string | null {
  const text = raw.replace(/\0+$/, '');
  if (text.trim() === '') return null;
  const given = text.split('\0');
  // A program that writes a title over its arguments leaves one text.
  const words = given.length === 1 ? (given[0] as string).split(/\s+/) : given;
  const shown: string[] = [];
  let hides: 'value' | 'login' | null = null;
  for (const word of words) {
    const clean = sanitize(word.replace(/[\n\r\t]/g, ' '));
    shown.push(hides === 'value' ? MASK : quoted(hides === 'login' ? clean.replace(/:.*$/s, `:${MASK}`) : masked(clean)));
    hides = OPTION.test(clean) ? 'value' : LOGIN.test(clean) ? 'login' : null;
  }
  return shown.join(' ').slice(0, LONGEST);
}

function masked(word: string): string {
  return word
    .replace(ASSIGNED, `$1${MASK}`)
    .replace(IN_ADDRESS, `$1:${MASK}@`)
    .replace(IN_QUERY, `$1${MASK}`)
    .replace(SCHEME, `$1 ${MASK}`);
}

function quoted(word: string): string {
  return word === '' || /\s/.test(word) ? `'${word}'` : word;
}

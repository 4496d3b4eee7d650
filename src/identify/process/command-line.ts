// The command line of a process as it may be shown: one line, bounded, without control characters, and without what looks like a secret.

import { sanitize } from '../../net/text.ts';

/** Longest command line, in UTF-16 units. */
const LONGEST = 256;
const MASK = '***';
/** What names of secrets contain: `--password=x`, `API_TOKEN=x`, `"secret-key": "x"`. */
const SECRET =
  'pass(?:word|wd|phrase)?|pwd|psk|secret|token|jwt|cookie|bearer|(?:api|access|private)[-_]?key|credentials?|auth(?:orization)?';
/** Such a name with a value, anywhere in a word: in a script after `-c`, in JSON, in a header. The value ends with the word. */
const ASSIGNED = new RegExp(`((?:${SECRET})[\\w.-]*["']?\\s*[=:]\\s*)(?!\\*{3}(?:[&#\\s]|$))(.+)$`, 'is');
const OPTION_INSIDE = new RegExp(`(\\s-{1,2}[\\w.-]*(?:${SECRET})[\\w.-]*\\s+)(.+)$`, 'is');
/** A word whose value is the next one: `--token x`, `Authorization: x`, `password x`. */
const ANNOUNCES = new RegExp(`^-{1,2}[\\w.-]*(?:${SECRET})[\\w.-]*$|(?:${SECRET})[\\w.-]*[=:]$|^password$`, 'i');
/** Programs with a short option for a password: its value is the rest of the word, else the next word. */
const SHORT: readonly (readonly [program: RegExp, option: string])[] = [
  [/^(?:sshpass|mysql\w*|mariadb[\w-]*|mongo\w*|rdesktop|7z\w*)$/, '-p'],
  [/^(?:mosquitto_\w+|zip|unzip)$/, '-P'],
  [/^redis-cli$/, '-a'],
  [/^ldap\w+$/, '-w'],
];
/** Options of curl, wget and others whose value is `user:password`. */
const LOGIN = /^(?:-u|-U|--user|--proxy-user)$/;
const LOGIN_INSIDE = /((?:^|\s)(?:-u|-U|--(?:proxy-)?user)[=\s]*[^\s:]*):\S+/g;
/** `https://user:password@host`; also where the end was cut off. A password may contain what it should not. */
const IN_ADDRESS = /(:\/\/[^/@:\s]*):(?:\S*@|(?!\d{1,5}$)[^/\s]*$)/g;
/** `user:password@host` */
const BEFORE_HOST = /((?:^|[\s=])[^\s/@:=]*):[^\s/@]+@/g;
/** `https://token@host` */
const TOKEN_BEFORE_HOST = /(https?:\/\/)[^/@:\s]+@/gi;
/** `?token=x` and `&key=x` in an address. */
const IN_QUERY = new RegExp(`([?&][\\w.-]*(?:${SECRET}|key|sig(?:nature)?)[\\w.-]*=)[^&\\s#]+`, 'gi');
/** `Bearer x`, as of a header with any name. */
const SCHEME = /\b(Bearer|Basic)\s+\S+/gi;
const SCHEME_ALONE = /^(?:Bearer|Basic|Digest|Token)$/i;

/**
 * What to show of a process's arguments; null if there are none, as of a thread of the kernel.
 *
 * It hides values of options, variables and headers whose names speak of passwords, tokens, secrets, keys or credentials, and passwords in
 * addresses. Where it can't know where a secret ends, it hides the rest of the word. A secret that nothing announces (`-pX` of a
 * program that it doesn't know, a bare word) is not recognised.
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
  const program = (words[0] ?? '').replace(/^.*\//s, '');
  let short = SHORT.find(([pattern]) => pattern.test(program))?.[1] ?? null;
  let hides: 'value' | 'login' | null = null;
  let length = 0;
  for (const word of words) {
    const clean = sanitize(word.replace(/[\n\r\t]/g, ' '));
    const option: string | null = hides === null && short !== null && clean.startsWith(short) ? short : null;
    if (hides === 'value') shown.push(MASK);
    else if (hides === 'login') shown.push(quoted(clean.replace(/:.*$/s, `:${MASK}`)));
    else if (option !== null) shown.push(clean === option ? clean : option + MASK);
    else shown.push(quoted(masked(clean)));
    length += 1 + (shown.at(-1) as string).length;
    if (length > LONGEST) break;
    if (option !== null) short = null; // what comes later may be another program's
    if (ANNOUNCES.test(clean) || SCHEME_ALONE.test(clean) || clean === option) hides = 'value';
    else hides = LOGIN.test(clean) ? 'login' : null;
  }
  return sanitize(shown.join(' ').slice(0, LONGEST)); // the cut may have halved a character
}

function masked(word: string): string {
  return word
    .replace(IN_QUERY, `$1${MASK}`)
    .replace(IN_ADDRESS, `$1:${MASK}@`)
    .replace(BEFORE_HOST, `$1:${MASK}@`)
    .replace(TOKEN_BEFORE_HOST, `$1${MASK}@`)
    .replace(LOGIN_INSIDE, `$1:${MASK}`)
    .replace(SCHEME, `$1 ${MASK}`)
    .replace(OPTION_INSIDE, `$1${MASK}`)
    .replace(ASSIGNED, `$1${MASK}`);
}

function quoted(word: string): string {
  return word === '' || /\s/.test(word) ? `'${word}'` : word;
}

// What the environment says about a terminal: whether and how one can draw on it.

/** Luminance of a background on which black and white text have the same contrast. */
const MIDDLE = 0.179;

/** Why nothing can be drawn here, for the user; null if it can. The caller ends with exit status 6. */
export function refuseTerminal(env: Readonly<Record<string, string | undefined>>, isTTY: boolean): string | null {
  if (!isTTY) return 'standard output is not a terminal';
  const term = env['TERM'] ?? '';
  if (term === '') return 'TERM is not set, so nothing is known about this terminal';
  if (term === 'dumb') return 'TERM=dumb: this terminal can not move its cursor';
  return null;
}

/** True if the locale is UTF-8, or not set: sudo and containers strip it, and terminals speak UTF-8 today. */
export function speaksUtf8(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return locale === '' || locale === 'C' || locale === 'POSIX' || /utf-?8/i.test(locale);
}

/** Characters that a terminal can show: all, those in the Linux console's font, or ASCII. */
export type Drawing = 'unicode' | 'console' | 'ascii';

/** What to draw with. A locale without UTF-8 and DEC's own terminals get ASCII. */
export function drawingOf(env: Readonly<Record<string, string | undefined>>): Drawing {
  const term = env['TERM'] ?? '';
  if (!speaksUtf8(env) || /^vt\d/.test(term)) return 'ascii';
  return /^linux(?:-|$)/.test(term) ? 'console' : 'unicode';
}

/** Whether a terminal may be asked things. Some would draw the question, and some have nothing to say. */
export function canAnswer(env: Readonly<Record<string, string | undefined>>): boolean {
  return !/^(?:dumb$|vt\d|linux(?:-|$)|cons25|sun|eterm|emacs)/.test(env['TERM'] ?? '');
}

/** The background by COLORFGBG (rxvt, Konsole): `foreground;background`, by the numbers of the 16 colours. Null if it doesn't say. */
export function backgroundOf(env: Readonly<Record<string, string | undefined>>): 'dark' | 'light' | null {
  const number = /^(?:[\w]{1,16};){1,2}(\d{1,2})$/.exec(env['COLORFGBG'] ?? '')?.[1];
  if (number === undefined || Number(number) > 15) return null;
  return number === '7' || Number(number) > 8 ? 'light' : 'dark';
}

/** Whether dark text has more contrast on a background than light text (WCAG 2, relative luminance). */
export function isLight({ red, green, blue }: { readonly red: number; readonly green: number; readonly blue: number }): boolean {
  const linear = (part: number): number => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) > MIDDLE;
}

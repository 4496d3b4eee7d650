// What must hold of a terminal before anything is drawn on it.

/** Luminance from which black is read better than white: both contrasts are equal there. */
const MIDDLE = 0.179;

/** Why nothing can be drawn here, in a user's words; null when all is well. The caller ends with exit status 6. */
export function refuseTerminal(env: Readonly<Record<string, string | undefined>>, isTTY: boolean): string | null {
  if (!isTTY) return 'standard output is no terminal';
  const term = env['TERM'] ?? '';
  if (term === '') return 'TERM is not set, so nothing is known about this terminal';
  if (term === 'dumb') return 'TERM=dumb: this terminal can not move its cursor';
  return null;
}

/** True when the environment's locale says UTF-8, or says nothing: sudo and containers strip it, and terminals speak UTF-8 today. */
export function speaksUtf8(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return locale === '' || locale === 'C' || locale === 'POSIX' || /utf-?8/i.test(locale);
}

/** Signs that a terminal can show: all, those of the Linux console's font, or ASCII alone. */
export type Drawing = 'unicode' | 'console' | 'ascii';

/** What to draw with, by the environment: a locale without UTF-8 and DEC's own terminals get ASCII. */
export function drawingOf(env: Readonly<Record<string, string | undefined>>): Drawing {
  const term = env['TERM'] ?? '';
  if (!speaksUtf8(env) || /^vt\d/.test(term)) return 'ascii';
  return /^linux(?:-|$)/.test(term) ? 'console' : 'unicode';
}

/** Whether a terminal may be asked things: those that would draw a question, or have nothing to say, are not. */
export function canAnswer(env: Readonly<Record<string, string | undefined>>): boolean {
  return !/^(?:dumb$|vt\d|linux(?:-|$)|cons25|sun|eterm|emacs)/.test(env['TERM'] ?? '');
}

/** The background as rxvt, Konsole and others tell it in COLORFGBG, `foreground;background` by the numbers of the 16 colours; null where nothing tells. */
export function backgroundOf(env: Readonly<Record<string, string | undefined>>): 'dark' | 'light' | null {
  const number = /^(?:[\w]{1,16};){1,2}(\d{1,2})$/.exec(env['COLORFGBG'] ?? '')?.[1];
  if (number === undefined || Number(number) > 15) return null;
  return number === '7' || Number(number) > 8 ? 'light' : 'dark';
}

/** Whether text in dark colours stands out from a background better than text in light ones: its luminance (WCAG 2, relative luminance). */
export function isLight({ red, green, blue }: { readonly red: number; readonly green: number; readonly blue: number }): boolean {
  const linear = (part: number): number => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) > MIDDLE;
}

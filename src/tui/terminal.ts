// What must hold of a terminal before anything is drawn on it.

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

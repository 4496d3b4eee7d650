// Notifications through the terminal: a bell, or the sequence that this terminal shows as a notification where the person sits, however far away
// the program runs. What a terminal may not understand is not sent to it.

import type { TerminalNotice } from '../model/delivery.ts';
import { sanitize } from '../net/text.ts';

type Environment = Readonly<Record<string, string | undefined>>;
/** A way to notify: the bell, and the numbers of the sequences. */
type Form = 'bell' | 'osc9' | 'osc777' | 'osc99';

/** Longest text of a notification, characters. */
const LONGEST = 240;
/** What names a terminal, and what it takes. The first that fits counts. */
const KNOWN: readonly (readonly [variable: string, pattern: RegExp, form: Form])[] = [
  ['KITTY_WINDOW_ID', /./, 'osc99'], // https://sw.kovidgoyal.net/kitty/desktop-notifications
  ['TERM', /^xterm-kitty/, 'osc99'],
  ['TERM', /^foot/, 'osc777'],
  ['TERM', /^rxvt/, 'osc777'],
  ['TERM', /^xterm-ghostty/, 'osc777'],
  ['TERM_PROGRAM', /^ghostty$/i, 'osc777'],
  ['TERM', /^wezterm/, 'osc777'],
  ['TERM_PROGRAM', /^WezTerm$/, 'osc777'],
  ['WEZTERM_PANE', /./, 'osc777'],
  ['TERM_PROGRAM', /^iTerm\.app$/, 'osc9'], // https://iterm2.com/documentation-escape-codes.html
  ['LC_TERMINAL', /^iTerm2$/, 'osc9'], // crosses SSH
  ['VTE_VERSION', /^\d/, 'osc777'], // GNOME's, where its distribution built it in; others ignore it
];

/** Makes notifications for the terminal that the environment describes. @returns the sequence of one; null if there are to be none */
export function noticeMaker(setting: TerminalNotice, env: Environment): ((title: string, text: string) => string) | null {
  if (setting === 'off') return null;
  if (setting === 'bell') return () => '\x07';
  const form = setting === 'notify' ? noticeForm(env) : setting;
  const isInTmux = (env['TMUX'] ?? '') !== '' || /^tmux/.test(env['TERM'] ?? '');
  return (title, text) => {
    if (form === 'bell') return '\x07';
    const sequence = sequenceOf(form, plain(title), plain(text));
    // tmux hands it on only with `allow-passthrough on`; its bell comes through without.
    return isInTmux ? `\x1bPtmux;${sequence.replaceAll('\x1b', '\x1b\x1b')}\x1b\\\x07` : sequence;
  };
}

/** What the terminal takes, as far as the environment says; else the bell. */
export function noticeForm(env: Environment): Form {
  return KNOWN.find(([variable, pattern]) => pattern.test(env[variable] ?? ''))?.[2] ?? 'bell';
}

/** Ends with ST: some terminals ring at BEL. */
function sequenceOf(form: Exclude<Form, 'bell'>, title: string, text: string): string {
  switch (form) {
    case 'osc9':
      return `\x1b]9;${title}: ${text}\x1b\\`; // never begins with a digit, which ConEmu takes for a command
    case 'osc777':
      return `\x1b]777;notify;${title.replaceAll(';', ',')};${text.replaceAll(';', ',')}\x1b\\`;
    case 'osc99': {
      // In base64, because a payload must have no control characters in any encoding.
      const part = (more: string, payload: string): string =>
        `\x1b]99;i=netmon-tui:e=1:${more};${Buffer.from(payload).toString('base64')}\x1b\\`;
      return part('d=0:p=title', title) + part('d=1:p=body', text);
    }
  }
}

/** One line without anything that could end a sequence. */
function plain(text: string): string {
  return sanitize(text.replaceAll('\n', ' ')).slice(0, LONGEST);
}

// Turns lines of spans into the text that blessed draws. Only here does text meet escape sequences, and only here is it escaped: widgets
// have tags off, which keeps `{red-bg}` in a name plain text, and no ESC of a span gets through.

import { type Colour, type Depth, reduceColour } from '../view/text/colours.ts';
import { type Line, ROLES, type Role } from '../view/text/span.ts';
import type { Style, Styles } from '../view/text/styles.ts';
import type { TerminalOutput } from './terminal-output.ts';

/** One SGR sequence for each role. */
export type Markup = Readonly<Record<Role, string>>;

/** A colour as blessed numbers it: a slot for 24 bits, else the terminal's number; -1 for the terminal's own. */
export function colourNumber(colour: Colour, depth: Depth, terminal: TerminalOutput): number {
  const reduced = reduceColour(colour, depth);
  if (reduced === null) return -1;
  return depth === 'true' ? terminal.numberOf(reduced) : reduced;
}

/** Makes the sequences of a theme's styles at a depth. */
export function markupOf(styles: Styles, depth: Depth, terminal: TerminalOutput): Markup {
  const markup = {} as Record<Role, string>;
  for (const role of ROLES) markup[role] = sgr(styles[role], depth, terminal);
  return markup;
}

function sgr(style: Style, depth: Depth, terminal: TerminalOutput): string {
  const codes = ['0'];
  if (style.bold) codes.push('1');
  if (style.underline) codes.push('4');
  if (style.reverse) codes.push('7');
  const bg = colourNumber(style.bg, depth, terminal);
  const fg = colourNumber(style.fg, depth, terminal);
  if (bg >= 0) codes.push(bg < 8 ? String(40 + bg) : `48;5;${bg}`); // blessed reads 100 as "default"
  if (fg >= 0) codes.push(fg < 8 ? String(30 + fg) : fg < 16 ? String(82 + fg) : `38;5;${fg}`);
  return `\x1b[${codes.join(';')}m`;
}

/** Characters that could begin a sequence or end a line, should a caller forget to sanitise. */
const UNSAFE = /[\x00-\x1f\x7f-\x9f]/g;

/** Content of a box: one text line for each line. */
export function contentOf(lines: readonly Line[], markup: Markup): string {
  let out = '';
  for (const [index, line] of lines.entries()) {
    if (index > 0) out += '\n';
    let role: Role | null = null;
    for (const part of line) {
      if (part.text === '') continue;
      if (part.role !== role) {
        out += markup[part.role];
        role = part.role;
      }
      out += part.text.replace(UNSAFE, '');
    }
  }
  return out;
}

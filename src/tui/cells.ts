// Turns the styles of a theme into what blessed keeps of a cell, and text into cells. Widgets fill cells themselves: no text of a span is ever read
// as a tag or an escape sequence.

import blessed from 'blessed';
import { type Colour, type Depth, reduceColour } from '../view/text/colours.ts';
import { ROLES, type Role } from '../view/text/span.ts';
import type { Style, Styles } from '../view/text/styles.ts';
import type { TerminalOutput } from './terminal-output.ts';

/** Colours and style of a cell as one number of blessed's, for each role. */
export type Attributes = Readonly<Record<Role, number>>;

/** A colour as blessed numbers it: a slot for 24 bits, else the terminal's number; -1 for the terminal's own. */
export function colourNumber(colour: Colour, depth: Depth, terminal: TerminalOutput): number {
  const reduced = reduceColour(colour, depth);
  if (reduced === null) return -1;
  return depth === 'true' ? terminal.numberOf(reduced) : reduced;
}

/** Makes the attributes of a theme's styles at a depth. Colours that a style leaves open are those of plain text. */
export function attributesOf(styles: Styles, depth: Depth, terminal: TerminalOutput): Attributes {
  const number = (style: Style, ground: 'fg' | 'bg'): number => {
    const own = colourNumber(style[ground], depth, terminal);
    return own >= 0 ? own : colourNumber(styles.text[ground], depth, terminal);
  };
  const attributes = {} as Record<Role, number>;
  for (const role of ROLES) {
    const style = styles[role];
    const flags = (style.bold ? FLAG.BOLD : 0) | (style.underline ? FLAG.UNDERLINE : 0) | (style.reverse ? FLAG.INVERSE : 0);
    attributes[role] = (flags << 18) | ((number(style, 'fg') & 0x1ff) << 9) | (number(style, 'bg') & 0x1ff);
  }
  return attributes;
}

const FLAG = { BOLD: 1, UNDERLINE: 2, INVERSE: 8 } as const;

const { charWidth } = (blessed as unknown as { unicode: { charWidth(point: number): number } }).unicode;

/** Text of which each character takes one cell: ASCII, Latin, arrows, lines, blocks, Braille. */
const PLAIN = /^[\x20-\x7e\xa0-\u02ff\u2010-\u2027\u2190-\u22ff\u2500-\u28ff]*$/;

/** Characters that could begin a sequence or end a line, should a caller forget to sanitise. */
const UNSAFE = /[\x00-\x1f\x7f-\x9f]/;

/** What a terminal can draw in a cell. */
export interface CellRules {
  /** Characters of two cells; else a `?` stands in each. */
  readonly hasWide: boolean;
  readonly hasCombining: boolean;
}

/** The text of each cell. Behind a character of two cells is blessed's mark for its second one. */
export function cellsOf(text: string, { hasWide, hasCombining }: CellRules): ArrayLike<string> {
  if (PLAIN.test(text)) return text;
  const cells: string[] = [];
  for (const character of text) {
    if (UNSAFE.test(character)) continue;
    const width = charWidth(character.codePointAt(0) as number);
    if (width === 2) cells.push(...(hasWide ? [character, '\x03'] : ['?', '?']));
    else if (width === 1) cells.push(hasWide || character.length === 1 ? character : '?');
    else if (hasCombining && cells.length > 0) cells[cells.length - 1] += character;
  }
  return cells;
}

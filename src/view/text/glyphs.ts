// The signs the screen is drawn with, in two sets: Unicode, and one without any character above 0x7e.

/** One set of signs. Each is one cell wide. */
export interface Glyphs {
  readonly ascii: boolean;
  readonly rx: string;
  readonly tx: string;
  readonly ascending: string;
  readonly descending: string;
  readonly unknown: string;
  /** In place of a rate of zero. */
  readonly nothing: string;
  readonly ellipsis: string;
  readonly combined: string;
  readonly separator: string;
  readonly cursor: string;
  readonly pin: string;
  readonly masked: string;
  readonly outbound: string;
  readonly inbound: string;
  readonly local: string;
  readonly transit: string;
  readonly bar: string;
  readonly barEmpty: string;
  readonly horizontal: string;
  readonly vertical: string;
  readonly topLeft: string;
  readonly topRight: string;
  readonly bottomLeft: string;
  readonly bottomRight: string;
  readonly more: string;
  /** Before a row that rows can hang under: closed, open. */
  readonly closed: string;
  readonly opened: string;
  /** Where the highest value of a chart is. */
  readonly peak: string;
  /** Eight levels, lowest first. */
  readonly levels: readonly string[];
  /** Cells of a chart filled from the bottom and from the top, an empty one first; null draws them in braille. */
  readonly rising: readonly string[] | null;
  readonly hanging: readonly string[] | null;
}

/** Box drawing, arrows and blocks: all of them one cell in every font met so far. */
export const UNICODE_GLYPHS: Glyphs = {
  ascii: false,
  rx: '▼',
  tx: '▲',
  ascending: '↑',
  descending: '↓',
  unknown: '–',
  nothing: '·',
  ellipsis: '…',
  combined: '·',
  separator: '·',
  cursor: '▌',
  pin: '*',
  masked: '•',
  outbound: '→',
  inbound: '←',
  local: '=',
  transit: '~',
  bar: '■',
  barEmpty: '·',
  horizontal: '─',
  vertical: '│',
  topLeft: '┌',
  topRight: '┐',
  bottomLeft: '└',
  bottomRight: '┘',
  more: '…',
  closed: '▸',
  opened: '▾',
  peak: '◆',
  levels: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  rising: null,
  hanging: null,
};

/** Signs of the Linux console: its font has 256 or 512 of them, those of code page 437 always. */
export const CONSOLE_GLYPHS: Glyphs = {
  ...UNICODE_GLYPHS,
  unknown: '-',
  ellipsis: '~',
  masked: '*',
  cursor: '►',
  more: '~',
  peak: '*',
  closed: '►',
  opened: '▼',
  levels: ['_', '_', '▄', '▄', '▄', '█', '█', '█'],
  rising: [' ', '▄', '█'],
  hanging: [' ', '▀', '█'],
};

/** Nothing above 0x7e, for `--ascii` and terminals without UTF-8. */
export const ASCII_GLYPHS: Glyphs = {
  ascii: true,
  rx: 'v',
  tx: '^',
  ascending: '/',
  descending: '\\',
  unknown: '-',
  nothing: '.',
  ellipsis: '~',
  combined: '.',
  separator: '|',
  cursor: '>',
  pin: '*',
  masked: '*',
  outbound: '>',
  inbound: '<',
  local: '=',
  transit: '~',
  bar: '#',
  barEmpty: '.',
  horizontal: '-',
  vertical: '|',
  topLeft: '+',
  topRight: '+',
  bottomLeft: '+',
  bottomRight: '+',
  more: '~',
  closed: '+',
  opened: '-',
  peak: '*',
  levels: ['_', '.', ':', '-', '=', '+', '*', '#'],
  rising: [' ', '.', ':', '|'],
  hanging: [' ', "'", ':', '|'],
};

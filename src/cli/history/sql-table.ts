// Rows of a statement of the user's as a table: columns as wide as what is in them, the widest cut where the terminal ends. Pure.

import type { SqlResult } from '../../net/history.ts';
import { cut, displayWidth, drawable, fitText } from '../../view/cells.ts';
import { ASCII_GLYPHS, type Glyphs, UNICODE_GLYPHS } from '../../view/glyphs.ts';
import { paintFor } from '../paint.ts';
import { fixed, tableLines } from '../text-table.ts';

/** How the table is drawn. */
export interface SqlStyle {
  /** Columns of the terminal; undefined (a pipe) cuts nothing. */
  readonly columns: number | undefined;
  readonly color: boolean;
  readonly ascii: boolean;
}

const PIPE_COLUMNS = 10_000;
const LEAST_WIDTH = 6;
/** With less than this for each of its columns a table says little. */
const READABLE_WIDTH = 10;
const GAP = 2;

type Row = SqlResult['rows'][number];

/** The table and how many rows there are, newline at the end. */
export function sqlText({ columns, rows, cut: isCut }: SqlResult, style: SqlStyle): string {
  if (columns.length === 0) return 'the statement gives no rows\n';
  const glyphs = style.ascii ? ASCII_GLYPHS : UNICODE_GLYPHS;
  const paint = paintFor(style.color);
  if (!hasRoom(columns, rows, style.columns ?? PIPE_COLUMNS, glyphs))
    return listText({ columns, rows, cut: isCut }, style, glyphs);
  const widths = fitted(
    columns.map((name, at) => widest(name, rows, at, glyphs)),
    style.columns ?? PIPE_COLUMNS,
  );
  const table = columns.map((name, at) => {
    const isNumber = rows.some((row) => typeof row[at] === 'number') && rows.every((row) => typeof row[at] !== 'string');
    return fixed<Row>(name, widths[at] as number, isNumber ? 'right' : 'left', (row) => shown(row[at], glyphs));
  });
  const lines = tableLines(table, rows, style.columns ?? PIPE_COLUMNS, glyphs, paint);
  lines.push(paint.dim(countText(rows.length, isCut)));
  return `${lines.join('\n')}\n`;
}

/** True where each column could have as much as it wants, or enough to tell values apart. */
function hasRoom(columns: readonly string[], rows: readonly Row[], width: number, glyphs: Glyphs): boolean {
  const least = columns.map((name, at) => Math.min(READABLE_WIDTH, widest(name, rows, at, glyphs)));
  return least.reduce((sum, one) => sum + one, GAP * (columns.length - 1)) <= width;
}

/** Too many columns for a line: each row as a list of them. */
function listText({ columns, rows, cut: isCut }: SqlResult, style: SqlStyle, glyphs: Glyphs): string {
  const paint = paintFor(style.color);
  const width = style.columns ?? PIPE_COLUMNS;
  const names = columns.map((name) => drawable(name, glyphs));
  const head = Math.min(Math.floor(width / 3), Math.max(...names.map(displayWidth)));
  const lines = rows.flatMap((row, index) => [
    paint.dim(`row ${index + 1}`),
    ...names.map((name, at) => {
      const value = cut(drawable(shown(row[at], glyphs), glyphs), Math.max(1, width - head - GAP), glyphs);
      return `${paint.heading(fitText(name, head, glyphs))}${' '.repeat(GAP)}${value}`;
    }),
  ]);
  return `${[...lines, paint.dim(countText(rows.length, isCut))].join('\n')}\n`;
}

function countText(rows: number, isCut: boolean): string {
  return `${rows}${isCut ? ' or more' : ''} ${rows === 1 && !isCut ? 'row' : 'rows'}`;
}

function shown(value: string | number | null | undefined, glyphs: Glyphs): string {
  if (value === null || value === undefined) return glyphs.ascii ? '-' : '–';
  return String(value);
}

function widest(name: string, rows: readonly Row[], at: number, glyphs: Glyphs): number {
  let width = displayWidth(drawable(name, glyphs));
  for (const row of rows) width = Math.max(width, displayWidth(drawable(shown(row[at], glyphs), glyphs)));
  return Math.max(1, width);
}

/** Takes from the widest until all fit, or none has anything left to give. */
function fitted(wanted: readonly number[], columns: number): number[] {
  const widths = [...wanted];
  let over = widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1)) - columns;
  while (over > 0) {
    const most = Math.max(...widths);
    if (most <= LEAST_WIDTH) break;
    const next = Math.max(LEAST_WIDTH, ...widths.filter((width) => width < most));
    const at = widths.indexOf(most);
    const give = Math.min(over, Math.max(1, most - next));
    widths[at] = most - give;
    over -= give;
  }
  return widths;
}

// Text tables for plain standard output: columns of a fixed width, and some that share what is left. Pure.

import { Chalk } from 'chalk';
import type { UnitMode } from '../model/options.ts';
import { drawable, fitText } from '../view/text/cells.ts';
import { AMOUNT_WIDTH, formatAmount } from '../view/text/format.ts';
import { ASCII_GLYPHS, type Glyphs, UNICODE_GLYPHS } from '../view/text/glyphs.ts';

/** What a table is printed to. */
export interface TextStyle {
  /** Columns of the terminal; undefined for a pipe. */
  readonly columns: number | undefined;
  readonly color: boolean;
  readonly ascii: boolean;
}

/** How a table is drawn. */
export interface Sheet {
  /** Cells of a line. */
  readonly width: number;
  readonly glyphs: Glyphs;
  readonly paint: Paint;
}

/** How titles, headings and asides are coloured; as they are without colour. */
export interface Paint {
  title(text: string): string;
  heading(text: string): string;
  dim(text: string): string;
}

/** One column of a table. */
export interface TextColumn<Row> {
  readonly title: string;
  /** Cells; the least for a column that grows. */
  readonly width: number;
  /** Share of the room that is left over; 0 for a fixed column. */
  readonly grows: number;
  readonly align: 'left' | 'right';
  /** The end at which a long text is cut. */
  readonly cut: 'start' | 'end';
  cell(row: Row): string;
}

/** Widths of a line: in a pipe, and the bounds on a terminal. */
interface LineWidths {
  readonly pipe: number;
  readonly least: number;
  readonly most: number;
}

/** A report is readable at these widths. */
export const REPORT_WIDTHS: LineWidths = { pipe: 100, least: 60, most: 200 };
/** A list is cut where the terminal ends, and in a pipe not at all. */
export const LIST_WIDTHS: LineWidths = { pipe: 10_000, least: 0, most: 10_000 };

/** Works out how to draw. The colours are the 16 basic ones, which follow the terminal's own palette, light or dark. */
export function sheetOf({ columns, color, ascii }: TextStyle, { pipe, least, most }: LineWidths): Sheet {
  const chalk = new Chalk({ level: color ? 1 : 0 });
  return {
    width: Math.min(most, Math.max(least, columns ?? pipe)),
    glyphs: ascii ? ASCII_GLYPHS : UNICODE_GLYPHS,
    paint: { title: (text) => chalk.bold(text), heading: (text) => chalk.cyan(text), dim: (text) => chalk.dim(text) },
  };
}

/** A column of a fixed width. */
export function fixed<Row>(title: string, width: number, align: 'left' | 'right', cell: (row: Row) => string): TextColumn<Row> {
  return { title, width, grows: 0, align, cut: 'end', cell };
}

/** A column that takes a share of what is left. Hosts are cut at the start: the registered domain is at their end. */
export function flexible<Row>(
  title: string,
  width: number,
  grows: number,
  cell: (row: Row) => string,
  cut: 'start' | 'end' = 'end',
): TextColumn<Row> {
  return { title, width, grows, align: 'left', cut, cell };
}

/** The bytes received and sent. */
export function amountColumns<Row extends { readonly rxBytes: number; readonly txBytes: number }>(
  units: UnitMode,
): TextColumn<Row>[] {
  return [
    fixed<Row>('RX', AMOUNT_WIDTH, 'right', (row) => formatAmount(row.rxBytes, units)),
    fixed<Row>('TX', AMOUNT_WIDTH, 'right', (row) => formatAmount(row.txBytes, units)),
  ];
}

/** A name, or `-` with the reason why there is none. */
export function nameOrReason(name: string | null, reason: string | null): string {
  return name ?? (reason === null ? '-' : `- ${reason}`);
}

/** Heading and rows as lines that fit the sheet, without trailing spaces. Cells are made safe to print here. */
export function tableLines<Row>(
  columns: readonly TextColumn<Row>[],
  rows: readonly Row[],
  { width, glyphs, paint }: Sheet,
): string[] {
  const widths = spread(columns, width);
  const join = (cells: readonly string[]) =>
    cells
      .map((cell, i) => fitText(drawable(cell, glyphs), widths[i] as number, glyphs, columns[i]?.align, columns[i]?.cut))
      .join('  ')
      .trimEnd();
  const heading = paint.heading(join(columns.map((column) => column.title)));
  return [heading, ...rows.map((row) => join(columns.map((column) => column.cell(row) || '-')))];
}

/** Widths of the columns, two cells apart. */
function spread(columns: readonly TextColumn<never>[], width: number): number[] {
  const gaps = 2 * (columns.length - 1);
  const shares = columns.reduce((sum, column) => sum + column.grows, 0);
  let room = Math.max(0, width - gaps - columns.reduce((sum, column) => sum + column.width, 0));
  let left = shares;
  return columns.map((column) => {
    if (column.grows === 0) return column.width;
    const part = Math.floor((room * column.grows) / left);
    room -= part;
    left -= column.grows;
    return column.width + part;
  });
}

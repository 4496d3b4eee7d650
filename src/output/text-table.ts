// Columns of text for a plain standard output: one flexible column or more, the others as wide as they say. Pure.

import { Chalk } from 'chalk';
import { drawable, fitText } from '../view/text/cells.ts';
import type { Glyphs } from '../view/text/glyphs.ts';

/** One column of a table of texts. */
export interface TextColumn<Row> {
  readonly title: string;
  /** Cells; for a flexible column the least. */
  readonly width: number;
  /** Share of the room that is left over; 0 is a fixed column. */
  readonly grows: number;
  readonly align: 'left' | 'right';
  /** Which end of a long text goes. */
  readonly cut: 'start' | 'end';
  cell(row: Row): string;
}

/** How a heading and the rest are coloured; identity where there is no colour. */
export interface Paint {
  title(text: string): string;
  heading(text: string): string;
  dim(text: string): string;
}

/** A column of a fixed width. */
export function fixed<Row>(title: string, width: number, align: 'left' | 'right', cell: (row: Row) => string): TextColumn<Row> {
  return { title, width, grows: 0, align, cut: 'end', cell };
}

/** A column that takes a share of what is left; a host keeps its end, where the registered domain is. */
export function flexible<Row>(
  title: string,
  width: number,
  grows: number,
  cell: (row: Row) => string,
  cut: 'start' | 'end' = 'end',
): TextColumn<Row> {
  return { title, width, grows, align: 'left', cut, cell };
}

/** Heading and rows as lines of at most `width` cells, without spaces at their ends. Cells are made safe to print here. */
export function tableLines<Row>(
  columns: readonly TextColumn<Row>[],
  rows: readonly Row[],
  width: number,
  glyphs: Glyphs,
  paint: Paint,
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

// Colours of plain output: chalk, or nothing. The screen has its own.

/** Paint for plain output. The 16 basic colours only: they follow the terminal's own palette, light or dark. */
export function paintFor(color: boolean): Paint {
  const chalk = new Chalk({ level: color ? 1 : 0 });
  return { title: (text) => chalk.bold(text), heading: (text) => chalk.cyan(text), dim: (text) => chalk.dim(text) };
}

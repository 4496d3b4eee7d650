// `netmon-tui query "SQL"`: one read-only statement on a copy of the history in memory, as a table, CSV or JSON.

import { NetmonError } from '../../model/errors.ts';
import type { SqlResult } from '../../model/history.ts';
import type { Options } from '../../model/options.ts';
import { sanitize } from '../../net/text.ts';
import { csvLine } from '../../output/csv.ts';
import { SCHEMA } from '../../output/fields.ts';
import { fixed, LIST_WIDTHS, type Sheet, sheetOf, type TextStyle, tableLines } from '../../output/text-table.ts';
import { cut, displayWidth, drawable, fitText } from '../../view/text/cells.ts';
import type { Glyphs } from '../../view/text/glyphs.ts';
import type { CommandLine } from '../command-line.ts';
import { type CommandIo, reading } from './command-io.ts';

const MOST_ROWS = 1_000_000;
/** UTF-16 units of a statement. */
const LONGEST_STATEMENT = 1 << 20;

/**
 * Runs the statement and prints its rows.
 *
 * @param path of the history file
 * @param standardInput reads the statement when it is given as `-`, and may stop after so many bytes
 * @returns exit status 0. @throws NetmonError `usage` for a statement that is wrong or takes too long, `history` for the file
 */
export async function queryCommand(
  line: CommandLine,
  options: Pick<Options, 'ascii' | 'color'>,
  path: string,
  io: CommandIo,
  standardInput: (mostBytes: number) => Promise<string>,
): Promise<number> {
  const asJson = line.has('json');
  const asCsv = line.has('csv');
  if (asJson && asCsv) throw new NetmonError('usage', '--json does not go with --csv', 'leave one of them out');
  const rows = line.text('limit') === null && (asJson || asCsv) ? MOST_ROWS : line.value('limit');
  const limits = { timeoutMs: line.value('timeout'), rows };
  const text = line.operand === '-' ? await standardInput(LONGEST_STATEMENT * 4) : (line.operand ?? '');
  if (text.trim() === '')
    throw new NetmonError(
      'usage',
      'there is no statement to run',
      `type for example: netmon-tui query "SELECT * FROM connections LIMIT 10"`,
    );
  if (text.length > LONGEST_STATEMENT) throw new NetmonError('usage', 'the statement is longer than 1 MiB', 'make it shorter');
  const result = await reading(path, io, (reader, progress) => {
    progress.tell(`running the statement, for at most ${limits.timeoutMs / 1000} s`);
    return reader.sql(text, limits);
  });
  const { out, err } = io;
  if (asJson) await out.write(sqlJson(result));
  else if (asCsv) await out.write(sqlCsv(result));
  else await out.write(sqlText(result, { columns: out.columns, color: options.color && out.isTerminal, ascii: options.ascii }));
  if (result.cut)
    await err.write(
      `netmon-tui: only the first ${limits.rows === 1 ? 'row is' : `${limits.rows} rows are`} shown\n  for more, type: --limit ${Math.min(MOST_ROWS, limits.rows * 10)}\n`,
    );
  return 0;
}

/** One object with the columns and the rows, in the order of the statement; names may repeat, so rows are lists. */
function sqlJson({ columns, rows, cut }: SqlResult): string {
  const clean = (value: string | number | null) => (typeof value === 'string' ? printable(value) : value);
  return `${JSON.stringify({ type: 'query', schema: SCHEMA, columns: columns.map(printable), rows: rows.map((row) => row.map(clean)), cut })}\n`;
}

function sqlCsv({ columns, rows }: SqlResult): string {
  if (columns.length === 0) return '';
  return [columns, ...rows]
    .map((row) => csvLine(row.map((value) => (typeof value === 'string' ? printable(value) : value))))
    .join('');
}

/** Stripped in pieces, because values may be longer than what `sanitize` keeps. */
function printable(text: string): string {
  return text.replace(/[^\n]{1,256}/gu, (piece) => sanitize(piece));
}

const LEAST_WIDTH = 6;
/** A table whose columns are narrower than this is hard to read. */
const READABLE_WIDTH = 10;
const GAP = 2;

type Row = SqlResult['rows'][number];

/** Columns as wide as their values, the widest cut at the edge of the terminal; then the number of rows. Newline at the end. */
export function sqlText({ columns, rows, cut: isCut }: SqlResult, style: TextStyle): string {
  if (columns.length === 0) return 'the statement returned no rows\n';
  const sheet = sheetOf(style, LIST_WIDTHS);
  const { width, glyphs, paint } = sheet;
  if (!hasRoom(columns, rows, width, glyphs)) return listText({ columns, rows, cut: isCut }, sheet);
  const widths = fitted(
    columns.map((name, at) => widest(name, rows, at, glyphs)),
    width,
  );
  const table = columns.map((name, at) => {
    const isNumber = rows.some((row) => typeof row[at] === 'number') && rows.every((row) => typeof row[at] !== 'string');
    return fixed<Row>(name, widths[at] as number, isNumber ? 'right' : 'left', (row) => shown(row[at], glyphs));
  });
  const lines = tableLines(table, rows, sheet);
  lines.push(paint.dim(countText(rows.length, isCut)));
  return `${lines.join('\n')}\n`;
}

/** Whether each column gets the width it wants, or at least a readable one. */
function hasRoom(columns: readonly string[], rows: readonly Row[], width: number, glyphs: Glyphs): boolean {
  const least = columns.map((name, at) => Math.min(READABLE_WIDTH, widest(name, rows, at, glyphs)));
  return least.reduce((sum, one) => sum + one, GAP * (columns.length - 1)) <= width;
}

/** Each row as a list of its columns, for more columns than a line holds. */
function listText({ columns, rows, cut: isCut }: SqlResult, { width, glyphs, paint }: Sheet): string {
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

/** Narrows the widest columns until all fit, or none can be narrowed further. */
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

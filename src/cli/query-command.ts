// `netmon-tui query "SQL"`: one read-only statement on a copy of the history in memory, as a table, CSV or JSON.

import { NetmonError } from '../errors.ts';
import type { SqlResult } from '../net/history.ts';
import { sanitize } from '../net/text.ts';
import { csvLine } from '../stream/csv.ts';
import { SCHEMA } from '../stream/fields.ts';
import type { CommandLine } from './command-line.ts';
import { parseDuration } from './duration.ts';
import { reading } from './history/reading.ts';
import type { HistoryRoom } from './history/room.ts';
import { sqlText } from './history/sql-table.ts';
import type { Options } from './options.ts';
import { quoted } from './quote.ts';

const TIMEOUT_MS = 10_000;
const LONGEST_MS = 3_600_000;
const TABLE_ROWS = 1000;
const MOST_ROWS = 1_000_000;
/** UTF-16 units of a statement. */
const LONGEST_STATEMENT = 1 << 20;

/**
 * Runs the statement and prints its rows.
 *
 * @param path of the history file
 * @param standardInput reads the statement when it is given as `-`, and may stop behind so many bytes
 * @returns exit status 0. @throws NetmonError `usage` for a statement that is wrong or takes too long, `history` for the file
 */
export async function queryCommand(
  line: CommandLine,
  options: Pick<Options, 'ascii' | 'color'>,
  path: string,
  room: HistoryRoom,
  standardInput: (mostBytes: number) => Promise<string>,
): Promise<number> {
  const asJson = line.has('json');
  const asCsv = line.has('csv');
  if (asJson && asCsv) throw new NetmonError('usage', '--json does not go with --csv', 'leave one of them out');
  const limits = { timeoutMs: timeout(line.text('timeout')), rows: rowLimit(line.text('limit'), asJson || asCsv) };
  const text = line.operand === '-' ? await standardInput(LONGEST_STATEMENT * 4) : (line.operand ?? '');
  if (text.trim() === '')
    throw new NetmonError(
      'usage',
      'there is no statement to run',
      `type for example: netmon-tui query "SELECT * FROM connections LIMIT 10"`,
    );
  if (text.length > LONGEST_STATEMENT) throw new NetmonError('usage', 'the statement is longer than 1 MiB', 'make it shorter');
  const result = await reading(path, room, (reader, progress) => {
    progress.tell(`running the statement, ${limits.timeoutMs / 1000} s at the most`);
    return reader.sql(text, limits);
  });
  const { out, err } = room;
  if (asJson) await out.write(sqlJson(result));
  else if (asCsv) await out.write(sqlCsv(result));
  else await out.write(sqlText(result, { columns: out.columns, color: options.color && out.isTerminal, ascii: options.ascii }));
  if (result.cut)
    await err.write(
      `netmon-tui: only the first ${limits.rows} rows are shown\n  for more, type: --limit ${Math.min(MOST_ROWS, limits.rows * 10)}\n`,
    );
  return 0;
}

/** One object with the columns and the rows, in the order of the statement; a name may be there twice, so that rows are lists. */
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

/** Values may be longer than what is drawn (a schema, a concatenation): stripped piece by piece, not cut. */
function printable(text: string): string {
  return text.replace(/[^\n]{1,256}/gu, (piece) => sanitize(piece));
}

function timeout(text: string | null): number {
  if (text === null) return TIMEOUT_MS;
  const ms = parseDuration(text);
  if (ms !== null && ms >= 100 && ms <= LONGEST_MS) return ms;
  throw new NetmonError(
    'usage',
    `--timeout ${quoted(text)} is not a duration from 100ms to 1h`,
    'type for example: --timeout 30s',
  );
}

function rowLimit(text: string | null, forPrograms: boolean): number {
  if (text === null) return forPrograms ? MOST_ROWS : TABLE_ROWS;
  const rows = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (rows >= 1 && rows <= MOST_ROWS) return rows;
  throw new NetmonError(
    'usage',
    `--limit ${quoted(text)} is not a whole number from 1 to ${MOST_ROWS}`,
    'type for example: --limit 100',
  );
}

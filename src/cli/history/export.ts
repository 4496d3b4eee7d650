// `netmon-tui export`: all records of a range or the connection log, page by page, as CSV, NDJSON or Parquet; or the whole history as an SQLite file.

import type { HistoryReader } from '../../history/query/reader.ts';
import { NetmonError } from '../../model/errors.ts';
import { EXPORT_FORMATS, type ExportFormat, type TimeRange } from '../../model/history.ts';
import { counted } from '../../net/counted.ts';
import { type FileOwner, OutputFile } from '../../output/output-file.ts';
import type { CommandLine } from '../command-line.ts';
import type { CommandIo, Progress } from './command-io.ts';
import { reading } from './command-io.ts';
import { parseRange } from './range.ts';
import { flowForm, type RowForm, type RowFormat, recordForm } from './record-rows.ts';

/** Rows in memory at a time. */
const PAGE_ROWS = 2000;

/** Writes a piece of the export. @returns false if nothing more is wanted */
type Write = (chunk: string | Uint8Array) => Promise<boolean>;

/**
 * Exports to a file, or to standard output.
 *
 * @param path of the history file
 * @param owner who is to own the new file; null if the process is that user
 * @returns exit status 0. @throws NetmonError `usage`, `history`
 */
export async function exportCommand(line: CommandLine, path: string, owner: FileOwner | null, io: CommandIo): Promise<number> {
  const format = formatOf(line);
  const output = line.text('output');
  if (format === 'sqlite') refuseParts(line);
  if ((format === 'sqlite' || format === 'parquet') && output === null && io.out.isTerminal) throw notForTerminals(format);
  if (output === '') throw new NetmonError('usage', '--output needs a file', 'type for example: --output traffic.csv');
  if (output === null && line.has('force'))
    throw new NetmonError('usage', '--force goes only with --output', 'type: --output FILE --force');
  const range = parseRange(line.text('since'), line.text('until'), io.clock.now(), 'all');
  const file = output === null || output === '-' ? null : OutputFile.create(output, line.has('force'), owner);
  try {
    await reading(path, io, async (reader, progress) => {
      const write: Write = file === null ? (chunk) => io.out.write(chunk) : (chunk) => file.write(chunk).then(() => true);
      if (format === 'sqlite') await write(await reader.image());
      else await rows(reader, range, line.has('flows'), format, write, progress);
      await file?.commit();
    });
  } finally {
    await file?.discard();
  }
  return 0;
}

function formatOf(line: CommandLine): ExportFormat {
  const asked = line.value('format') ?? 'csv';
  const format = EXPORT_FORMATS.find((name) => name === asked);
  if (format !== undefined) return format;
  throw new NetmonError('usage', `--format ${asked} does not go with export`, `type one of ${EXPORT_FORMATS.join(', ')}`);
}

async function rows(
  reader: HistoryReader,
  { from, to }: TimeRange,
  flows: boolean,
  format: RowFormat,
  write: Write,
  progress: Progress,
) {
  return flows
    ? pages(reader.flows(from, to, PAGE_ROWS), await flowForm(format), write, progress)
    : pages(reader.records(from, to, PAGE_ROWS), await recordForm(format), write, progress);
}

/** Asks for the next page once the last one is written. */
async function pages<Row>(
  source: AsyncIterable<readonly Row[]>,
  form: RowForm<Row>,
  write: Write,
  progress: Progress,
): Promise<void> {
  const wrote = (chunk: string | Uint8Array) => (chunk.length === 0 ? Promise.resolve(true) : write(chunk));
  if (!(await wrote(form.head()))) return;
  let count = 0;
  for await (const page of source) {
    if (!(await wrote(form.page(page)))) return;
    count += page.length;
    progress.tell(`exporting, ${counted(count, 'row')} so far`);
  }
  await wrote(form.tail());
}

function refuseParts(line: CommandLine): void {
  const part = ['since', 'until'].find((flag) => line.text(flag) !== null) ?? (line.has('flows') ? 'flows' : null);
  if (part !== null)
    throw new NetmonError('usage', `--${part} does not go with --format sqlite`, 'leave it out: the file holds everything');
}

function notForTerminals(format: 'parquet' | 'sqlite'): NetmonError {
  const name = format === 'sqlite' ? 'an SQLite' : 'a Parquet';
  return new NetmonError(
    'usage',
    `${name} file can't be shown on a terminal`,
    `type: netmon-tui export --format ${format} --output FILE`,
  );
}

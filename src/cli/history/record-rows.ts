// Records and logged flows as CSV, NDJSON or Parquet. Fields are named as in the JSON stream.

import type { HistoryRecord } from '../../history/query/pages.ts';
import type { LoggedFlow } from '../../model/history-batch.ts';
import { sanitize } from '../../net/text.ts';
import { type CsvValue, csvLine } from '../../output/csv.ts';
import { SCHEMA, timeField } from '../../output/fields.ts';
import type { Column } from '../../output/parquet.ts';
import { version } from '../../system/build.ts';

type Chunk = string | Uint8Array;

/** Writes rows of one kind, page by page. */
export interface RowForm<Row> {
  head(): Chunk;
  page(rows: readonly Row[]): Chunk;
  tail(): Chunk;
}

export type RowFormat = 'csv' | 'json' | 'parquet';

/** One row for each record. */
export function recordForm(format: RowFormat): Promise<RowForm<HistoryRecord>> {
  return formOf(format, 'record', RECORD_COLUMNS);
}

/** One row for each flow that has ended. */
export function flowForm(format: RowFormat): Promise<RowForm<LoggedFlow>> {
  return formOf(format, 'flow', FLOW_COLUMNS);
}

type Columns<Row> = readonly Column<Row>[];
type Counters = Pick<HistoryRecord, 'rxBytes' | 'txBytes' | 'rxPackets' | 'txPackets'>;

const COUNTERS: Columns<Counters> = [
  { name: 'rx_bytes', type: 'count', of: (row) => row.rxBytes },
  { name: 'tx_bytes', type: 'count', of: (row) => row.txBytes },
  { name: 'rx_packets', type: 'count', of: (row) => row.rxPackets },
  { name: 'tx_packets', type: 'count', of: (row) => row.txPackets },
];
const CONTAINER = (['container', 'image', 'pod', 'namespace', 'project'] as const).map(
  (name): Column<Pick<HistoryRecord, 'container'>> => ({ name, type: 'text', of: ({ container }) => container?.[name] ?? null }),
);
const RECORD_COLUMNS: Columns<HistoryRecord> = [
  { name: 'time', type: 'time', of: (record) => record.time },
  { name: 'span_ms', type: 'count', of: (record) => record.spanMs },
  { name: 'app', type: 'text', of: (record) => record.app },
  { name: 'exe', type: 'text', of: (record) => record.exe },
  { name: 'host', type: 'text', of: (record) => record.host },
  { name: 'domain', type: 'text', of: (record) => record.domain },
  { name: 'category', type: 'text', of: (record) => record.category },
  { name: 'interface', type: 'text', of: (record) => record.interface },
  { name: 'protocol', type: 'text', of: (record) => record.protocol },
  { name: 'direction', type: 'text', of: (record) => record.direction },
  ...COUNTERS,
  { name: 'flows', type: 'count', of: (record) => record.flows },
  ...CONTAINER,
];
const FLOW_COLUMNS: Columns<LoggedFlow> = [
  { name: 'start', type: 'time', of: (flow) => flow.start },
  { name: 'end', type: 'time', of: (flow) => flow.end },
  { name: 'protocol', type: 'text', of: (flow) => flow.protocol },
  { name: 'local_address', type: 'text', of: (flow) => flow.localAddress },
  { name: 'local_port', type: 'count', of: (flow) => flow.localPort },
  { name: 'remote_address', type: 'text', of: (flow) => flow.remoteAddress },
  { name: 'remote_port', type: 'count', of: (flow) => flow.remotePort },
  { name: 'direction', type: 'text', of: (flow) => flow.direction },
  { name: 'interface', type: 'text', of: (flow) => flow.interface },
  { name: 'app', type: 'text', of: (flow) => flow.app },
  { name: 'reason', type: 'text', of: (flow) => flow.reason },
  { name: 'exe', type: 'text', of: (flow) => flow.exe },
  { name: 'pid', type: 'count', of: (flow) => flow.pid },
  { name: 'user', type: 'text', of: (flow) => flow.user },
  { name: 'attribution', type: 'text', of: (flow) => flow.attribution },
  { name: 'host', type: 'text', of: (flow) => flow.host },
  { name: 'name_source', type: 'text', of: (flow) => flow.nameSource },
  { name: 'domain', type: 'text', of: (flow) => flow.domain },
  { name: 'application', type: 'text', of: (flow) => flow.application },
  { name: 'category', type: 'text', of: (flow) => flow.category },
  ...COUNTERS,
  ...CONTAINER,
];

async function formOf<Row>(format: RowFormat, type: string, columns: Columns<Row>): Promise<RowForm<Row>> {
  const clean = columns.map((column): Column<Row> => ({ ...column, of: (row) => sanitized(column.of(row)) }));
  if (format === 'parquet') {
    const { ParquetRows } = await import('../../output/parquet.ts');
    const rows = new ParquetRows(clean, `netmon-tui ${version()}`);
    return { head: () => '', page: (page) => rows.add(page), tail: () => rows.end() };
  }
  const written = clean.map(({ name, type: kind, of }): Column<Row> => {
    return { name, type: kind, of: kind === 'time' ? (row) => timeField(Number(of(row))) : of };
  });
  const page = (line: (row: Row) => string) => (rows: readonly Row[]) => rows.map(line).join('');
  if (format === 'csv') {
    const line = page((row) => csvLine(written.map(({ of }) => of(row))));
    return { head: () => csvLine(written.map(({ name }) => name)), page: line, tail: () => '' };
  }
  const fields = (row: Row) => Object.fromEntries(written.map(({ name, of }) => [name, of(row)]));
  const line = page((row) => `${JSON.stringify({ type, schema: SCHEMA, ...fields(row) })}\n`);
  return { head: () => '', page: line, tail: () => '' };
}

function sanitized(value: CsvValue): CsvValue {
  return typeof value === 'string' ? sanitize(value) : value;
}

// Records and logged flows as lines of CSV or NDJSON. Fields are named as in the JSON stream. Pure.

import type { HistoryRecord } from '../../history/query/pages.ts';
import type { LoggedFlow } from '../../model/history-batch.ts';
import { sanitize } from '../../net/text.ts';
import { type CsvValue, csvLine } from '../../output/csv.ts';
import { SCHEMA, timeField } from '../../output/fields.ts';

/** Writes rows of one kind. */
export interface RowForm<Row> {
  /** Stands before the rows; may be empty. */
  readonly head: string;
  line(row: Row): string;
}

type Fields = readonly (readonly [name: string, value: CsvValue])[];

/** One line for each record. */
export function recordForm(format: 'csv' | 'json'): RowForm<HistoryRecord> {
  return formOf(format, 'record', RECORD_NAMES, (record) => [
    timeField(record.time),
    record.spanMs,
    record.app,
    record.exe,
    record.host,
    record.domain,
    record.category,
    record.interface,
    record.protocol,
    record.direction,
    record.rxBytes,
    record.txBytes,
    record.rxPackets,
    record.txPackets,
    record.flows,
  ]);
}

/** One line for each flow that has ended. */
export function flowForm(format: 'csv' | 'json'): RowForm<LoggedFlow> {
  return formOf(format, 'flow', FLOW_NAMES, (flow) => [
    timeField(flow.start),
    timeField(flow.end),
    flow.protocol,
    flow.localAddress,
    flow.localPort,
    flow.remoteAddress,
    flow.remotePort,
    flow.direction,
    flow.interface,
    flow.app,
    flow.reason,
    flow.exe,
    flow.pid,
    flow.attribution,
    flow.host,
    flow.nameSource,
    flow.domain,
    flow.application,
    flow.category,
    flow.rxBytes,
    flow.txBytes,
    flow.rxPackets,
    flow.txPackets,
  ]);
}

const COUNTERS = ['rx_bytes', 'tx_bytes', 'rx_packets', 'tx_packets'];
const RECORD_NAMES = [
  ...['time', 'span_ms', 'app', 'exe', 'host', 'domain', 'category', 'interface', 'protocol', 'direction'],
  ...COUNTERS,
  'flows',
];
const FLOW_NAMES = [
  ...[
    'start',
    'end',
    'protocol',
    'local_address',
    'local_port',
    'remote_address',
    'remote_port',
    'direction',
    'interface',
    'app',
    'reason',
  ],
  ...['exe', 'pid', 'attribution', 'host', 'name_source', 'domain', 'application', 'category'],
  ...COUNTERS,
];

function formOf<Row>(
  format: 'csv' | 'json',
  type: string,
  names: readonly string[],
  values: (row: Row) => CsvValue[],
): RowForm<Row> {
  const clean = (row: Row) => values(row).map((value) => (typeof value === 'string' ? sanitize(value) : value));
  if (format === 'csv') return { head: csvLine(names), line: (row) => csvLine(clean(row)) };
  const fields = (row: Row): Fields => clean(row).map((value, at) => [names[at] as string, value]);
  return { head: '', line: (row) => `${JSON.stringify({ type, schema: SCHEMA, ...Object.fromEntries(fields(row)) })}\n` };
}

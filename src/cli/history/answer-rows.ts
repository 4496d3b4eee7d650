// An answer of history for programs: one JSON object, or CSV with one line a row. The names are those of the NDJSON. Pure.

import type { HistoryResult, HistoryRow, HistoryTotals } from '../../net/history.ts';
import { sanitize } from '../../net/text.ts';
import { type CsvValue, csvLine } from '../../stream/csv.ts';
import { SCHEMA, timeField } from '../../stream/fields.ts';

/** The whole answer as one line of JSON. */
export function answerJson(answer: HistoryResult): string {
  const { query, rows, total, oldest, newest, resolutionMs } = answer;
  const fields = {
    type: 'history',
    schema: SCHEMA,
    since: timeField(query.from),
    until: timeField(query.to),
    by: query.by,
    only: { app: query.app, domain: query.domain, category: query.category, interface: query.interface, filter: query.filter },
    resolution_ms: resolutionMs,
    oldest: oldest === null ? null : timeField(oldest),
    newest: newest === null ? null : timeField(newest),
    total: totals(total),
    rows: rows.map((row) => ({
      ...keys(row, query.by),
      ...totals(row),
      first_seen: timeField(row.firstSeen),
      last_seen: timeField(row.lastSeen),
    })),
  };
  return `${JSON.stringify(fields, safe)}\n`;
}

/** The rows as CSV. */
export function answerCsv({ query, rows }: HistoryResult): string {
  const head = csvLine([
    query.by,
    'reason',
    ...(detailName(query.by) === null ? [] : [detailName(query.by)]),
    ...Object.keys(totals({ rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, flows: 0 })),
    'first_seen',
    'last_seen',
  ]);
  const line = (row: HistoryRow) => {
    const values: CsvValue[] = [...Object.values(keys(row, query.by)), ...Object.values(totals(row))];
    return csvLine([...values, timeField(row.firstSeen), timeField(row.lastSeen)].map((value) => safe('', value) as CsvValue));
  };
  return head + rows.map(line).join('');
}

function keys(row: HistoryRow, by: string): Record<string, string | null> {
  const detail = detailName(by);
  return { [by]: row.key, reason: row.reason, ...(detail === null ? {} : { [detail]: row.detail }) };
}

function detailName(by: string): string | null {
  if (by === 'app') return 'exe';
  return by === 'host' ? 'domain' : null;
}

function totals({ rxBytes, txBytes, rxPackets, txPackets, flows }: HistoryTotals): Record<string, number> {
  return { rx_bytes: rxBytes, tx_bytes: txBytes, rx_packets: rxPackets, tx_packets: txPackets, flows };
}

function safe(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? sanitize(value) : value;
}

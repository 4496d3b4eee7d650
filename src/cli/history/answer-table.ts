// An answer of history as a table with bars, as JSON, and as CSV, for `netmon-tui history`. The table says what is not recorded; unknown is
// `-`, never 0. Pure.

import { compileFilter } from '../../filter/filter.ts';
import {
  type HistoryQuery,
  type HistoryResult,
  type HistoryRow,
  type HistoryTotals,
  RECORD_FIELDS,
  recordCommand,
  unrecorded,
} from '../../model/history.ts';
import type { UnitMode } from '../../model/options.ts';
import { counted } from '../../net/counted.ts';
import { sanitize } from '../../net/text.ts';
import { type CsvValue, csvLine } from '../../output/csv.ts';
import { SCHEMA, timeField } from '../../output/fields.ts';
import {
  amountColumns,
  fixed,
  flexible,
  nameOrReason,
  REPORT_WIDTHS,
  type Sheet,
  sheetOf,
  type TextColumn,
  type TextStyle,
  tableLines,
} from '../../output/text-table.ts';
import { drawable } from '../../view/text/cells.ts';
import { formatAmount, formatDateTime, formatGrouped, formatShare } from '../../view/text/format.ts';
import type { Glyphs } from '../../view/text/glyphs.ts';

/** How the table is drawn. */
export interface AnswerStyle extends TextStyle {
  readonly units: UnitMode;
}

const DETAIL_COLUMNS = 110;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** The table, newline at the end. @param path of the history file, shown if it is empty */
export function answerText(answer: HistoryResult, path: string, style: AnswerStyle): string {
  const sheet = sheetOf(style, REPORT_WIDTHS);
  const { glyphs, paint } = sheet;
  const { query, rows, total, oldest, newest } = answer;
  const lines = [paint.title(rangeText(answer))];
  if (oldest === null || newest === null) {
    lines.push(
      `nothing is recorded yet in ${drawable(path, glyphs)}`,
      `to record, type: ${drawable(recordCommand(path), glyphs)}`,
    );
    return `${lines.join('\n')}\n`;
  }
  const amount = (bytes: number) => formatAmount(bytes, style.units).trim();
  lines.push(
    `received ${amount(total.rxBytes)}, sent ${amount(total.txBytes)}, ${counted(total.flows, 'connection')}${filterText(answer, glyphs)}`,
    paint.dim(recordedText(answer)),
    ...unrecordedLines(query),
    '',
  );
  if (rows.length === 0) lines.push(...nothingLines(query));
  else lines.push(...tableLines(columnsOf(answer, style.units, sheet), rows, sheet));
  return `${lines.join('\n')}\n`;
}

/** Says why there are no rows: a filter on a field that records don't have matches nothing. */
function nothingLines({ app, domain, category, interface: name, filter }: HistoryQuery): string[] {
  if ((app ?? domain ?? category ?? name ?? filter) === null) return ['nothing is recorded in this range'];
  const said = 'nothing that matches is recorded in this range';
  return filter === null ? [said] : [said, `a record keeps ${RECORD_FIELDS}; more is in: netmon-tui export --flows`];
}

/** What the filter asks for and records don't have. */
function unrecordedLines({ filter }: HistoryQuery): string[] {
  const compiled = filter === null ? null : compileFilter(filter);
  const said = compiled?.ok === true ? unrecorded(compiled.filter.fields) : '';
  return said === '' ? [] : [said];
}

/** `2026-11-21 16:05 to 2026-11-22 16:05, by app`. */
function rangeText({ query }: HistoryResult): string {
  const begin = query.from === 0 ? 'the beginning' : formatDateTime(query.from).slice(0, 16);
  return `History from ${begin} to ${formatDateTime(query.to).slice(0, 16)}, by ${query.by}`;
}

function filterText({ query }: HistoryResult, glyphs: Glyphs): string {
  const parts = (['app', 'domain', 'category', 'interface'] as const).flatMap((name) => {
    const value = query[name];
    return value === null ? [] : [`${name} ${value}`];
  });
  if (query.filter !== null) parts.push(`filter ${query.filter}`);
  return parts.length === 0 ? '' : `; only ${drawable(parts.join(', '), glyphs)}`;
}

/** How finely the range is recorded, and which part of it is recorded at all. */
function recordedText({ query, oldest, newest, resolutionMs }: HistoryResult): string {
  const step = resolutionMs <= MINUTE_MS ? 'minute' : resolutionMs <= HOUR_MS ? 'hour' : 'day';
  const parts = [`kept by the ${step}`];
  if (oldest !== null && oldest > query.from) parts.push(`nothing recorded before ${formatDateTime(oldest).slice(0, 16)}`);
  if (newest !== null && newest + 15 * MINUTE_MS < query.to) parts.push(`last recorded ${formatDateTime(newest).slice(0, 16)}`);
  return parts.join('; ');
}

function columnsOf(answer: HistoryResult, units: UnitMode, { width, glyphs }: Sheet): TextColumn<HistoryRow>[] {
  const { query, rows, total } = answer;
  const bytes = (row: { rxBytes: number; txBytes: number }) => row.rxBytes + row.txBytes;
  const most = Math.max(1, ...rows.map((row) => Math.max(0, bytes(row))));
  const all = bytes(total);
  const barWidth = Math.max(10, Math.floor(width / 4));
  const isTime = query.by === 'hour' || query.by === 'day';
  const hasDetail = width >= DETAIL_COLUMNS && (query.by === 'app' || query.by === 'host');
  const key = (row: HistoryRow) => keyText(row, query.by);
  return [
    isTime
      ? fixed<HistoryRow>(query.by, query.by === 'hour' ? 20 : 14, 'left', key)
      : flexible<HistoryRow>(query.by, 12, 2, key, query.by === 'host' || query.by === 'domain' ? 'start' : 'end'),
    ...(hasDetail
      ? [flexible<HistoryRow>(query.by === 'app' ? 'path' : 'domain', 8, 1, (row) => row.detail ?? '-', 'start')]
      : []),
    ...amountColumns<HistoryRow>(units),
    ...(width >= 76 ? [fixed<HistoryRow>('flows', 7, 'right', (row) => formatGrouped(row.flows))] : []),
    fixed<HistoryRow>('share', 7, 'right', (row) => (all > 0 ? formatShare(bytes(row) / all) : '-')),
    {
      ...fixed<HistoryRow>(`RX ${rxSign(glyphs)} TX ${txSign(glyphs)}`, barWidth, 'left', (row) =>
        bar(row, most, barWidth, glyphs),
      ),
      grows: isTime ? 1 : 0,
    },
  ];
}

function keyText(row: HistoryRow, by: string): string {
  if (row.start === null) return nameOrReason(row.key, row.reason);
  const day = `${WEEKDAYS[new Date(row.start).getDay()]} ${formatDateTime(row.start)}`;
  return day.slice(0, by === 'hour' ? 20 : 14);
}

const rxSign = (glyphs: Glyphs) => glyphs.bar;
const txSign = (glyphs: Glyphs) => (glyphs.ascii ? '=' : '□');

/** RX, then TX. Anything above zero takes at least one cell. */
function bar(row: HistoryRow, most: number, width: number, glyphs: Glyphs): string {
  const cells = (value: number) => (value > 0 ? Math.max(1, Math.round((value / most) * width)) : 0);
  const tx = cells(row.txBytes);
  const rx = Math.min(cells(row.rxBytes), Math.max(row.rxBytes > 0 ? 1 : 0, width - tx));
  return rxSign(glyphs).repeat(rx) + txSign(glyphs).repeat(Math.min(tx, width - rx));
}

/** The whole answer as one line of JSON. Fields are named as in the JSON stream. */
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

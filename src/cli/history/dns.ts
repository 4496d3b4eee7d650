// `netmon-tui dns`: what was asked of DNS in a range of recorded time, with what each resolver did, or as JSON lines.

import { encryptedSubject, questionSubject } from '../../filter/fields.ts';
import { compileFilter, FILTER_HINT, type Filter } from '../../filter/filter.ts';
import { LOCAL_NETWORK, type RecordedDns, type RecordedQuestion } from '../../model/dns.ts';
import { NetmonError } from '../../model/errors.ts';
import type { TimeRange } from '../../model/history.ts';
import type { Options, UnitMode } from '../../model/options.ts';
import { counted } from '../../net/counted.ts';
import { quoted } from '../../net/quote.ts';
import { sanitize } from '../../net/text.ts';
import { dnsFields, encryptedDnsFields, SCHEMA, timeField } from '../../output/fields.ts';
import {
  fixed,
  flexible,
  nameOrReason,
  REPORT_WIDTHS,
  sheetOf,
  type TextColumn,
  type TextStyle,
  tableLines,
} from '../../output/text-table.ts';
import { formatAmount, formatDateTime, formatGrouped, formatRtt } from '../../view/text/format.ts';
import { askerOf, isFailure, isGroupAsked } from '../../view/tree/questions.ts';
import type { CommandLine } from '../command-line.ts';
import type { CommandIo } from './command-io.ts';
import { reading } from './command-io.ts';
import { parseRange } from './range.ts';

/** As many as history keeps. */
const ALL = 200_000;
/** From so many cells on, rows have the year, the type, the resolver. */
const WITH_YEAR = 80;
const WITH_TYPE = 70;
const WIDE = 96;
/** Written at once. */
const LINES_AT_ONCE = 1000;

type Encrypted = RecordedDns['encrypted'][number];

/**
 * Lists questions, oldest first, and what each app asked of resolvers that can't be read.
 *
 * @param path of the history file
 * @returns exit status 0. @throws NetmonError `usage`, `bad-filter`, `history`
 */
export async function dnsCommand(
  line: CommandLine,
  options: Pick<Options, 'ascii' | 'color' | 'units'>,
  path: string,
  io: CommandIo,
): Promise<number> {
  const now = io.clock.now();
  const range = parseRange(line.text('since'), line.text('until'), now);
  const filter = filterOf(line.text('filter'));
  const found = await reading(path, io, (reader) => reader.dns({ ...range, app: line.text('app') || null, most: ALL }));
  const questions = found.questions.filter((row) => filter === null || filter.matches(questionSubject(row), now));
  const encrypted = found.encrypted.filter((row) => filter === null || filter.matches(encryptedSubject(row), now));
  const { out } = io;
  if (line.has('json')) {
    for (let at = 0; at < questions.length; at += LINES_AT_ONCE) {
      const rows = questions.slice(at, at + LINES_AT_ONCE);
      if (!(await out.write(rows.map(questionLine).join('')))) return 0;
    }
    await out.write(encrypted.map(encryptedLine).join(''));
    return 0;
  }
  const style = { columns: out.columns, color: options.color && out.isTerminal, ascii: options.ascii };
  await out.write(dnsText({ questions, encrypted }, range, style, options.units));
  return 0;
}

function filterOf(text: string | null): Filter | null {
  if (text === null || text.trim() === '') return null;
  const result = compileFilter(text);
  if (!result.ok)
    throw new NetmonError('bad-filter', `filter ${quoted(text)}, column ${result.column + 1}: ${result.message}`, FILTER_HINT);
  return result.filter;
}

function questionLine(row: RecordedQuestion): string {
  return jsonLine({ type: 'dns', schema: SCHEMA, time: timeField(row.time), ...dnsFields(row) });
}

function encryptedLine(row: Encrypted): string {
  return jsonLine({ type: 'encrypted_dns', schema: SCHEMA, time: timeField(row.lastSeen), ...encryptedDnsFields(row) });
}

function jsonLine(fields: Record<string, unknown>): string {
  return `${JSON.stringify(fields, (_, value) => (typeof value === 'string' ? sanitize(value) : value))}\n`;
}

function dnsText({ questions, encrypted }: RecordedDns, { from, to }: TimeRange, style: TextStyle, units: UnitMode): string {
  const sheet = sheetOf(style, REPORT_WIDTHS);
  const begin = from === 0 ? 'the beginning' : formatDateTime(from).slice(0, 16);
  const failed = questions.filter(isFailure).length;
  const lines = [
    sheet.paint.title(`DNS from ${begin} to ${formatDateTime(to).slice(0, 16)}`),
    questions.length === 0
      ? encrypted.length === 0
        ? 'nothing was asked, or nothing that is kept'
        : 'nothing was asked that can be read'
      : `${counted(questions.length, 'question')}, ${failed === 0 ? 'none' : formatGrouped(failed)} failed`,
  ];
  if (questions.length > 0) lines.push('', ...tableLines(resolverColumns(), resolversOf(questions), sheet));
  if (encrypted.length > 0) lines.push('', ...tableLines(encryptedColumns(units), encrypted, sheet));
  if (questions.length > 0) lines.push('', ...tableLines(questionColumns(sheet.width), questions, sheet));
  return `${lines.join('\n')}\n`;
}

function questionColumns(width: number): readonly TextColumn<RecordedQuestion>[] {
  const took = ({ tookMs }: RecordedQuestion) => (tookMs === null ? '-' : formatRtt(tookMs));
  return [
    width >= WITH_YEAR
      ? fixed<RecordedQuestion>('time', 19, 'left', ({ time }) => formatDateTime(time))
      : fixed<RecordedQuestion>('time', 14, 'left', ({ time }) => formatDateTime(time).slice(5)),
    flexible('app', 8, 1, (row) => nameOrReason(askerOf(row), row.reason)),
    flexible('name', 16, 3, ({ name }) => name, 'start'),
    ...(width >= WITH_TYPE ? [fixed<RecordedQuestion>('type', 5, 'left', ({ type }) => type)] : []),
    flexible('answer', 10, 2, answerOf),
    fixed('took', 6, 'right', took),
    ...(width >= WIDE ? [flexible<RecordedQuestion>('resolver', 11, 1, ({ resolver }) => resolver.address)] : []),
  ];
}

function answerOf({ result, answer, answerCount }: RecordedQuestion): string {
  if (result !== 'NOERROR') return result;
  return answer === '' ? counted(answerCount, 'record') : answer.replaceAll('\n', ' ');
}

function resolverOf(row: RecordedQuestion): string {
  return isGroupAsked(row) ? LOCAL_NETWORK : row.resolver.address;
}

/** What one resolver did. */
interface ResolverFigures {
  readonly resolver: string;
  readonly transport: string;
  readonly questions: number;
  readonly failed: number;
  readonly lost: number;
  readonly medianMs: number | null;
  readonly slowMs: number | null;
}

function resolversOf(questions: readonly RecordedQuestion[]): readonly ResolverFigures[] {
  const groups = new Map<string, RecordedQuestion[]>();
  for (const row of questions) {
    const key = `${row.transport} ${resolverOf(row)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()]
    .map((rows) => {
      const times = rows.flatMap(({ tookMs }) => tookMs ?? []).sort((a, b) => a - b);
      const at = (share: number) => times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? null;
      const lost = rows.filter(({ result }) => result === 'no answer').length;
      const first = rows[0] as RecordedQuestion;
      const { transport } = first;
      const failed = rows.filter((row) => isFailure(row) && row.result !== 'no answer').length;
      return {
        resolver: resolverOf(first),
        transport,
        questions: rows.length,
        failed,
        lost,
        medianMs: at(0.5),
        slowMs: at(0.95),
      };
    })
    .sort((a, b) => b.questions - a.questions);
}

function resolverColumns(): readonly TextColumn<ResolverFigures>[] {
  const time = (ms: number | null) => (ms === null ? '-' : formatRtt(ms));
  return [
    flexible('resolver', 15, 1, ({ resolver }) => resolver),
    fixed('via', 5, 'left', ({ transport }) => transport),
    fixed('asked', 7, 'right', ({ questions }) => formatGrouped(questions)),
    fixed('failed', 6, 'right', ({ failed }) => formatGrouped(failed)),
    fixed('lost', 5, 'right', ({ lost }) => formatGrouped(lost)),
    fixed('median', 6, 'right', ({ medianMs }) => time(medianMs)),
    fixed('95 %', 6, 'right', ({ slowMs }) => time(slowMs)),
  ];
}

function encryptedColumns(units: UnitMode): readonly TextColumn<Encrypted>[] {
  const bytes = ({ rxBytes, txBytes }: Encrypted) => formatAmount(rxBytes + txBytes, units);
  return [
    flexible('encrypted to', 15, 2, ({ host }) => host, 'start'),
    fixed('via', 5, 'left', ({ transport }) => transport),
    flexible('app', 8, 1, ({ app, reason }) => nameOrReason(app, reason)),
    fixed('connections', 11, 'right', ({ connections }) => formatGrouped(connections)),
    fixed('bytes', 8, 'right', bytes),
  ];
}

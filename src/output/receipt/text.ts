// A receipt for people, as a terminal shows it: what moved in all, then a table by program and destination, then what was asked, opened and
// refused, and last what could not be told.

import type { UnitMode } from '../../model/options.ts';
import type { Receipt, ReceiptQuestion, ReceiptRow } from '../../model/receipt.ts';
import { counted } from '../../net/counted.ts';
import { shellWords } from '../../net/quote.ts';
import { drawable } from '../../view/text/cells.ts';
import { formatAmount, formatDuration } from '../../view/text/format.ts';
import {
  amountColumns,
  fixed,
  flexible,
  REPORT_WIDTHS,
  sheetOf,
  type TextColumn,
  type TextStyle,
  tableLines,
} from '../text-table.ts';

/** Lines of each list; the JSON has all. */
const MOST = { rows: 40, names: 20, listeners: 20, drift: 40, apps: 5 };
const LONGEST_COMMAND = 120;

/** What several processes of one program and one destination did. */
export interface FoldedRow {
  readonly app: string;
  readonly processes: number;
  readonly where: string;
  readonly direction: ReceiptRow['direction'];
  readonly connections: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  /** How the name and the process are known. */
  readonly known: string;
}

/** Rows by program and destination, in the order of the receipt. */
export function foldedRows({ rows, membership }: Pick<Receipt, 'rows' | 'membership'>): FoldedRow[] {
  const folded = new Map<string, { row: FoldedRow; processes: Set<ReceiptRow['process']> }>();
  for (const row of rows) {
    const where = whereOf(row);
    const key = `${row.process.app}\0${row.direction}\0${where}`;
    const known = folded.get(key);
    const processes = known?.processes ?? new Set();
    processes.add(row.process);
    const sum = known?.row ?? { connections: 0, refused: 0, unanswered: 0, rxBytes: 0, txBytes: 0 };
    const made: FoldedRow = {
      app: row.process.app,
      processes: processes.size,
      where,
      direction: row.direction,
      connections: sum.connections + row.connections,
      refused: sum.refused + row.refused,
      unanswered: sum.unanswered + row.unanswered,
      rxBytes: sum.rxBytes + row.rxBytes,
      txBytes: sum.txBytes + row.txBytes,
      known: known?.row.known ?? knownBy(row, membership),
    };
    folded.set(key, { row: made, processes });
  }
  return [...folded.values()].map(({ row }) => row).sort((a, b) => b.rxBytes + b.txBytes - a.rxBytes - a.txBytes);
}

/** Questions by program: each of its processes may ask the same. */
function foldedQuestions(questions: readonly ReceiptQuestion[]): ReceiptQuestion[] {
  const folded = new Map<string, ReceiptQuestion>();
  for (const question of questions) {
    const key = `${question.app}\0${question.type} ${question.result} ${question.name}`;
    folded.set(key, { ...question, times: question.times + (folded.get(key)?.times ?? 0) });
  }
  return [...folded.values()];
}

/** Where a row went, or came from: `registry.npmjs.org:443`, `:8080 from 10.0.0.1`. */
export function whereOf({ direction, host, address, port, protocol }: ReceiptRow): string {
  const name = host ?? address;
  const service = port === 0 ? ` ${protocol}` : `:${port}`;
  if (direction === 'inbound') return `${service.trim()} from ${name}`;
  return host === null && address.includes(':') && port !== 0 ? `[${name}]${service}` : `${name}${service}`;
}

function knownBy({ host, nameSource, nameReason, attribution, process }: ReceiptRow, membership: Receipt['membership']): string {
  const parts = [host === null ? (nameReason ?? 'no name') : nameSource];
  if (attribution !== 'exact') parts.push(`owner by ${attribution}`);
  if (process.membership !== membership && membership === 'cgroup') parts.push('left its cgroup');
  return parts.join(', ');
}

/** How it is known who belongs to the command; empty where the lines of what wasn't told say it. */
export function membershipLine({ membership, membershipNote }: Pick<Receipt, 'membership' | 'membershipNote'>): string {
  if (membership === 'polling') return '';
  if (membership === 'cgroup') return 'its processes are known by a cgroup of its own';
  const why = membershipNote === null ? '' : `; no cgroup of its own: ${membershipNote}`;
  return `its processes are known by who started them${why}`;
}

/** The lines that say the whole in short: what ran, what it moved, what doesn't fit its policy, what could not be told. */
export function receiptSummary(receipt: Receipt, units: UnitMode): string[] {
  const { total, status, rows, session, untold, policy } = receipt;
  const words = shellWords(receipt.command);
  const shown = words.length > LONGEST_COMMAND ? `${words.slice(0, LONGEST_COMMAND)}...` : words;
  const hosts = new Set(rows.filter(({ direction }) => direction !== 'inbound').map(({ host, address }) => host ?? address)).size;
  const lines = [
    session === null
      ? `${shown}: status ${status} after ${formatDuration(receipt.ended - receipt.started)}, as ${receipt.user}`
      : `${shown}, pid ${session}, and what it started: followed for ${formatDuration(receipt.ended - receipt.started)}, as ${receipt.user}`,
    `received ${amount(total.rxBytes, units)}, sent ${amount(total.txBytes, units)}: ${counted(receipt.connections, 'connection')}, ${counted(hosts, 'host')}`,
  ];
  if (policy !== null) {
    const drifts = policy.judgements.filter(({ drift }) => drift).length;
    lines.push(drifts === 0 ? `no drift from ${policy.path}` : `${counted(drifts, 'destination')} outside of ${policy.path}`);
    lines.push(...unjudgedLines(policy));
  }
  return [...lines, ...untoldLines(untold, units)];
}

/** What passed without being judged, lest "no drift" be read as more than it is. */
function unjudgedLines({ path, judgements }: NonNullable<Receipt['policy']>): string[] {
  const passed = judgements.filter(({ drift }) => !drift);
  const undeclared = passed.filter(({ verdict }) => verdict === 'undeclared');
  const apps = [...new Set(undeclared.map(({ row }) => row.process.app))];
  const unjudged = passed.filter(({ verdict }) => verdict === 'unjudged').length;
  const lines: string[] = [];
  if (apps.length > 0) {
    const rest = apps.length > MOST.apps ? ` and ${counted(apps.length - MOST.apps, 'more', 'more')}` : '';
    const named = `${apps.slice(0, MOST.apps).join(', ')}${rest}`;
    lines.push(`not judged: ${counted(undeclared.length, 'destination')} of ${named}, not listed in ${path}`);
  }
  if (unjudged > 0) lines.push(`not judged: ${counted(unjudged, 'destination')}, for want of a name or port`);
  return lines;
}

/** Without the spaces that line it up in a column. */
export function amount(bytes: number, units: UnitMode): string {
  return formatAmount(bytes, units).trim();
}

function untoldLines(untold: Receipt['untold'], units: UnitMode): string[] {
  const lines = [...untold.notes];
  if (untold.connections > 0)
    lines.push(
      `${counted(untold.connections, 'connection')} with ${amount(untold.bytes, units)} belonged to processes that nobody could name`,
    );
  if (untold.lostPackets > 0) lines.push(`${counted(untold.lostPackets, 'packet')} lost: their bytes are missing`);
  if (untold.unreadPackets > 0) lines.push(`${counted(untold.unreadPackets, 'packet')} could not be read`);
  if (untold.missedQuestions > 0) lines.push(`${counted(untold.missedQuestions, 'question')} of DNS came too fast to be read`);
  if (untold.foldedRows > 0) lines.push(`${counted(untold.foldedRows, 'connection')} had no room below, and are in the total`);
  return lines.map((line) => `not told: ${line}`);
}

/** The whole text, newline at the end. */
export function receiptText(receipt: Receipt, units: UnitMode, style: TextStyle): string {
  const sheet = sheetOf(style, REPORT_WIDTHS);
  const { paint, glyphs } = sheet;
  const draw = (line: string) => drawable(line, glyphs);
  const [title = '', ...summary] = receiptSummary(receipt, units);
  const lines = [paint.title(draw(title)), ...summary.map(draw)];
  const drifts = receipt.policy?.judgements.filter(({ drift }) => drift) ?? [];
  for (const { row, verdict, reason } of drifts.slice(0, MOST.drift))
    lines.push(draw(`drift: ${row.process.app} reached ${whereOf(row)}${verdict === 'unjudged' ? ` (${reason})` : ''}`));
  if (drifts.length > MOST.drift) lines.push(paint.dim(`and ${counted(drifts.length - MOST.drift, 'more', 'more')}`));
  const rows = foldedRows(receipt);
  if (rows.length > 0) lines.push('', ...tableLines(columns(sheet.width, units), rows.slice(0, MOST.rows), sheet));
  if (rows.length > MOST.rows)
    lines.push(paint.dim(`and ${counted(rows.length - MOST.rows, 'more', 'more')}; all are in --format json`));
  const names = foldedQuestions(receipt.questions).map(({ name, type, result, times, app }) => {
    const often = times === 1 ? '' : `, ${times} times`;
    return `asked ${name} ${type}: ${result}${often} (${app ?? 'unknown'})`;
  });
  lines.push(...listed(names, MOST.names, draw, paint.dim));
  const listeners = receipt.listeners.map(({ protocol, address, port, reach, app, pid, accepted }) => {
    const visits = accepted === null ? '' : `, accepted ${accepted}`;
    return `listened on ${protocol} ${address}:${port}, reach ${reach}${visits} (${app ?? 'unknown'} ${pid})`;
  });
  lines.push(...listed(listeners, MOST.listeners, draw, paint.dim));
  if ((receipt.left ?? 0) > 0) lines.push('', `${counted(receipt.left ?? 0, 'process', 'processes')} of it still ran at the end`);
  const membership = membershipLine(receipt);
  if (membership !== '') lines.push('', paint.dim(draw(membership)));
  return `${lines.join('\n')}\n`;
}

function listed(lines: readonly string[], most: number, draw: (line: string) => string, dim: (line: string) => string): string[] {
  if (lines.length === 0) return [];
  const rest = lines.length - most;
  return ['', ...lines.slice(0, most).map(draw), ...(rest > 0 ? [dim(`and ${counted(rest, 'more', 'more')}`)] : [])];
}

function columns(width: number, units: UnitMode): TextColumn<FoldedRow>[] {
  return [
    flexible<FoldedRow>('app', 10, 1, ({ app, processes }) => (processes === 1 ? app : `${app} (${processes})`)),
    flexible<FoldedRow>('destination', 18, 2, ({ where }) => where, 'start'),
    fixed<FoldedRow>('conns', 6, 'right', ({ connections }) => String(connections)),
    ...amountColumns<FoldedRow>(units),
    ...(width >= 90 ? [flexible<FoldedRow>('known by', 8, 1, outcomeOf)] : []),
  ];
}

function outcomeOf({ refused, unanswered, known }: FoldedRow): string {
  const parts = [refused > 0 ? `${refused} refused` : '', unanswered > 0 ? `${unanswered} unanswered` : '', known];
  return parts.filter((part) => part !== '').join(', ');
}

// The table of `--once`: one snapshot as plain text for a terminal or a pipe. Unknown is `-`, never 0.

import type { UnitMode } from '../model/options.ts';
import type { AppRow, FlowRow, HostRow, Snapshot, Traffic } from '../model/snapshot.ts';
import type { Endpoint } from '../model/terms.ts';
import { counted } from '../net/counted.ts';
import { stateOf } from '../view/tables/connections.ts';
import { drawable } from '../view/text/cells.ts';
import {
  formatAmount,
  formatDateTime,
  formatDuration,
  formatGrouped,
  formatRate,
  formatShare,
  RATE_WIDTH,
} from '../view/text/format.ts';
import { notCaptured } from '../view/traffic.ts';
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
} from './text-table.ts';

/** How the table is drawn. */
export interface TableStyle extends TextStyle {
  readonly names: boolean;
  readonly units: UnitMode;
}

/** The sheet of a sample, and what there is room for on it. */
interface SampleSheet extends Sheet, Pick<TableStyle, 'names' | 'units'> {
  readonly hasRates: boolean;
  /** There is room for users and states. */
  readonly isWide: boolean;
}

/** The rows of which there may be very many. */
interface ManyRows {
  readonly hosts: Iterable<HostRow>;
  readonly flows: Iterable<FlowRow>;
}

/** The rows of a section, and how many there are. */
interface Shown<Row> {
  readonly rows: readonly Row[];
  readonly count: number;
}

const MOST_COLUMNS = 240;
const RATE_COLUMNS = 96;
const WIDE_COLUMNS = 76;
const MOST_ROWS = { alerts: 50, apps: 20, hosts: 20, flows: 30 } as const;

/** The table, newline at the end. @param rows hosts and flows if the snapshot lacks them; each is asked for once, and few are kept */
export function tableText(snapshot: Snapshot, style: TableStyle, rows: ManyRows = snapshot): string {
  const { names, units } = style;
  const base = sheetOf(style, { ...REPORT_WIDTHS, most: MOST_COLUMNS });
  const hasRates = base.width >= RATE_COLUMNS && snapshot.capture.file === null;
  const sheet: SampleSheet = { ...base, names, units, hasRates, isWide: base.width >= WIDE_COLUMNS };
  const apps = topOf(snapshot.apps, MOST_ROWS.apps);
  const hosts = topOf(rows.hosts, MOST_ROWS.hosts);
  const flows = { ...topOf(rows.flows, MOST_ROWS.flows), count: snapshot.flowCount };
  const lines = [
    ...headLines(snapshot, sheet),
    ...alertLines(snapshot, sheet),
    ...sectionLines('Apps', apps, appColumns(sheet), sheet),
    ...sectionLines('Hosts', hosts, hostColumns(sheet), sheet),
    ...sectionLines('Connections', flows, flowColumns(sheet), sheet),
  ];
  return `${lines.join('\n')}\n`;
}

function headLines({ capture, total, started, time }: Snapshot, { units, glyphs, paint }: SampleSheet): string[] {
  const amount = (bytes: number | null) => (bytes === null ? '-' : formatAmount(bytes, units).trim());
  const number = (value: number | null) => (value === null ? '-' : formatGrouped(value));
  const packets = (count: number | null) => (count === null ? '- packets' : counted(count, 'packet'));
  const safe = (text: string) => drawable(text, glyphs);
  const missed = notCaptured(capture.countedFrameBytes, capture.countedInterfaceBytes);
  const ms = Math.max(0, time - started);
  const lines = [
    `${paint.title(safe(capture.file ?? (capture.interfaces.join(' ') || '-')))}  driver ${safe(capture.driver)}, attribution ${safe(capture.attribution)}`,
    `since ${formatDateTime(started)}, ${ms < 10_000 ? `${(ms / 1000).toFixed(1)}s` : formatDuration(ms)}`,
    `received ${amount(total.rxBytes)} in ${packets(total.rxPackets)}, sent ${amount(total.txBytes)} in ${packets(total.txPackets)}`,
    `dropped by the kernel ${number(capture.dropped)}, dropped by netmon-tui ${number(capture.shed)}`,
    `not captured ${missed === null ? '-' : formatShare(missed)}, unowned ${amount(total.unownedBytes)}, undecoded ${number(capture.undecoded)}`,
  ];
  if (capture.note !== '') lines.push(`note: ${safe(capture.note)}`);
  if (capture.reverseDns) lines.push('reverse DNS: addresses without a name are asked for theirs');
  for (const { driver, reason } of capture.fallbacks) lines.push(paint.dim(`not ${safe(driver)}: ${safe(reason)}`));
  return lines;
}

/** The sentences whole: they are what a reader of one table has of the watch. Nothing if nothing was raised. */
function alertLines({ alerts }: Snapshot, { glyphs, paint }: SampleSheet): string[] {
  if (alerts.length === 0) return [];
  const shown = alerts.slice(-MOST_ROWS.alerts);
  const rest = alerts.length - shown.length;
  return [
    '',
    paint.title(`Alerts (${alerts.length})`),
    ...shown.map(({ severity, kind, text }) => `${severity.padEnd(9)} ${kind.padEnd(16)} ${drawable(text, glyphs)}`),
    ...(rest > 0 ? [paint.dim(`and ${rest} more before`)] : []),
  ];
}

function sectionLines<Row>(title: string, shown: Shown<Row>, columns: readonly TextColumn<Row>[], sheet: Sheet): string[] {
  const { rows, count } = shown;
  const { paint } = sheet;
  const head = ['', paint.title(`${title} (${count})`)];
  if (rows.length === 0) return [...head, 'none'];
  const rest = count - rows.length;
  return [...head, ...tableLines(columns, rows, sheet), ...(rest > 0 ? [paint.dim(`and ${rest} more`)] : [])];
}

/** The `most` rows with the most bytes, largest first; equal rows in their order. It keeps no others: memory might not hold them all. */
function topOf<Row extends Traffic>(all: Iterable<Row>, most: number): Shown<Row> {
  const rows: Row[] = [];
  const bytes = (row: Row) => row.rxBytes + row.txBytes;
  let count = 0;
  for (const row of all) {
    count++;
    if (rows.length === most && bytes(row) <= bytes(rows[most - 1] as Row)) continue;
    let at = rows.length;
    while (at > 0 && bytes(rows[at - 1] as Row) < bytes(row)) at--;
    rows.splice(at, 0, row);
    if (rows.length > most) rows.pop();
  }
  return { rows, count };
}

function rateColumns<Row extends Traffic>({ units, hasRates }: SampleSheet): TextColumn<Row>[] {
  if (!hasRates) return [];
  return [
    fixed<Row>('RX rate', RATE_WIDTH, 'right', (row) => formatRate(row.rxRate, units)),
    fixed<Row>('TX rate', RATE_WIDTH, 'right', (row) => formatRate(row.txRate, units)),
  ];
}

function appColumns(sheet: SampleSheet): TextColumn<AppRow>[] {
  return [
    flexible('app', 12, 2, (row) => nameOrReason(row.app, row.reason)),
    fixed('pid', 10, 'right', ({ pids }) => (pids.length > 1 ? `${pids.at(-1)} +${pids.length - 1}` : pids.join())),
    ...(sheet.isWide ? [fixed<AppRow>('user', 8, 'left', (row) => row.user ?? '')] : []),
    fixed('flows', 6, 'right', (row) => String(row.flows)),
    ...amountColumns<AppRow>(sheet.units),
    ...rateColumns<AppRow>(sheet),
  ];
}

function hostColumns(sheet: SampleSheet): TextColumn<HostRow>[] {
  const address = (row: HostRow) => row.addresses[0] ?? row.host;
  return [
    flexible('host', 14, 2, (row) => nameOrReason(sheet.names ? row.host : address(row), row.reason), 'start'),
    fixed('from', 4, 'left', (row) => (row.nameSource === 'none' ? '' : row.nameSource)),
    fixed('flows', 6, 'right', (row) => String(row.flows)),
    ...amountColumns<HostRow>(sheet.units),
    ...rateColumns<HostRow>(sheet),
  ];
}

function flowColumns(sheet: SampleSheet): TextColumn<FlowRow>[] {
  return [
    fixed('proto', 6, 'left', (row) => row.protocol),
    flexible('local', 11, 4, (row) => endpoint(row.local.address, row.local), 'start'),
    flexible(
      'remote',
      9,
      4,
      (row) => endpoint(sheet.names && row.host !== null ? row.host : row.remote.address, row.remote),
      'start',
    ),
    ...(sheet.isWide ? [fixed<FlowRow>('state', 12, 'left', (row) => stateOf(row) ?? '')] : []),
    flexible('app', 7, 2, (row) => nameOrReason(row.app, row.reason)),
    ...amountColumns<FlowRow>(sheet.units),
  ];
}

/** Name and port; port 0 stands for a protocol without ports. */
function endpoint(name: string, { port }: Endpoint): string {
  if (port === 0) return name;
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`;
}

// The connections table: one row for each flow, owner first, then where to.
// Narrow screens give up, in this order: attribution, category, interface, pid, application, local port, age, round trip, retransmits, totals, state,
// protocol. App, direction, remote and the two rates stay.

import type { FlowRow } from '../../model/snapshot.ts';
import { formatAge, formatCount, formatRtt } from '../text/format.ts';
import { type Span, span } from '../text/span.ts';
import { BY_RATE, BY_TOTAL, type CellContext, type TableSpec } from './column.ts';
import { categoryColumn, countCell, numberColumn, widest, wordColumn } from './columns.ts';
import { endpointText, INFERRED, nameCell, portText, shown } from './masking.ts';
import { rateColumns, totalColumns } from './traffic.ts';
import { NEW, newCell } from './tree-cell.ts';

/** Short forms of the states of a flow, five cells at most; others are cut. */
const STATES: ReadonlyMap<string, string> = new Map([
  ['syn-sent', 'syn>'],
  ['syn-received', 'syn<'],
  ['established', 'estab'],
  ['closing', 'clsng'],
  ['closed', 'clsd'],
]);

/** Cells of a name that is not cut. */
const WHOLE = 512;

/** The state of a connection, in full; null for what has none: only TCP opens and closes. */
export function stateOf(row: FlowRow): string | null {
  return row.protocol === 'tcp' ? row.state : null;
}

function owner(row: FlowRow, context: CellContext): Span {
  if (row.app === null) return span(`(${shown(row.reason ?? 'no owner', context)})`, 'dim');
  const peer = row.peerApp === null ? '' : `${context.glyphs.local}${shown(row.peerApp, context)}`;
  return span(
    `${row.attribution === 'wildcard' ? INFERRED : ''}${shown(row.app, context)}${peer}`,
    row.closed ? 'dim' : row.attribution === 'wildcard' || row.attribution === 'listener' ? 'text' : 'name',
  );
}

/** Where to, in so many cells at most. */
function remote(row: FlowRow, context: CellContext, cells: number): string {
  return nameCell(endpointText(row.remote, row.host, row.protocol, context), row.nameSource, cells, context);
}

/** Only TCP's sequence numbers tell. */
function retransmitsOf(row: FlowRow): number | null {
  return row.protocol === 'tcp' ? row.retransmits : null;
}

function localPort(port: number, context: CellContext, row: FlowRow): Span {
  return span(`:${portText(port, row.protocol, context)}`, 'dim');
}

function arrow(row: FlowRow, { glyphs }: CellContext): Span {
  return span(glyphs[row.direction], 'dim');
}

/** Flows, busiest first. */
export const CONNECTIONS: TableSpec<FlowRow> = {
  title: 'Connections',
  sorts: [BY_RATE, BY_TOTAL],
  columns: [
    {
      ...wordColumn<FlowRow>('app', { min: 14, max: 24, rank: 1 }, (row) => row.app?.toLowerCase() ?? null),
      least: 10,
      plain: (row, context) => owner(row, context).text,
      wants: (rows, context) =>
        widest(rows, (row) => `${owner(row, context).text}${context.recentlySeen.apps.has(row.app ?? '') ? NEW : ''}`),
      cell: (row, context, width) =>
        newCell(context.recentlySeen.apps.has(row.app ?? ''), width, context, 'end', () => owner(row, context)),
    },
    numberColumn<FlowRow>(
      'pid',
      { min: 7, max: 7, rank: 14 },
      (row) => row.pid,
      (pid) => span(String(pid), 'dim'),
    ),
    {
      ...numberColumn<FlowRow>('local-port', { min: 6, max: 14, rank: 12 }, (row) => row.local.port || null, localPort, 'local'),
    },
    { key: 'direction', title: () => '', min: 1, max: 1, align: 'left', rank: 1, cell: arrow },
    {
      ...wordColumn<FlowRow>('remote', { min: 24, max: 60, rank: 1 }, (row) => (row.host ?? row.remote.address).toLowerCase()),
      least: 16,
      comfort: { cells: 34, before: 9 },
      weight: 3,
      cut: 'start',
      plain: (row, context) => endpointText(row.remote, row.host, row.protocol, context),
      wants: (rows, context) =>
        widest(rows, (row) => `${remote(row, context, WHOLE)}${context.recentlySeen.domains.has(row.domain ?? '') ? NEW : ''}`),
      cell: (row, context, width) =>
        newCell(context.recentlySeen.domains.has(row.domain ?? ''), width, context, 'start', (cells) =>
          span(remote(row, context, cells), row.closed ? 'dim' : 'text'),
        ),
    },
    wordColumn<FlowRow>('protocol', { min: 4, max: 6, rank: 5 }, (row) => row.protocol, { title: 'prot' }),
    wordColumn<FlowRow>('application', { min: 6, max: 8, rank: 13 }, (row) => row.application, { title: 'appl' }),
    {
      ...wordColumn<FlowRow>('state', { min: 5, max: 5, rank: 6 }, stateOf),
      wants: (rows) => (rows.some((row) => stateOf(row) !== null) ? 5 : 0),
      cell: (row, context) => {
        const state = stateOf(row) ?? '';
        return span(shown(STATES.get(state) ?? state, context), 'dim');
      },
    },
    ...rateColumns<FlowRow>({ rx: 2, tx: 3 }),
    ...totalColumns<FlowRow>({ rx: 7, tx: 8 }),
    numberColumn<FlowRow>(
      'rtt',
      { min: 6, max: 6, rank: 10 },
      (row) => row.rttMs,
      (ms) => span(formatRtt(ms), 'dim'),
    ),
    {
      ...numberColumn<FlowRow>(
        'retransmits',
        { min: 5, max: 5, rank: 9 },
        retransmitsOf,
        (count) => span(formatCount(count), count > 0 ? 'warn' : 'dim'),
        'retr',
      ),
      wants: (rows) => (rows.some((row) => (retransmitsOf(row) ?? 0) > 0) ? 5 : 0),
    },
    {
      ...numberColumn<FlowRow>('age', { min: 6, max: 6, rank: 11 }, (row) => -row.firstSeen, countCell),
      cell: (row, context) => span(formatAge(context.now - row.firstSeen), 'dim'),
    },
    {
      ...wordColumn<FlowRow>('interface', { min: 6, max: 10, rank: 15 }, (row) => row.interface, { title: 'iface' }),
      // One interface alone stands in the header.
      wants: (rows, context) =>
        rows.some((row) => row.interface !== rows[0]?.interface) ? widest(rows, (row) => shown(row.interface, context)) : 0,
    },
    categoryColumn(16),
    wordColumn<FlowRow>('attribution', { min: 8, max: 8, rank: 17 }, (row) => row.attribution, {
      title: 'owner by',
      from: 'known',
    }),
  ],
};

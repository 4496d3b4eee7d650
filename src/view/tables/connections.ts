// The connections table: one row for each flow, owner first, then where to.
// Narrow screens give up, in this order: attribution, category, interface, retransmits, pid, application, local port, age, round trip, totals, state,
// protocol. App, direction, remote and the two rates stay.

import type { FlowRow } from '../../aggregate/snapshot.ts';
import { BY_RATE, type CellContext, type TableSpec } from '../column.ts';
import { formatAge, formatCount, formatRtt } from '../format.ts';
import { type Span, span } from '../span.ts';
import { endpointText, nameCell, portText, shown } from './masking.ts';
import { rateColumns, totalColumns } from './traffic.ts';

const [rxRate, txRate] = rateColumns<FlowRow>({ rx: 2, tx: 3 });
const [rxTotal, txTotal] = totalColumns<FlowRow>({ rx: 7, tx: 8 });

/** Short forms of the states of a flow, five cells at most; others are cut. */
const STATES: ReadonlyMap<string, string> = new Map([
  ['syn-sent', 'syn>'],
  ['syn-received', 'syn<'],
  ['established', 'estab'],
  ['closing', 'clsng'],
  ['closed', 'clsd'],
]);

function owner(row: FlowRow, context: CellContext): Span {
  if (row.app === null) return span(`(${shown(row.reason ?? 'no owner', context)})`, 'dim');
  const peer = row.peerApp === null ? '' : `${context.glyphs.local}${shown(row.peerApp, context)}`;
  return span(
    `${shown(row.app, context)}${peer}`,
    row.attribution === 'wildcard' || row.attribution === 'listener' ? 'text' : 'name',
  );
}

function arrow(row: FlowRow, { glyphs }: CellContext): Span {
  return span(glyphs[row.direction], 'dim');
}

/** Flows, busiest first. */
export const CONNECTIONS: TableSpec<FlowRow> = {
  title: 'Connections',
  sorts: [BY_RATE, { key: 'total', value: (row) => row.rxBytes + row.txBytes }],
  columns: [
    {
      key: 'app',
      title: () => 'app',
      min: 14,
      max: 24,
      align: 'left',
      rank: 1,
      ascendingFirst: true,
      value: (row) => row.app?.toLowerCase() ?? null,
      cell: owner,
    },
    {
      key: 'pid',
      title: () => 'pid',
      min: 7,
      max: 7,
      align: 'right',
      rank: 13,
      value: (row) => row.pid,
      cell: (row, { glyphs }) => span(row.pid === null ? glyphs.unknown : String(row.pid), 'dim'),
    },
    {
      key: 'local-port',
      title: () => 'local',
      min: 6,
      max: 14,
      align: 'right',
      rank: 11,
      value: (row) => row.local.port,
      cell: (row, context) =>
        span(row.local.port === 0 ? context.glyphs.unknown : `:${portText(row.local.port, row.protocol, context)}`, 'dim'),
    },
    { key: 'direction', title: () => '', min: 1, max: 1, align: 'left', rank: 1, cell: arrow },
    {
      key: 'remote',
      title: () => 'remote',
      min: 24,
      max: 60,
      weight: 3,
      align: 'left',
      cut: 'start',
      rank: 1,
      ascendingFirst: true,
      value: (row) => (row.host ?? row.remote.address).toLowerCase(),
      cell: (row, context, width) => {
        const text = endpointText(row.remote, row.host, row.protocol, context);
        return span(nameCell(text, row.nameSource, width, context), row.closed ? 'dim' : 'text');
      },
    },
    {
      key: 'protocol',
      title: () => 'prot',
      min: 4,
      max: 6,
      align: 'left',
      rank: 5,
      ascendingFirst: true,
      value: (row) => row.protocol,
      cell: (row, context) => span(shown(row.protocol, context), 'dim'),
    },
    {
      key: 'application',
      title: () => 'appl',
      min: 6,
      max: 8,
      align: 'left',
      rank: 12,
      ascendingFirst: true,
      value: (row) => row.application,
      cell: (row, context) => span(row.application === null ? context.glyphs.unknown : shown(row.application, context), 'dim'),
    },
    {
      key: 'state',
      title: () => 'state',
      min: 5,
      max: 5,
      align: 'left',
      rank: 6,
      ascendingFirst: true,
      value: (row) => row.state,
      cell: (row, context) => span(shown(STATES.get(row.state) ?? row.state, context), row.closed ? 'dim' : 'text'),
    },
    rxRate,
    txRate,
    rxTotal,
    txTotal,
    {
      key: 'rtt',
      title: () => 'rtt',
      min: 6,
      max: 6,
      align: 'right',
      rank: 9,
      value: (row) => row.rttMs,
      cell: (row, { glyphs }) =>
        span(row.rttMs === null ? glyphs.unknown : formatRtt(row.rttMs), row.rttMs === null ? 'dim' : 'text'),
    },
    {
      key: 'retransmits',
      title: () => 'retr',
      min: 5,
      max: 5,
      align: 'right',
      rank: 14,
      value: (row) => row.retransmits,
      cell: (row) => span(formatCount(row.retransmits), row.retransmits > 0 ? 'warn' : 'dim'),
    },
    {
      key: 'age',
      title: () => 'age',
      min: 6,
      max: 6,
      align: 'right',
      rank: 10,
      value: (row) => -row.firstSeen,
      cell: (row, context) => span(formatAge(context.now - row.firstSeen), 'dim'),
    },
    {
      key: 'interface',
      title: () => 'iface',
      min: 6,
      max: 10,
      align: 'left',
      rank: 15,
      ascendingFirst: true,
      value: (row) => row.interface,
      cell: (row, context) => span(shown(row.interface, context), 'dim'),
    },
    {
      key: 'category',
      title: () => 'category',
      min: 10,
      max: 14,
      align: 'left',
      rank: 16,
      ascendingFirst: true,
      value: (row) => row.category,
      cell: (row, context) => span(row.category === null ? context.glyphs.unknown : shown(row.category, context), 'dim'),
    },
    {
      key: 'attribution',
      title: () => 'owner by',
      min: 8,
      max: 8,
      align: 'left',
      rank: 17,
      ascendingFirst: true,
      value: (row) => row.attribution,
      cell: (row) => span(row.attribution, 'dim'),
    },
  ],
};

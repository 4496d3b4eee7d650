// The connections table: one row for each flow, owner first, then where to; an app's look-ups are one row.
// Narrow screens give up, in this order: attribution, category, interface, pid, application, local port, age, round trip, retransmits, totals, state,
// protocol. App, direction, remote and the two rates stay.

import type { FlowRow } from '../../model/snapshot.ts';
import type { Asked } from '../../model/terms.ts';
import { cut, WHOLE } from '../text/cells.ts';
import { formatAge, formatCount, formatGrouped, formatRtt } from '../text/format.ts';
import { type Span, span } from '../text/span.ts';
import type { ConnectionLine, Lookups } from '../tree/lookups.ts';
import { BY_RATE, BY_TOTAL, type CellContext, type TableSpec } from './column.ts';
import { categoryColumn, countCell, numberColumn, widest, wordColumn } from './columns.ts';
import { endpointText, hidden, INFERRED, nameCell, portText, shown } from './masking.ts';
import { rateColumns, totalColumns } from './traffic.ts';
import { NEW, newCell } from './tree-cell.ts';

/** Cells that a row of look-ups asks for; what else it could list takes no room from columns. */
const LOOKUPS_CELLS = 24;

/** Short forms of the states of a flow, five cells at most; others are cut. */
const STATES: ReadonlyMap<string, string> = new Map([
  ['syn-sent', 'syn>'],
  ['syn-received', 'syn<'],
  ['established', 'estab'],
  ['closing', 'clsng'],
  ['closed', 'clsd'],
]);

/** The state of a connection, in full; null for what has none: only TCP opens and closes. */
export function stateOf(row: FlowRow): string | null {
  return row.protocol === 'tcp' ? row.state : null;
}

/** The same in five cells. */
export function shortState(row: FlowRow): string | null {
  const state = stateOf(row);
  return state === null ? null : (STATES.get(state) ?? state);
}

function owner(row: FlowRow, context: CellContext): Span {
  if (row.app === null) return span(`(${shown(row.reason ?? 'no owner', context)})`, 'dim');
  const peer = row.peerApp === null ? '' : `${context.glyphs.local}${shown(row.peerApp, context)}`;
  return span(
    `${row.attribution === 'wildcard' ? INFERRED : ''}${shown(row.app, context)}${peer}`,
    row.closed ? 'dim' : row.attribution === 'wildcard' || row.attribution === 'listener' ? 'text' : 'name',
  );
}

/** Where to, in so many cells at most; a name loses its beginning first. */
function remote(row: ConnectionLine, context: CellContext, cells: number): string {
  const { glyphs } = context;
  if (row.lookups !== undefined) {
    const lead = `${context.open.has(row.id) ? glyphs.opened : glyphs.closed} `;
    return `${lead}${lookupsText(row.lookups, context, cells - lead.length)}`;
  }
  const lead = row.branch === undefined ? '' : '    ';
  const room = cells - lead.length;
  if (row.asked === null || !context.names)
    return `${lead}${nameCell(endpointText(row.remote, row.host, row.protocol, context), row.nameSource, room, context)}`;
  const more = row.asked.names > 1 ? ` +${formatGrouped(row.asked.names - 1)}` : '';
  return `${lead}${dnsText(hidden(row.asked.name, context), context, room - more.length)}${more}`;
}

/** `42 dns` and the latest names, or who answers where addresses are asked for. */
function lookupsText({ count, names, ends }: Lookups, context: CellContext, cells: number): string {
  const listed = (context.names && names.length > 0 ? names : ends).map((text) => hidden(text, context));
  if (count === 1) return dnsText(listed[0] ?? '', context, cells);
  const all = (context.privacy ? listed.slice(0, 1) : listed).join(', ');
  return cut(`${formatGrouped(count)} dns  ${all}`, cells, context.glyphs);
}

function dnsText(name: string, { glyphs }: CellContext, cells: number): string {
  return `dns ${cut(name, cells - 4, glyphs, 'start')}`;
}

/** What a connection to a resolver asked for. */
export function askedText({ name, names }: Asked, context: CellContext): string {
  return `${hidden(name, context)}${names > 1 ? `, and ${formatGrouped(names - 1)} before it` : ''}`;
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
export const CONNECTIONS: TableSpec<ConnectionLine> = {
  title: 'Connections',
  sorts: [BY_RATE, BY_TOTAL],
  columns: [
    {
      ...wordColumn<ConnectionLine>('app', { min: 14, max: 24, rank: 1 }, (row) => row.app?.toLowerCase() ?? null),
      least: 10,
      plain: (row, context) => owner(row, context).text,
      wants: (rows, context) =>
        widest(rows, (row) => `${owner(row, context).text}${context.recentlySeen.apps.has(row.app ?? '') ? NEW : ''}`),
      cell: (row, context, width) =>
        newCell(context.recentlySeen.apps.has(row.app ?? ''), width, context, 'end', () => owner(row, context)),
    },
    numberColumn<ConnectionLine>(
      'pid',
      { min: 7, max: 7, rank: 14 },
      (row) => row.pid,
      (pid) => span(String(pid), 'dim'),
    ),
    {
      ...numberColumn<ConnectionLine>(
        'local-port',
        { min: 6, max: 14, rank: 12 },
        (row) => row.local.port || null,
        localPort,
        'local',
      ),
    },
    { key: 'direction', title: () => '', min: 1, max: 1, align: 'left', rank: 1, cell: arrow },
    {
      ...wordColumn<ConnectionLine>('remote', { min: 24, max: 60, rank: 1 }, (row) =>
        row.lookups === undefined ? (row.asked?.name ?? row.host ?? row.remote.address).toLowerCase() : 'dns',
      ),
      least: 16,
      comfort: { cells: 34, before: 9 },
      weight: 3,
      cut: 'start',
      plain: (row, context) =>
        row.lookups === undefined ? remote(row, context, WHOLE).trim() : lookupsText(row.lookups, context, WHOLE),
      wants: (rows, context) =>
        widest(
          rows,
          (row) =>
            `${remote(row, context, row.lookups === undefined ? WHOLE : LOOKUPS_CELLS)}${context.recentlySeen.domains.has(row.domain ?? '') ? NEW : ''}`,
        ),
      cell: (row, context, width) =>
        newCell(context.recentlySeen.domains.has(row.domain ?? ''), width, context, 'start', (cells) =>
          span(remote(row, context, cells), row.closed ? 'dim' : 'text'),
        ),
    },
    wordColumn<ConnectionLine>('protocol', { min: 4, max: 6, rank: 5 }, (row) => row.protocol, { title: 'prot' }),
    wordColumn<ConnectionLine>('application', { min: 6, max: 8, rank: 13 }, (row) => row.application, { title: 'appl' }),
    {
      ...wordColumn<ConnectionLine>('state', { min: 5, max: 5, rank: 6 }, stateOf),
      wants: (rows) => (rows.some((row) => stateOf(row) !== null) ? 5 : 0),
      cell: (row, context) => span(shown(shortState(row) ?? '', context), 'dim'),
    },
    ...rateColumns<ConnectionLine>({ rx: 2, tx: 3 }),
    ...totalColumns<ConnectionLine>({ rx: 7, tx: 8 }, 'together'),
    numberColumn<ConnectionLine>(
      'rtt',
      { min: 6, max: 6, rank: 10 },
      (row) => row.rttMs,
      (ms) => span(formatRtt(ms), 'dim'),
    ),
    {
      ...numberColumn<ConnectionLine>(
        'retransmits',
        { min: 5, max: 5, rank: 9 },
        retransmitsOf,
        (count) => span(formatCount(count), count > 0 ? 'warn' : 'dim'),
        'retr',
      ),
      wants: (rows) => (rows.some((row) => (retransmitsOf(row) ?? 0) > 0) ? 5 : 0),
    },
    {
      ...numberColumn<ConnectionLine>('age', { min: 6, max: 6, rank: 11 }, (row) => -row.firstSeen, countCell),
      cell: (row, context) => span(formatAge(context.now - row.firstSeen), 'dim'),
    },
    {
      ...wordColumn<ConnectionLine>('interface', { min: 6, max: 10, rank: 15 }, (row) => row.interface, { title: 'iface' }),
      // One interface alone stands in the header.
      wants: (rows, context) =>
        rows.some((row) => row.interface !== rows[0]?.interface) ? widest(rows, (row) => shown(row.interface, context)) : 0,
    },
    categoryColumn(16),
    wordColumn<ConnectionLine>('attribution', { min: 8, max: 8, rank: 17 }, (row) => row.attribution, {
      title: 'owner by',
      from: 'known',
    }),
  ],
};

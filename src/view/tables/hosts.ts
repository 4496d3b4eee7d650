// The hosts table: one row for each remote end, by name where the wire told it.
// Narrow screens give up, in this order: recent, autonomous system, country, last seen, category, share, source, totals, flows.

import type { HostRow } from '../../aggregate/snapshot.ts';
import { displayWidth, fitText } from '../cells.ts';
import { BY_RATE, type CellContext, type TableSpec } from '../column.ts';
import { formatAge, formatCount } from '../format.ts';
import { type Span, span } from '../span.ts';
import { hidden, nameCell, shown } from './masking.ts';
import { rateColumns, recentColumn, shareColumn, totalColumns } from './traffic.ts';

const [rxRate, txRate] = rateColumns<HostRow>({ rx: 2, tx: 3 });
const [rxTotal, txTotal] = totalColumns<HostRow>({ rx: 5, tx: 6 });

/** Fewest cells in which a vendor tells something. */
const LEAST_VENDOR = 8;

/** A device of the local network that nothing names: its address, and where there is room who made it. */
function deviceCell(address: string, vendor: string, width: number, { glyphs }: CellContext): Span | readonly Span[] {
  const room = width - displayWidth(address) - 1;
  if (room < LEAST_VENDOR) return span(address, 'name');
  return [span(`${address} `, 'name'), span(fitText(vendor, room, glyphs), 'dim')];
}

/** Hosts, busiest first. */
export const HOSTS: TableSpec<HostRow> = {
  title: 'Hosts',
  sorts: [BY_RATE, { key: 'total', value: (row) => row.rxBytes + row.txBytes }],
  columns: [
    {
      key: 'host',
      title: () => 'host',
      min: 28,
      max: 60,
      weight: 3,
      align: 'left',
      cut: 'start',
      rank: 1,
      ascendingFirst: true,
      value: (row) => row.host?.toLowerCase() ?? null,
      cell: (row, context, width) => {
        const text = context.names ? row.host : (row.addresses.at(-1) ?? row.host);
        if (text === null) return span(`(${shown(row.reason ?? 'other hosts', context)})`, 'dim');
        return row.vendor !== null && row.nameSource === 'none' && context.names
          ? deviceCell(hidden(text, context), shown(row.vendor, context), width, context)
          : span(nameCell(hidden(text, context), row.nameSource, width, context), 'name');
      },
    },
    {
      key: 'source',
      title: () => 'by',
      min: 4,
      max: 4,
      align: 'left',
      rank: 7,
      ascendingFirst: true,
      value: (row) => row.nameSource,
      cell: (row, { glyphs }) => span(row.nameSource === 'none' ? glyphs.unknown : row.nameSource, 'dim'),
    },
    {
      key: 'category',
      title: () => 'category',
      min: 10,
      max: 14,
      align: 'left',
      rank: 10,
      ascendingFirst: true,
      value: (row) => row.category,
      cell: (row, context) => span(row.category === null ? context.glyphs.unknown : shown(row.category, context), 'dim'),
    },
    {
      key: 'country',
      title: () => 'cc',
      min: 2,
      max: 2,
      align: 'left',
      rank: 12,
      ascendingFirst: true,
      value: (row) => row.country,
      cell: (row, context) => span(row.country === null ? context.glyphs.unknown : shown(row.country, context), 'dim'),
    },
    {
      key: 'asn',
      title: () => 'asn',
      min: 8,
      max: 9,
      align: 'right',
      rank: 13,
      value: (row) => row.asn,
      cell: (row, { glyphs }) => span(row.asn === null ? glyphs.unknown : `AS${row.asn}`, 'dim'),
    },
    {
      key: 'flows',
      title: () => 'flows',
      min: 6,
      max: 6,
      align: 'right',
      rank: 4,
      value: (row) => row.flows,
      cell: (row) => span(formatCount(row.flows), 'text'),
    },
    rxRate,
    txRate,
    rxTotal,
    txTotal,
    shareColumn<HostRow>(8),
    recentColumn<HostRow>(14),
    {
      key: 'seen',
      title: () => 'seen',
      min: 6,
      max: 6,
      align: 'right',
      rank: 11,
      value: (row) => row.lastSeen,
      cell: (row, context) => span(formatAge(context.now - row.lastSeen), 'dim'),
    },
  ],
};

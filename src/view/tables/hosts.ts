// The hosts table: one row for each remote end, by name where the wire told it.
// Narrow screens give up, in this order: recent, autonomous system, country, last seen, category, share, source, totals, flows.

import type { HostRow } from '../../aggregate/snapshot.ts';
import { displayWidth, fitText } from '../cells.ts';
import { BY_RATE, BY_TOTAL, type CellContext, type TableSpec } from '../column.ts';
import { type Span, span } from '../span.ts';
import { categoryColumn, flowsColumn, numberColumn, seenColumn, wordColumn } from './columns.ts';
import { hidden, nameCell, shown } from './masking.ts';
import { rateColumns, recentColumn, shareColumn, totalColumns } from './traffic.ts';

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
  sorts: [BY_RATE, BY_TOTAL],
  columns: [
    {
      ...wordColumn<HostRow>('host', { min: 28, max: 60, rank: 1 }, (row) => row.host?.toLowerCase() ?? null),
      weight: 3,
      cut: 'start',
      cell: (row, context, width) => {
        const text = context.names ? row.host : (row.addresses.at(-1) ?? row.host);
        if (text === null) return span(`(${shown(row.reason ?? 'other hosts', context)})`, 'dim');
        return row.vendor !== null && row.nameSource === 'none' && context.names
          ? deviceCell(hidden(text, context), shown(row.vendor, context), width, context)
          : span(nameCell(hidden(text, context), row.nameSource, width, context), 'name');
      },
    },
    {
      ...wordColumn<HostRow>('source', { min: 4, max: 4, rank: 7 }, (row) => row.nameSource, { title: 'by' }),
      cell: (row, { glyphs }) => span(row.nameSource === 'none' ? glyphs.unknown : row.nameSource, 'dim'),
    },
    categoryColumn(10),
    wordColumn<HostRow>('country', { min: 2, max: 2, rank: 12 }, (row) => row.country, { title: 'cc' }),
    numberColumn<HostRow>(
      'asn',
      { min: 8, max: 9, rank: 13 },
      (row) => row.asn,
      (asn) => span(`AS${asn}`, 'dim'),
    ),
    flowsColumn(4),
    ...rateColumns<HostRow>({ rx: 2, tx: 3 }),
    ...totalColumns<HostRow>({ rx: 5, tx: 6 }),
    shareColumn<HostRow>(8),
    recentColumn<HostRow>(14),
    seenColumn(11),
  ],
};

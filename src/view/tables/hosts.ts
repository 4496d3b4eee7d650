// The hosts table: one row for each domain, under it its hosts by name where the wire told it, under those the apps that talked to them.
// Narrow screens give up, in this order: recent, autonomous system, country, last seen, category, share, source, totals, flows.

import { cut, displayWidth, WHOLE } from '../text/cells.ts';
import { type Line, plain as plainText, type Span, span } from '../text/span.ts';
import type { HostLine } from '../tree/host-tree.ts';
import { BY_RATE, BY_TOTAL, type CellContext, type TableSpec } from './column.ts';
import { categoryColumn, flowsColumn, numberColumn, seenColumn, widest, wordColumn } from './columns.ts';
import { hidden, nameCell, shown } from './masking.ts';
import { rateColumns, recentColumn, shareColumn, totalColumns } from './traffic.ts';
import { treeCell, treeText } from './tree-cell.ts';

/** Fewest cells that a domain keeps beside the number of its hosts. */
const LEAST_DOMAIN = 12;
/** Fewest cells in which a vendor tells something. */
const LEAST_VENDOR = 8;

/** A device of the local network that nothing names: its address, and where there is room who made it. */
function deviceCell(address: string, vendor: string, width: number, { glyphs }: CellContext): Span | readonly Span[] {
  const room = width - displayWidth(address) - 1;
  if (room < LEAST_VENDOR) return span(address, 'name');
  return [span(`${address} `, 'name'), span(cut(vendor, room, glyphs), 'dim')];
}

function nameOf(row: HostLine, context: CellContext, cells: number): Span | Line {
  const { glyphs } = context;
  if (row.branch?.kind === 'app' && row.host !== null) return span(cut(shown(row.host, context), cells, glyphs), 'text');
  const text = context.names ? row.host : (row.addresses.at(-1) ?? row.host);
  if (text === null) return span(cut(`(${shown(row.reason ?? 'other hosts', context)})`, cells, glyphs), 'dim');
  if (row.vendor !== null && row.nameSource === 'none' && context.names) {
    const made = deviceCell(hidden(text, context), shown(row.vendor, context), cells, context);
    return 'role' in made ? span(cut(made.text, cells, glyphs, 'start'), made.role) : made;
  }
  const more = row.hosts !== undefined && row.hosts > 1 ? ` (${row.hosts} hosts)` : '';
  const isCounted = more !== '' && cells - more.length >= LEAST_DOMAIN;
  const room = isCounted ? cells - more.length : cells;
  const name = span(cut(nameCell(hidden(text, context), row.nameSource, room, context), room, glyphs, 'start'), 'name');
  return isCounted ? [name, span(more, 'dim')] : name;
}

/** A name as words alone. */
function nameText(row: HostLine, context: CellContext): string {
  const made = nameOf(row, context, WHOLE);
  return 'role' in made ? made.text : plainText(made);
}

/** Hosts, busiest first. */
export const HOSTS: TableSpec<HostLine> = {
  title: 'Hosts',
  sorts: [BY_RATE, BY_TOTAL],
  columns: [
    {
      ...wordColumn<HostLine>('host', { min: 28, max: 60, rank: 1 }, (row) => row.host?.toLowerCase() ?? null),
      least: 14,
      comfort: { cells: 44, before: 12 },
      weight: 3,
      cut: 'start',
      plain: (row, context) => nameText(row, context).trim(),
      wants: (rows, context) =>
        widest(rows, (row) => treeText(row, nameText(row, context), context.recentlySeen.domains.has(row.domain ?? ''))),
      cell: (row, context, width) => {
        const kind = row.branch?.kind;
        return treeCell(
          {
            row,
            isNew: kind === undefined && context.recentlySeen.domains.has(row.domain ?? ''),
            expandable: row.host !== null && kind !== 'app',
          },
          width,
          context,
          (cells) => nameOf(row, context, cells),
        );
      },
    },
    {
      ...wordColumn<HostLine>('source', { min: 4, max: 4, rank: 7 }, (row) => row.nameSource, { title: 'by' }),
      wants: (rows) => (rows.some((row) => row.nameSource !== 'none') ? 4 : 0),
      cell: (row, { glyphs }) => span(row.nameSource === 'none' ? glyphs.unknown : row.nameSource, 'dim'),
    },
    categoryColumn(10),
    wordColumn<HostLine>('country', { min: 2, max: 2, rank: 12 }, (row) => row.country, { title: 'cc' }),
    numberColumn<HostLine>(
      'asn',
      { min: 8, max: 9, rank: 13 },
      (row) => row.asn,
      (asn) => span(`AS${asn}`, 'dim'),
    ),
    flowsColumn(4),
    ...rateColumns<HostLine>({ rx: 2, tx: 3 }),
    ...totalColumns<HostLine>({ rx: 5, tx: 6 }),
    shareColumn<HostLine>(8),
    recentColumn<HostLine>(14),
    seenColumn(11),
  ],
};

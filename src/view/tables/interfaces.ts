// The interfaces table: what was captured on each beside what the interface itself counted.
// Narrow screens give up, in this order: past, errors, lost, counter, coverage, in total, kind, totals.

import type { InterfaceRow } from '../../model/snapshot.ts';
import { sparkText } from '../text/cells.ts';
import { AMOUNT_WIDTH, formatAmount, formatCount, formatShare } from '../text/format.ts';
import { span } from '../text/span.ts';
import { BY_RATE, BY_TOTAL, type Column, type TableSpec } from './column.ts';
import { numberColumn, wordColumn } from './columns.ts';
import { rateColumns, totalColumns } from './traffic.ts';

function recent(key: 'recentRx' | 'recentTx'): Column<InterfaceRow> {
  return {
    key,
    title: (glyphs) => `${key === 'recentRx' ? glyphs.rx : glyphs.tx} past`,
    min: 7,
    max: 30,
    align: 'right',
    rank: 12,
    wants: (rows) => (rows.some((row) => row[key].length > 0) ? 7 : 0),
    cell: (row, context, width) =>
      span(sparkText(row[key], width, context.now, context.glyphs), key === 'recentRx' ? 'rx' : 'tx'),
  };
}

/** Interfaces, busiest first. */
export const INTERFACES: TableSpec<InterfaceRow> = {
  title: 'Interfaces',
  sorts: [BY_RATE, BY_TOTAL],
  columns: [
    wordColumn<InterfaceRow>('interface', { min: 9, max: 20, rank: 1 }, (row) => row.interface, { role: 'name' }),
    wordColumn<InterfaceRow>('kind', { min: 8, max: 8, rank: 6 }, (row) => row.kind, { from: 'known' }),
    {
      ...wordColumn<InterfaceRow>('headline', { min: 8, max: 8, rank: 7 }, (row) => (row.isCounted ? 'counted' : 'apart')),
      title: () => 'in total',
      wants: () => 8,
      cell: (row) => span(row.isCounted ? 'counted' : 'apart', row.isCounted ? 'text' : 'dim'),
    },
    ...rateColumns<InterfaceRow>({ rx: 2, tx: 3 }),
    ...totalColumns<InterfaceRow>({ rx: 4, tx: 5 }),
    numberColumn<InterfaceRow>(
      'counter',
      { min: AMOUNT_WIDTH, max: AMOUNT_WIDTH, rank: 9 },
      (row) => row.counterBytes,
      (bytes, { units }) => span(formatAmount(bytes, units), 'dim'),
    ),
    numberColumn<InterfaceRow>(
      'coverage',
      { min: 8, max: 8, rank: 8 },
      (row) =>
        row.counterBytes === null || row.counterBytes === 0 || row.frameBytes === null ? null : row.frameBytes / row.counterBytes,
      (share) => span(formatShare(share), share < 0.95 ? 'warn' : 'text'),
      'captured',
    ),
    numberColumn<InterfaceRow>(
      'lost',
      { min: 6, max: 6, rank: 10 },
      (row) => row.counterDropped,
      (count) => span(formatCount(count), count > 0 ? 'warn' : 'dim'),
    ),
    numberColumn<InterfaceRow>(
      'errors',
      { min: 6, max: 6, rank: 11 },
      (row) => row.counterErrors,
      (count) => span(formatCount(count), count > 0 ? 'warn' : 'dim'),
    ),
    recent('recentRx'),
    recent('recentTx'),
  ],
};

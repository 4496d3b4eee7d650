// The interfaces table: what was captured on each beside what the interface itself counted.
// Narrow screens give up, in this order: recent, lost, counter, coverage, in total, kind, totals.

import type { InterfaceRow } from '../../aggregate/snapshot.ts';
import { BY_RATE, type Column, type TableSpec } from '../column.ts';
import { AMOUNT_WIDTH, formatAmount, formatCount, formatShare } from '../format.ts';
import { span } from '../span.ts';
import { sparkText } from '../spark.ts';
import { shown } from './masking.ts';
import { rateColumns, totalColumns } from './traffic.ts';

const [rxRate, txRate] = rateColumns<InterfaceRow>({ rx: 2, tx: 3 });
const [rxTotal, txTotal] = totalColumns<InterfaceRow>({ rx: 4, tx: 5 });

function recent(key: 'recentRx' | 'recentTx'): Column<InterfaceRow> {
  return {
    key,
    title: (glyphs) => `${key === 'recentRx' ? glyphs.rx : glyphs.tx} recent`,
    min: 10,
    max: 30,
    align: 'right',
    rank: 12,
    cell: (row, context, width) =>
      span(sparkText(row[key], width, context.now, context.glyphs), key === 'recentRx' ? 'rx' : 'tx'),
  };
}

/** Interfaces, busiest first. */
export const INTERFACES: TableSpec<InterfaceRow> = {
  title: 'Interfaces',
  sorts: [BY_RATE, { key: 'total', value: (row) => row.rxBytes + row.txBytes }],
  columns: [
    {
      key: 'interface',
      title: () => 'interface',
      min: 10,
      max: 20,
      align: 'left',
      rank: 1,
      ascendingFirst: true,
      value: (row) => row.interface,
      cell: (row, context) => span(shown(row.interface, context), 'name'),
    },
    {
      key: 'kind',
      title: () => 'kind',
      min: 8,
      max: 8,
      align: 'left',
      rank: 6,
      ascendingFirst: true,
      value: (row) => row.kind,
      cell: (row) => span(row.kind, 'dim'),
    },
    {
      key: 'headline',
      title: () => 'in total',
      min: 8,
      max: 8,
      align: 'left',
      rank: 7,
      ascendingFirst: true,
      value: (row) => (row.headline ? 'counted' : 'apart'),
      cell: (row) => span(row.headline ? 'counted' : 'apart', row.headline ? 'text' : 'dim'),
    },
    rxRate,
    txRate,
    rxTotal,
    txTotal,
    {
      key: 'counter',
      title: () => 'counter',
      min: AMOUNT_WIDTH,
      max: AMOUNT_WIDTH,
      align: 'right',
      rank: 9,
      value: (row) => row.counterBytes,
      cell: (row, { glyphs, units }) =>
        span(row.counterBytes === null ? glyphs.unknown : formatAmount(row.counterBytes, units), 'dim'),
    },
    {
      key: 'coverage',
      title: () => 'seen',
      min: 7,
      max: 7,
      align: 'right',
      rank: 8,
      value: (row) => (row.counterBytes === null || row.counterBytes === 0 ? null : row.frameBytes / row.counterBytes),
      cell: (row, { glyphs }) =>
        row.counterBytes === null || row.counterBytes === 0
          ? span(glyphs.unknown, 'dim')
          : span(formatShare(row.frameBytes / row.counterBytes), row.frameBytes < row.counterBytes * 0.95 ? 'warn' : 'text'),
    },
    {
      key: 'lost',
      title: () => 'lost',
      min: 6,
      max: 6,
      align: 'right',
      rank: 10,
      value: (row) => row.counterDropped,
      cell: (row, { glyphs }) =>
        row.counterDropped === null
          ? span(glyphs.unknown, 'dim')
          : span(formatCount(row.counterDropped), row.counterDropped > 0 ? 'warn' : 'dim'),
    },
    recent('recentRx'),
    recent('recentTx'),
  ],
};

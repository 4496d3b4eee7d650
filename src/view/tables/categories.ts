// The categories table: what the traffic is for, busiest first.
// Narrow screens give up, in this order: recent, share, totals (TX, RX), flows. Category and the two rates stay.

import type { CategoryRow } from '../../aggregate/snapshot.ts';
import { BY_RATE, type TableSpec } from '../column.ts';
import { formatCount } from '../format.ts';
import { span } from '../span.ts';
import { shown } from './masking.ts';
import { rateColumns, recentColumn, shareColumn, totalColumns } from './traffic.ts';

const [rxRate, txRate] = rateColumns<CategoryRow>({ rx: 2, tx: 3 });
const [rxTotal, txTotal] = totalColumns<CategoryRow>({ rx: 5, tx: 6 });

/** Categories, busiest first. */
export const CATEGORIES: TableSpec<CategoryRow> = {
  title: 'Categories',
  sorts: [BY_RATE, { key: 'total', value: (row) => row.rxBytes + row.txBytes }],
  columns: [
    {
      key: 'category',
      title: () => 'category',
      min: 14,
      max: 30,
      weight: 2,
      align: 'left',
      rank: 1,
      ascendingFirst: true,
      value: (row) => row.category?.toLowerCase() ?? null,
      cell: (row, context) =>
        row.category === null ? span('(not categorised)', 'dim') : span(shown(row.category, context), 'name'),
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
    shareColumn<CategoryRow>(7),
    recentColumn<CategoryRow>(8),
  ],
};

// The categories table: what the traffic is for, busiest first.
// Narrow screens give up, in this order: recent, share over time, share, totals (TX, RX), flows. Category and the two rates stay.

import type { CategoryRow } from '../../model/snapshot.ts';
import { sparkText } from '../text/cells.ts';
import { span } from '../text/span.ts';
import { BY_RATE, BY_TOTAL, type TableSpec } from './column.ts';
import { flowsColumn, widest, wordColumn } from './columns.ts';
import { shown } from './masking.ts';
import { rateColumns, recentColumn, shareColumn, totalColumns } from './traffic.ts';

const NONE = '(not categorised)';

/** Categories, busiest first. */
export const CATEGORIES: TableSpec<CategoryRow> = {
  title: 'Categories',
  sorts: [BY_RATE, BY_TOTAL],
  columns: [
    {
      ...wordColumn<CategoryRow>('category', { min: 14, max: 30, rank: 1 }, (row) => row.category?.toLowerCase() ?? null),
      weight: 2,
      wants: (rows, context) => widest(rows, (row) => (row.category === null ? NONE : shown(row.category, context))),
      cell: (row, context) => (row.category === null ? span(NONE, 'dim') : span(shown(row.category, context), 'name')),
    },
    flowsColumn(4),
    ...rateColumns<CategoryRow>({ rx: 2, tx: 3 }),
    ...totalColumns<CategoryRow>({ rx: 5, tx: 6 }),
    shareColumn<CategoryRow>(7),
    {
      key: 'recentShare',
      title: () => 'share, 60 s',
      min: 12,
      max: 30,
      align: 'right',
      rank: 8,
      wants: (rows) => (rows.some(({ recent }) => recent.length > 0) ? 12 : 0),
      cell: ({ recent }, { recentTotal, now, glyphs }, width) => {
        const from = recentTotal.length - recent.length;
        const shares = recent.map((value, index) => value / Math.max(1, recentTotal[from + index] ?? 0));
        return span(sparkText(shares, width, now, glyphs, 1), 'spark');
      },
    },
    recentColumn<CategoryRow>(9),
  ],
};

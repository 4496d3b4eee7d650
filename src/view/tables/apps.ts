// The apps table: one row for each program, its helpers folded in.
// Narrow screens give up, in this order: recent, user, last seen, share, pids, totals (TX, RX), flows. App and the two rates stay.

import type { AppRow } from '../../aggregate/snapshot.ts';
import { BY_RATE, BY_TOTAL, type TableSpec } from '../column.ts';
import { span } from '../span.ts';
import { flowsColumn, numberColumn, seenColumn, wordColumn } from './columns.ts';
import { shown } from './masking.ts';
import { rateColumns, recentColumn, shareColumn, totalColumns } from './traffic.ts';

/** Apps, busiest first. */
export const APPS: TableSpec<AppRow> = {
  title: 'Apps',
  sorts: [BY_RATE, BY_TOTAL],
  columns: [
    {
      ...wordColumn<AppRow>('app', { min: 14, max: 44, rank: 1 }, (row) => row.app?.toLowerCase() ?? null),
      weight: 4,
      cell: (row, context) =>
        row.app === null ? span(`(${shown(row.reason ?? 'no owner', context)})`, 'dim') : span(shown(row.app, context), 'name'),
    },
    numberColumn<AppRow>(
      'pid',
      { min: 7, max: 10, rank: 7 },
      (row) => row.pids.at(-1) ?? null,
      (newest, _, { pids }) => span(pids.length > 1 ? `${newest}+${pids.length - 1}` : String(newest), 'dim'),
    ),
    wordColumn<AppRow>('user', { min: 8, max: 12, rank: 10 }, (row) => row.user, { from: 'secret' }),
    flowsColumn(4),
    ...rateColumns<AppRow>({ rx: 2, tx: 3 }),
    ...totalColumns<AppRow>({ rx: 5, tx: 6 }),
    shareColumn<AppRow>(8),
    recentColumn<AppRow>(11),
    seenColumn(9),
  ],
};

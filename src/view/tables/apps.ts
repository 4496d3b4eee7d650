// The apps table: one row for each program, its helpers folded in.
// Narrow screens give up, in this order: recent, user, last seen, share, pids, totals (TX, RX), flows. App and the two rates stay.

import type { AppRow } from '../../aggregate/snapshot.ts';
import { BY_RATE, type TableSpec } from '../column.ts';
import { formatAge, formatCount } from '../format.ts';
import { span } from '../span.ts';
import { hidden, shown } from './masking.ts';
import { rateColumns, recentColumn, shareColumn, totalColumns } from './traffic.ts';

const [rxRate, txRate] = rateColumns<AppRow>({ rx: 2, tx: 3 });
const [rxTotal, txTotal] = totalColumns<AppRow>({ rx: 5, tx: 6 });

/** Apps, busiest first. */
export const APPS: TableSpec<AppRow> = {
  title: 'Apps',
  sorts: [BY_RATE, { key: 'total', value: (row) => row.rxBytes + row.txBytes }],
  columns: [
    {
      key: 'app',
      title: () => 'app',
      min: 14,
      max: 44,
      weight: 4,
      align: 'left',
      rank: 1,
      ascendingFirst: true,
      value: (row) => row.app?.toLowerCase() ?? null,
      cell: (row, context) =>
        row.app === null ? span(`(${shown(row.reason ?? 'no owner', context)})`, 'dim') : span(shown(row.app, context), 'name'),
    },
    {
      key: 'pid',
      title: () => 'pid',
      min: 7,
      max: 10,
      align: 'right',
      rank: 7,
      value: (row) => row.pids.at(-1) ?? null,
      cell: (row, { glyphs }) => {
        const newest = row.pids.at(-1);
        if (newest === undefined) return span(glyphs.unknown, 'dim');
        return span(row.pids.length > 1 ? `${newest}+${row.pids.length - 1}` : String(newest), 'dim');
      },
    },
    {
      key: 'user',
      title: () => 'user',
      min: 8,
      max: 12,
      align: 'left',
      rank: 10,
      ascendingFirst: true,
      value: (row) => row.user,
      cell: (row, context) => span(row.user === null ? context.glyphs.unknown : hidden(row.user, context), 'dim'),
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
    shareColumn<AppRow>(8),
    recentColumn<AppRow>(11),
    {
      key: 'seen',
      title: () => 'seen',
      min: 6,
      max: 6,
      align: 'right',
      rank: 9,
      value: (row) => row.lastSeen,
      cell: (row, context) => span(formatAge(context.now - row.lastSeen), 'dim'),
    },
  ],
};

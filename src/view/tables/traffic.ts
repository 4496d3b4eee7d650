// Columns that every table has: rates, totals, share, the last seconds.

import type { Traffic } from '../../model/snapshot.ts';
import { meterOf, sparkText } from '../text/cells.ts';
import { AMOUNT_WIDTH, formatAmount, formatRate, formatShare, RATE_DIGITS, RATE_WIDTH } from '../text/format.ts';
import { type Role, type Span, span } from '../text/span.ts';
import { shownRate, shownRx, shownTx } from '../traffic.ts';
import type { CellContext, Column } from './column.ts';

/** A rate; nothing is a dot where its last digit would stand, so that rows that move stand out. */
function rate(value: number, role: Role, context: CellContext): Span {
  if (value > 0) return span(formatRate(value, context.units), role);
  return span(context.glyphs.nothing.padStart(RATE_DIGITS).padEnd(RATE_WIDTH), 'dim');
}

function amount(value: number, context: CellContext): Span {
  if (Number.isNaN(value)) return span(context.glyphs.unknown, 'dim');
  return span(formatAmount(value, context.units), 'dim');
}

/** RX and TX rates over the time that the titles name; together they carry the mark of the default sort. */
export function rateColumns<Row extends Traffic>(ranks: { rx: number; tx: number }): readonly [Column<Row>, Column<Row>] {
  return [
    {
      key: 'rx-rate',
      title: (glyphs, time) => `${glyphs.rx} ${time || 'rate'}`,
      min: RATE_WIDTH,
      max: RATE_WIDTH,
      align: 'right',
      rank: ranks.rx,
      kept: true,
      marks: 'rate',
      value: shownRx,
      cell: (row, context) => rate(shownRx(row, context.average), 'rx', context),
      plain: (row, context) => formatRate(shownRx(row, context.average), context.units).trim(),
    },
    {
      key: 'tx-rate',
      title: (glyphs, time) => `${glyphs.tx} ${time || 'rate'}`,
      min: RATE_WIDTH,
      max: RATE_WIDTH,
      align: 'right',
      rank: ranks.tx,
      kept: true,
      marks: 'rate',
      value: shownTx,
      cell: (row, context) => rate(shownTx(row, context.average), 'tx', context),
      plain: (row, context) => formatRate(shownTx(row, context.average), context.units).trim(),
    },
  ];
}

/** RX and TX totals; together they carry the mark of the sort by both. @param joins whether one may stand without the other */
export function totalColumns<Row extends Traffic>(
  ranks: { rx: number; tx: number },
  joins: 'apart' | 'together' = 'apart',
): readonly [Column<Row>, Column<Row>] {
  return [
    {
      key: 'rx',
      title: (glyphs) => `${glyphs.rx} total`,
      min: AMOUNT_WIDTH,
      max: AMOUNT_WIDTH,
      align: 'right',
      rank: ranks.rx,
      ...(joins === 'together' ? { partner: 'tx' } : {}),
      marks: 'total',
      value: (row) => row.rxBytes,
      cell: (row, context) => amount(row.rxBytes, context),
    },
    {
      key: 'tx',
      title: (glyphs) => `${glyphs.tx} total`,
      min: AMOUNT_WIDTH,
      max: AMOUNT_WIDTH,
      align: 'right',
      rank: ranks.tx,
      ...(joins === 'together' ? { partner: 'rx' } : {}),
      marks: 'total',
      value: (row) => row.txBytes,
      cell: (row, context) => amount(row.txBytes, context),
    },
  ];
}

/** Share of the rates of all rows at the top, as a bar and in percent. */
export function shareColumn<Row extends Traffic>(rank: number): Column<Row> {
  const percentWidth = 7;
  return {
    key: 'share',
    title: () => 'share',
    min: 5 + percentWidth,
    max: 13 + percentWidth,
    align: 'left',
    rank,
    cell: (row, context, width) => {
      const share = context.rate > 0 ? shownRate(row, context.average) / context.rate : 0;
      return [...meterOf(share, width - percentWidth, context.glyphs), span(formatShare(share).padStart(percentWidth), 'dim')];
    },
  };
}

/** The last minute, the mean of an equal range in each cell. */
export function recentColumn<Row extends { readonly recent: readonly number[] }>(rank: number): Column<Row> {
  return {
    key: 'recent',
    title: () => 'recent',
    min: 10,
    max: 20,
    align: 'right',
    rank,
    wants: (rows) => (rows.some((row) => row.recent.length > 0) ? 10 : 0),
    cell: (row, context, width) => span(sparkText(row.recent, width, context.now, context.glyphs), 'spark'),
  };
}

// The chart in a row's details: both directions over the last minute or five, and since when it is known. Before that it is blank.

import type { RateSeries } from '../../model/snapshot.ts';
import { NO_RATES } from '../../model/snapshot.ts';
import { mirrorLines, SCALE_CELLS } from '../chart/mirror.ts';
import { columnsIn } from '../chart/plot.ts';
import { chartData, NEW_CHART } from '../chart/range.ts';
import { columnsOf, type Peak, peakOf } from '../chart/slots.ts';
import type { CellContext } from '../tables/column.ts';
import type { AnyRow } from '../tables/rows.ts';
import { formatClock, formatRate } from '../text/format.ts';
import { type Line, type Span, span } from '../text/span.ts';
import { NAME_WIDTH } from './fact.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Lines of the chart on screens of fewer rows than `TALL`, and of more. */
const LOW_ROWS = 3;
const HIGH_ROWS = 7;
const TALL = 30;

/**
 * Lines above the facts; none for a row that never moves anything.
 *
 * @param known what was kept of the row while it was looked at; null where nothing was yet
 * @param rows of the screen
 */
export function rowChart(
  row: AnyRow,
  known: RateSeries | null,
  context: CellContext,
  width: number,
  rows: number,
): readonly Line[] {
  if (!('rxRate' in row)) return [];
  const own = 'recentRx' in row;
  const series = (own ? recentSeries(row, context.now) : known) ?? NO_RATES.seconds;
  const [end, length] = [series.ends[0] ?? context.now, series.lengths[0] ?? 0];
  const begin = end - length;
  const cells = width - SCALE_CELLS - 2;
  const range = context.now - begin > MINUTE ? 1 : 0;
  const columns = columnsIn(cells, context.glyphs);
  const { extent } = chartData({ ...NEW_CHART, range }, context.now, columns, { ...NO_RATES, seconds: series });
  const lines = mirrorLines(
    {
      extent,
      columns: columnsOf(series, extent),
      curve: 'linear',
      separate: false,
      peaks: { rx: null, tx: null },
      selected: null,
      units: context.units,
    },
    width - 2,
    rows < TALL ? LOW_ROWS : HIGH_ROWS,
    context.glyphs,
  );
  const since = begin > extent.from ? `since ${formatClock(begin)}` : range === 0 ? 'last minute' : 'last 5 min';
  const nothing = own ? 'nothing was measured yet' : 'starts now: charts are kept only for rows you open';
  const title: Line = [
    name('chart'),
    span(series.ends.length < 2 ? nothing : since, 'dim'),
    ...peak(peakOf(series, 'rx', extent), 'rx', context),
    ...peak(peakOf(series, 'tx', extent), 'tx', context),
  ];
  return [title, ...lines.map((line) => [span(' '), ...line]), ...(rows < TALL ? [] : [[]])];
}

function name(text: string): Span {
  return span(` ${text.padEnd(NAME_WIDTH)} `, 'dim');
}

function peak(found: Peak | null, direction: 'rx' | 'tx', { glyphs, units }: CellContext): readonly Span[] {
  if (found === null) return [];
  return [span(`  ${glyphs[direction]} peak ${formatRate(found.rate, units).trim()}`, direction)];
}

/** An interface keeps its last minute by itself, a value a second. */
function recentSeries(row: { recentRx: readonly number[]; recentTx: readonly number[] }, now: number): RateSeries {
  const { recentRx: rx, recentTx: tx } = row;
  const count = Math.min(rx.length, tx.length);
  const ends = Array.from({ length: count }, (_, i) => now - (count - 1 - i) * SECOND);
  return { ends, lengths: ends.map(() => SECOND), rx: rx.slice(-count), tx: tx.slice(-count) };
}

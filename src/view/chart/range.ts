// The range of a live chart and its columns. Columns are aligned to the clock: a shape keeps its form while it moves to the left.

import type { RangeTotals } from '../../model/range-totals.ts';
import type { RateSeries, Rates } from '../../model/snapshot.ts';
import type { Curve } from './scale.ts';
import { type Extent, slotsShown } from './slots.ts';

/** How far back a chart may go, and the resolution that serves it. */
export const RANGES = [
  { name: '1 min', ms: 60_000, series: 'seconds' },
  { name: '5 min', ms: 300_000, series: 'seconds' },
  { name: '15 min', ms: 900_000, series: 'tens' },
  { name: '1 h', ms: 3_600_000, series: 'tens' },
  { name: '6 h', ms: 21_600_000, series: 'minutes' },
  { name: '24 h', ms: 86_400_000, series: 'minutes' },
] as const satisfies readonly { name: string; ms: number; series: keyof Rates }[];
/** The chart keeps one part in so many free and moves on when that is full, instead of every second. */
const ROOM = 20;

/** The cursor, the marked range, and what moved in it. */
export interface ChartSelection {
  /** A time under the cursor, and one under the other end where a range is marked; epoch ms. */
  readonly cursor: number;
  readonly anchor: number | null;
  /** The range that was asked about, on whole slots. */
  readonly from: number;
  readonly to: number;
  /** What moved then; null until the answer comes. */
  readonly answer: RangeTotals | null;
}

/** Range, scales and selection of the charts. */
export interface ChartState {
  /** Index into RANGES. */
  readonly range: number;
  readonly curve: Curve;
  /** RX and TX have a scale each. */
  readonly separate: boolean;
  readonly selection: ChartSelection | null;
}

/** Charts as a run starts with them: five minutes, one linear scale. */
export const NEW_CHART: ChartState = { range: 1, curve: 'linear', separate: false, selection: null };

/** What the mark key does next. A mark that has gone nowhere yet may become all that the chart shows. */
export function nextMark(selection: ChartSelection | null): 'peak' | 'mark' | 'mark all' | 'clear the mark' {
  if (selection === null) return 'peak';
  if (selection.anchor === null) return 'mark';
  return selection.anchor === selection.cursor ? 'mark all' : 'clear the mark';
}

/** The range a state shows. */
export function rangeOf({ range }: ChartState): (typeof RANGES)[number] {
  return RANGES[range] ?? RANGES[1];
}

/**
 * The columns that end with `now`, and the rates that fill them: the resolution of the range, and finer ones from where its last slot ended, so that
 * what moved just now is in every chart.
 */
export function chartData(chart: ChartState, now: number, columns: number, rates: Rates): { extent: Extent; series: RateSeries } {
  const { ms, series } = rangeOf(chart);
  const count = Math.max(1, columns);
  const step = (ms / count) * Math.max(1, Math.round(count / ROOM / 2) * 2);
  const to = Math.ceil(now / step) * step;
  const joined = [rates.tens, rates.seconds].reduce(continued, rates[series]);
  return { extent: { from: to - ms, to, columns: count }, series: joined };
}

/** A series, and behind it the slots of a finer one that lie after its end. */
function continued(series: RateSeries, finer: RateSeries): RateSeries {
  if (series.ends.length === 0 || series === finer) return finer;
  const end = series.ends.at(-1) as number;
  const first = finer.ends.findLastIndex((each, i) => each - (finer.lengths[i] as number) / 2 < end) + 1;
  if (first === finer.ends.length) return series;
  return {
    ends: [...series.ends, ...finer.ends.slice(first)],
    lengths: [...series.lengths, ...finer.lengths.slice(first)],
    rx: [...series.rx, ...finer.rx.slice(first)],
    tx: [...series.tx, ...finer.tx.slice(first)],
  };
}

/** The range of the slots that are drawn in the cells from `a` to `b`; null when none is. */
export function slotsBetween(
  a: number,
  b: number,
  extent: Extent,
  across: number,
  series: RateSeries,
): { readonly from: number; readonly to: number } | null {
  const [first, last] = cellsBetween(a, b, extent, across);
  return slotsShown(series, extent, first * across, (last + 1) * across);
}

/** First and last cell under two times, in the order of time, kept within the chart. */
export function cellsBetween(a: number, b: number, extent: Extent, across: number): readonly [number, number] {
  const cells = Math.ceil(extent.columns / across);
  const cellOf = (time: number): number =>
    Math.min(cells - 1, Math.max(0, Math.floor(((time - extent.from) * extent.columns) / (extent.to - extent.from) / across)));
  return [cellOf(Math.min(a, b)), cellOf(Math.max(a, b))];
}

/** The middle of a cell. */
export function timeOfCell(cell: number, extent: Extent, across: number): number {
  return extent.from + ((cell + 0.5) * across * (extent.to - extent.from)) / extent.columns;
}

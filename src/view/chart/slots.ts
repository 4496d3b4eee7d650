// The columns of a chart: the highest rate in each, the peaks, and the slots that a column shows.

import type { RateSeries } from '../../model/snapshot.ts';

/** Times of a chart, epoch ms: `columns` equal ones between `from` and `to`. */
export interface Extent {
  readonly from: number;
  readonly to: number;
  readonly columns: number;
}

/** Rates by column: the highest in it, which hides no burst; NaN where nothing was measured. */
export interface Columns {
  readonly rx: readonly number[];
  readonly tx: readonly number[];
}

/** The highest rate of a direction, and its slot: times in epoch ms. */
export interface Peak {
  readonly rate: number;
  readonly from: number;
  readonly to: number;
}

/** Sorts slots into columns; a slot is in each that it fills, and in one at the least. */
export function columnsOf(series: RateSeries, extent: Extent): Columns {
  const rx = new Array<number>(extent.columns).fill(Number.NaN);
  const tx = new Array<number>(extent.columns).fill(Number.NaN);
  for (let i = firstAfter(series.ends, extent.from); i < series.ends.length && startOf(series, i) < extent.to; i++) {
    const [from, to] = columnsOfSlot(series, i, extent);
    for (let column = from; column < to; column++) {
      rx[column] = highest(rx[column] as number, series.rx[i] as number);
      tx[column] = highest(tx[column] as number, series.tx[i] as number);
    }
  }
  return { rx, tx };
}

/** The highest rate within the extent, the latest of equal ones; null when all are zero. */
export function peakOf(series: RateSeries, direction: 'rx' | 'tx', extent: Extent): Peak | null {
  const rates = series[direction];
  let best = -1;
  for (let i = firstAfter(series.ends, extent.from); i < rates.length && startOf(series, i) < extent.to; i++) {
    const rate = rates[i] as number;
    if (rate > 0 && (best < 0 || rate >= (rates[best] as number))) best = i;
  }
  return best < 0 ? null : { rate: rates[best] as number, from: startOf(series, best), to: series.ends[best] as number };
}

/** The range of the slots drawn in the columns from `first` to before `end`; null when there are none. */
export function slotsShown(
  series: RateSeries,
  extent: Extent,
  first: number,
  end: number,
): { readonly from: number; readonly to: number } | null {
  let from: number | null = null;
  let to = 0;
  for (let i = firstAfter(series.ends, extent.from); i < series.ends.length && startOf(series, i) < extent.to; i++) {
    const [at, until] = columnsOfSlot(series, i, extent);
    if (at >= end || until <= first) continue;
    from ??= startOf(series, i);
    to = series.ends[i] as number;
  }
  return from === null ? null : { from, to };
}

/** Column in which a time lies; may be outside. */
export function columnAt(time: number, extent: Extent): number {
  return Math.floor(((time - extent.from) * extent.columns) / (extent.to - extent.from));
}

/** First column of a slot, and the one after its last: those that it fills, or the one in which its middle lies. One that is cut at an edge is drawn there. */
function columnsOfSlot(series: RateSeries, slot: number, extent: Extent): readonly [number, number] {
  const width = (extent.to - extent.from) / extent.columns;
  const length = series.lengths[slot] as number;
  const start = ((series.ends[slot] as number) - length - extent.from) / width;
  const end = start + length / width;
  const [first, last] =
    length > width ? [Math.round(start), Math.round(end) - 1] : [Math.floor((start + end) / 2), Math.floor((start + end) / 2)];
  const within = (column: number): number => Math.min(extent.columns - 1, Math.max(0, column));
  return [within(first), within(last) + 1];
}

function startOf(series: RateSeries, slot: number): number {
  return (series.ends[slot] as number) - (series.lengths[slot] as number);
}

/** Index of the first slot that ends after `time`. */
function firstAfter(ends: readonly number[], time: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] as number) > time) high = middle;
    else low = middle + 1;
  }
  return low;
}

function highest(a: number, b: number): number {
  return Number.isNaN(a) || b > a ? b : a;
}

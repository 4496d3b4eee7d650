// Ranges of the history view: the window of the chart, its bins, and the marked part. Pure; times are epoch ms.

import type { TimeRange } from '../../model/history.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, startOf, stepped, type Zoom } from '../text/calendar.ts';
import type { HistoryState } from './state.ts';

/** Steps of the series to ask for, ms. Months and years are asked for by day instead, as days differ in length. */
export const SERIES_STEP: Readonly<Record<Zoom, number | null>> = {
  hour: MINUTE_MS,
  day: 5 * MINUTE_MS,
  week: HOUR_MS,
  month: null,
  year: null,
};

/**
 * Lengths of bins, the finest first; whole days, weeks and months follow. Each is a multiple of those before it and of those of shorter windows
 * in as many columns: a bin is made of whole finer ones, so its bytes are never fewer than theirs.
 */
const BINS: Readonly<Record<Zoom, readonly number[]>> = {
  hour: [1, 2, 10, 30].map((minutes) => minutes * MINUTE_MS),
  day: [5, 15, 30, 60, 180, 360].map((minutes) => minutes * MINUTE_MS),
  week: [1, 2, 4, 12].map((hours) => hours * HOUR_MS),
  month: [],
  year: [],
};

/** The window of the chart: a range of the calendar. While it follows now, an hour is the last sixty minutes. */
export function windowOf(history: HistoryState, now: number): TimeRange {
  const { zoom, anchor } = history;
  if (zoom === 'hour' && anchor === null) {
    const to = Math.floor(now / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
    return { from: to - HOUR_MS, to };
  }
  const from = startOf(zoom, anchor ?? now);
  return { from, to: stepped(zoom, from, 1) };
}

/** Where bins begin and end: one more than there are bins. */
export type Edges = readonly number[];

/**
 * Cuts a window into the finest bins that there are columns for.
 *
 * @param least the finest step in which all of the window is kept, ms
 */
export function binEdges(zoom: Zoom, window: TimeRange, columns: number, least: number): Edges {
  for (const size of BINS[zoom]) {
    if (size < least) continue;
    const edges = clockEdges(window, size);
    if (edges.length - 1 <= columns) return edges;
  }
  for (const unit of ['day', 'week', 'month'] as const) {
    if (unit === 'day' ? least > DAY_MS + HOUR_MS : zoom !== 'year') continue;
    const edges = [window.from];
    for (let at = stepped(unit, window.from, 1); at < window.to; at = stepped(unit, at, 1)) edges.push(at);
    if (edges.length <= columns) return [...edges, window.to];
  }
  return [window.from, window.to];
}

/** Edges by the clock, counted anew from each hour, or from midnight for whole hours. What clocks add to a day joins its last bin. */
function clockEdges({ from, to }: TimeRange, size: number): Edges {
  const isFine = size < HOUR_MS;
  const edges = [from];
  let start = startOf(isFine ? 'hour' : 'day', from);
  while (start < to) {
    const end = isFine ? start + HOUR_MS : stepped('day', start, 1);
    for (let at = start; at === start || at + size <= end; at += size) if (at > from && at < to) edges.push(at);
    start = end;
  }
  return [...edges, to];
}

/** Index of the bin that a time lies in; the first or the last where it is outside. */
export function binAt(edges: Edges, time: number): number {
  let low = 0;
  let high = edges.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((edges[middle] as number) <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The bins from the cursor to the mark, whole; null without a cursor. */
export function markedOf(history: HistoryState, edges: Edges): TimeRange | null {
  const { cursor, mark } = history;
  if (cursor === null) return null;
  const ends = [binAt(edges, cursor), binAt(edges, mark ?? cursor)];
  return { from: edges[Math.min(...ends)] as number, to: edges[Math.max(...ends) + 1] as number };
}

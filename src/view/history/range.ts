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

/** Lengths of bins of equal length, the finest first; whole days, weeks and months follow. */
const BINS: Readonly<Record<Zoom, readonly number[]>> = {
  hour: [1, 2, 5, 10, 30, 60].map((minutes) => minutes * MINUTE_MS),
  day: [5, 10, 15, 20, 30, 60, 120, 180, 360].map((minutes) => minutes * MINUTE_MS),
  week: [1, 2, 3, 4, 6, 12].map((hours) => hours * HOUR_MS),
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
  const length = window.to - window.from;
  for (const size of BINS[zoom]) {
    if (size < least || Math.ceil(length / size) > columns) continue;
    const edges: number[] = [];
    for (let at = window.from; at < window.to; at += size) edges.push(at);
    return [...edges, window.to];
  }
  for (const unit of ['day', 'week', 'month'] as const) {
    if (unit === 'day' ? least > DAY_MS + HOUR_MS : zoom !== 'year') continue;
    const edges = [window.from];
    for (let at = stepped(unit, window.from, 1); at < window.to; at = stepped(unit, at, 1)) edges.push(at);
    if (edges.length <= columns) return [...edges, window.to];
  }
  return [window.from, window.to];
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

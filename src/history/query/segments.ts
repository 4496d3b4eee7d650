// Which buckets of which table answer for a range of time, and how fine that is. Where the finer table was pruned, a bucket belongs to the
// range that holds its middle: ranges that meet share nothing and lack nothing. Pure.

import type { TierTable } from '../schema.ts';

const HOUR_MINUTES = 60;
const DAY_MINUTES = 1440;
const MINUTE_MS = 60_000;

/** Buckets [from, to) of a table. */
export interface Segment {
  readonly table: TierTable;
  readonly from: number;
  readonly to: number;
}

/** Minutes since the epoch: [from, to). */
export interface MinuteRange {
  readonly from: number;
  readonly to: number;
}

/** From when on the finer tables are complete: minutes in minutes (a full hour), hours in hours (a full day). */
export interface Marks {
  readonly minutesFrom: number;
  readonly hoursFrom: number;
}

/** What is recorded: the first and the last minute (null for nothing), and the marks. */
interface Extent extends Marks {
  readonly oldest: number | null;
  readonly newest: number | null;
}

/**
 * The part of [from, to), epoch ms, that is recorded; null for none. A range that reaches to the first or the last record takes in the whole
 * hour or day of that record, which would otherwise fall out when its middle does.
 */
export function recordedRange(from: number, to: number, extent: Extent): MinuteRange | null {
  const { oldest, newest } = extent;
  const first = Math.floor(from / MINUTE_MS);
  const end = Math.ceil(to / MINUTE_MS);
  if (oldest === null || newest === null || end <= oldest || first > newest || first >= end) return null;
  const [oldestSpan, newestSpan] = [spanAt(oldest, extent), spanAt(newest, extent)];
  return {
    from: first <= oldest ? oldest - (oldest % oldestSpan) : first,
    to: end > newest ? newest - (newest % newestSpan) + newestSpan : end,
  };
}

/** The finest step, ms, in which everything from a moment (epoch ms) on is kept. */
export function resolutionFrom(from: number, extent: Extent): number {
  const first = Math.max(Math.floor(from / MINUTE_MS), extent.oldest ?? extent.minutesFrom);
  return spanAt(first, extent) * MINUTE_MS;
}

/** Minutes that a record sums in the finest table that is complete at a time. */
function spanAt(minute: number, marks: Marks): number {
  if (minute >= marks.minutesFrom) return 1;
  return minute >= marks.hoursFrom * HOUR_MINUTES ? HOUR_MINUTES : DAY_MINUTES;
}

/** The fewest buckets that sum a range, each record once, in order of time: whole days from `day`, the rest from `hour` and `minute`. */
export function coarsestSegments({ from, to }: MinuteRange, marks: Marks): Segment[] {
  if (from >= to) return [];
  const { minutesFrom, hoursFrom } = marks;
  const segments: Segment[] = [];
  const add = (table: TierTable, first: number, end: number) => {
    if (first < end) segments.push({ table, from: first, to: end });
  };
  add('day', firstBucket(from, DAY_MINUTES), Math.min(hoursFrom / 24, firstBucket(to, DAY_MINUTES)));
  const firstHour = from >= minutesFrom ? Math.ceil(from / 60) : Math.max(hoursFrom, firstBucket(from, HOUR_MINUTES));
  const endHour = to >= minutesFrom ? Math.floor(to / 60) : firstBucket(to, HOUR_MINUTES);
  if (from >= minutesFrom) add('minute', from, Math.min(to, firstHour * 60));
  const firstDay = Math.ceil(firstHour / 24);
  const endDay = Math.floor(endHour / 24);
  if (firstDay < endDay) {
    add('hour', firstHour, firstDay * 24);
    add('day', firstDay, endDay);
    add('hour', endDay * 24, endHour);
  } else add('hour', firstHour, endHour);
  if (to >= minutesFrom) add('minute', Math.max(endHour * 60, minutesFrom, from, firstHour > endHour ? to : 0), to);
  return segments;
}

/** A range in the finest table that is complete for each part of it, in order of time. */
export function finestSegments({ from, to }: MinuteRange, marks: Marks): Segment[] {
  const { minutesFrom, hoursFrom } = marks;
  const segments: readonly Segment[] = [
    { table: 'day', from: firstBucket(from, DAY_MINUTES), to: Math.min(hoursFrom / 24, firstBucket(to, DAY_MINUTES)) },
    {
      table: 'hour',
      from: Math.max(hoursFrom, firstBucket(from, HOUR_MINUTES)),
      to: Math.min(minutesFrom / 60, firstBucket(to, HOUR_MINUTES)),
    },
    { table: 'minute', from: Math.max(minutesFrom, from), to },
  ];
  return segments.filter((segment) => segment.from < segment.to);
}

/** The first bucket of `length` minutes whose middle is at or after a minute. */
function firstBucket(minute: number, length: number): number {
  return Math.ceil((minute - length / 2) / length);
}

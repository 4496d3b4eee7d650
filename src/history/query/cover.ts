// Which rows of which table answer for a stretch: whole days from `day`, what is left of them from `hour` and `minute`, each record once.
// Where the finer table is no longer kept, a bucket belongs to the stretch that holds its middle: stretches that meet share nothing.

import type { TierTable } from '../schema.ts';

/** Buckets [from, to) of a table. */
export interface Segment {
  readonly table: TierTable;
  readonly from: number;
  readonly to: number;
}

/** From when the finer tables are complete: minutes in minutes (a full hour), hours in hours (a full day). */
export interface Marks {
  readonly minutesFrom: number;
  readonly hoursFrom: number;
}

/** Covers the minutes [from, to), in order of time. */
export function cover(from: number, to: number, marks: Marks): Segment[] {
  if (from >= to) return [];
  const { minutesFrom, hoursFrom } = marks;
  const segments: Segment[] = [];
  const add = (table: TierTable, first: number, end: number) => {
    if (first < end) segments.push({ table, from: first, to: end });
  };
  add('day', middleIn(from, 1440), Math.min(hoursFrom / 24, middleIn(to, 1440)));
  const firstHour = from >= minutesFrom ? Math.ceil(from / 60) : Math.max(hoursFrom, middleIn(from, 60));
  const endHour = to >= minutesFrom ? Math.floor(to / 60) : middleIn(to, 60);
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

/** First bucket whose middle is at or after a minute. */
function middleIn(minute: number, length: number): number {
  return Math.ceil((minute - length / 2) / length);
}

/** The minutes [from, to) in the finest table that has all of them, in order of time. */
export function finest(from: number, to: number, marks: Marks): Segment[] {
  const { minutesFrom, hoursFrom } = marks;
  const segments: readonly Segment[] = [
    { table: 'day', from: middleIn(from, 1440), to: Math.min(hoursFrom / 24, middleIn(to, 1440)) },
    { table: 'hour', from: Math.max(hoursFrom, middleIn(from, 60)), to: Math.min(minutesFrom / 60, middleIn(to, 60)) },
    { table: 'minute', from: Math.max(minutesFrom, from), to },
  ];
  return segments.filter((segment) => segment.from < segment.to);
}

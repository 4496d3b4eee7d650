// A stretch as asked for, within what is recorded; and how fine the records of a time are kept. Pure.

import type { Marks } from './history-cover.ts';

/** ms */
const MINUTE = 60_000;
const HOUR_MINUTES = 60;
const DAY_MINUTES = 1440;

/** Minutes since the epoch, `from` inside, `to` outside. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** What is recorded: the first and last minute (null where nothing is), and from when in which detail. */
export interface Extent extends Marks {
  readonly oldest: number | null;
  readonly newest: number | null;
}

/**
 * The stretch [from, to), epoch ms, within what is recorded; null where they share nothing. Where it reaches to the first or the last record it
 * takes in all of the hour or day that this is kept by: it must not fall out because its middle does.
 */
export function stretchOf(from: number, to: number, extent: Extent): Stretch | null {
  const { oldest, newest } = extent;
  const first = Math.floor(from / MINUTE);
  const end = Math.ceil(to / MINUTE);
  if (oldest === null || newest === null || end <= oldest || first > newest || first >= end) return null;
  const [oldestSpan, newestSpan] = [spanAt(oldest, extent), spanAt(newest, extent)];
  return {
    from: first <= oldest ? oldest - (oldest % oldestSpan) : first,
    to: end > newest ? newest - (newest % newestSpan) + newestSpan : end,
  };
}

/** Finest step in which all from a moment (epoch ms) on is kept, ms. */
export function resolutionFrom(from: number, extent: Extent): number {
  const first = Math.max(Math.floor(from / MINUTE), extent.oldest ?? extent.minutesFrom);
  return spanAt(first, extent) * MINUTE;
}

/** Minutes that a record sums in the finest table that has all of a time. */
function spanAt(minute: number, marks: Marks): number {
  if (minute >= marks.minutesFrom) return 1;
  return minute >= marks.hoursFrom * HOUR_MINUTES ? HOUR_MINUTES : DAY_MINUTES;
}

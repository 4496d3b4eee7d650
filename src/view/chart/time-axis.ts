// The time axis of every chart: the round local times that get a tick, and their labels. Each chart says how many ticks fit and draws them.

import {
  DAY_MS,
  dayStarts,
  dayText,
  HOUR_MS,
  MINUTE_MS,
  monthName,
  monthStarts,
  startOf,
  timeText,
  WEEKDAYS,
  weekdayDate,
  weekdayOf,
  type Zoom,
} from '../text/calendar.ts';
import { formatClock } from '../text/format.ts';

/** A labelled time, epoch ms. */
export interface Tick {
  readonly time: number;
  readonly label: string;
}

const SECOND_MS = 1000;
/** Steps for axes of at most a day. */
const CLOCK_STEPS = [
  ...[5, 10, 15, 30].map((n) => n * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE_MS),
  ...[1, 2, 3, 4, 6, 12, 24].map((n) => n * HOUR_MS),
];
/** Steps for axes of any length. */
const LONG_STEPS = {
  clock: [...[5, 10, 15, 30].map((n) => n * MINUTE_MS), ...[1, 2, 3, 6, 12].map((n) => n * HOUR_MS)],
  days: [1, 2, 7, 14],
  months: [1, 2, 3, 6, 12],
} as const;
/** Cells between two labels of a chart of cells. */
const GAP = 3;

/** Ticks for `cells` cells over at most a day, as dense as their labels allow; none when not even two labels a day fit. */
export function ticksInCells(from: number, to: number, cells: number): readonly Tick[] {
  const step = CLOCK_STEPS.find((each) => (each / (to - from)) * cells >= clockLabel(from, each).length + GAP);
  return step === undefined ? [] : clockTicks(from, to, step);
}

/** At most about `most` ticks over a range of any length, `to` included: hours, else days, else months. */
export function ticksUpTo(from: number, to: number, most: number): readonly Tick[] {
  const length = to - from;
  const clock = LONG_STEPS.clock.find((step) => length / step <= most);
  if (clock !== undefined && length < 3 * DAY_MS)
    return clockTicks(from, to + 1, clock).map((tick) =>
      tick.time === startOf('day', tick.time) ? { ...tick, label: weekdayDate(tick.time) } : tick,
    );
  const days = LONG_STEPS.days.find((step) => length / DAY_MS / step <= most);
  if (days !== undefined) {
    const label = length / DAY_MS / days <= most / 2 ? weekdayDate : dayText;
    return every(dayStarts(from, to + 1), days, from, label);
  }
  const months = LONG_STEPS.months.find((step) => length / DAY_MS / 30 / step <= most) ?? 12;
  return every(monthStarts(from, to + 1), months, from, (time) => `${shortMonth(time)} ${new Date(time).getFullYear()}`);
}

/** Ticks for a range of the calendar, the densest first: take the first ones that fit. */
export function* calendarTicks(zoom: Zoom, from: number, to: number): Generator<readonly Tick[]> {
  switch (zoom) {
    case 'hour':
      for (const minutes of [5, 10, 15, 30, 60]) yield clockTicks(from, to, minutes * MINUTE_MS);
      return;
    case 'day':
      for (const hours of [1, 2, 3, 6, 12]) yield clockTicks(from, to, hours * HOUR_MS);
      return;
    case 'week': {
      const days = dayStarts(from, to);
      yield every(days, 1, from, weekdayDate);
      yield every(days, 1, from, (time) => WEEKDAYS[weekdayOf(time)] as string);
      return;
    }
    case 'month': {
      const dayOf = (time: number): number => new Date(time).getDate();
      for (const step of [1, 2, 5, 10]) {
        const days = dayStarts(from, to).filter((time) => dayOf(time) === 1 || dayOf(time) % step === 0);
        yield every(days, 1, from, (time) => String(dayOf(time)));
      }
      return;
    }
    case 'year': {
      const months = monthStarts(from, to);
      yield every(months, 1, from, monthName);
      yield every(months, 1, from, shortMonth);
      yield every(months, 3, from, shortMonth);
    }
  }
}

/** Times of day that are multiples of `step`, which divides a day. An hour that comes twice has its ticks twice. */
function clockTicks(from: number, to: number, step: number): readonly Tick[] {
  const ticks: Tick[] = [];
  // Zones differ by quarters of an hour and may change within the range: no stride longer than that misses a tick.
  const stride = Math.min(step, HOUR_MS / 4);
  const offset = new Date(from).getTimezoneOffset() * MINUTE_MS;
  for (let time = Math.ceil((from - offset) / stride) * stride + offset; time < to; time += stride) {
    const date = new Date(time);
    const timeOfDay = date.getHours() * HOUR_MS + date.getMinutes() * MINUTE_MS + date.getSeconds() * SECOND_MS;
    if (timeOfDay % step === 0) ticks.push({ time, label: clockLabel(time, step) });
  }
  return ticks;
}

/** With seconds only when ticks are less than a minute apart. */
function clockLabel(time: number, step: number): string {
  return step < MINUTE_MS ? formatClock(time) : timeText(time);
}

/** Every `step`th of some times, those before `from` left out. */
function every(times: readonly number[], step: number, from: number, label: (time: number) => string): readonly Tick[] {
  return times.filter((time, i) => i % step === 0 && time >= from).map((time) => ({ time, label: label(time) }));
}

function shortMonth(time: number): string {
  return monthName(time).slice(0, 3);
}

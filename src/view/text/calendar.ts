// The calendar of the user's zone: where hours, days, weeks, months and years begin, and how they are called. A day has 23 to 25 hours
// where clocks are set, so nothing here adds 24 of them.

/** Lengths of a range that can be looked at, the shortest first. */
export const ZOOMS = ['hour', 'day', 'week', 'month', 'year'] as const;
export type Zoom = (typeof ZOOMS)[number];

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
/** A day without a clock change. */
export const DAY_MS = 86_400_000;

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;
/** Monday first, as ISO 8601 has it. */
export const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** Days since Monday. */
export function weekdayOf(time: number): number {
  return (new Date(time).getDay() + 6) % 7;
}

/** Beginning of the range of the calendar that a time lies in, epoch ms. */
export function startOf(zoom: Zoom, time: number): number {
  const date = new Date(time);
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  switch (zoom) {
    case 'hour': {
      // By the offset and not by fields: the hour that comes twice has two beginnings.
      const shifted = time - date.getTimezoneOffset() * MINUTE_MS;
      return time - (shifted - Math.floor(shifted / HOUR_MS) * HOUR_MS);
    }
    case 'day':
      return midnight(year, month, day);
    case 'week':
      return midnight(year, month, day - weekdayOf(time));
    case 'month':
      return midnight(year, month, 1);
    case 'year':
      return midnight(year, 0, 1);
  }
}

/** Beginning of the range that is `by` further than the one a time lies in. */
export function stepped(zoom: Zoom, time: number, by: number): number {
  const date = new Date(time);
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  switch (zoom) {
    case 'hour':
      return startOf('hour', startOf('hour', time) + by * HOUR_MS);
    case 'day':
      return midnight(year, month, day + by);
    case 'week':
      return midnight(year, month, day - weekdayOf(time) + 7 * by);
    case 'month':
      return midnight(year, month + by, 1);
    case 'year':
      return midnight(year + by, 0, 1);
  }
}

/** The same day and time of day `by` months away; the last day of the month where it is shorter. */
export function monthsAway(time: number, by: number): number {
  const date = new Date(time);
  const month = date.getMonth() + by;
  const day = Math.min(date.getDate(), daysInMonth(date.getFullYear(), month));
  return new Date(date.getFullYear(), month, day, date.getHours(), date.getMinutes(), date.getSeconds()).getTime();
}

/** Days of a month; months count from 0 and may leave the year. */
export function daysInMonth(year: number, month: number): number {
  return new Date(year, month + 1, 0).getDate();
}

/** First moment of a day: where clocks jump over midnight, that is an hour later. Days and months may leave their range. */
export function midnight(year: number, month: number, day: number): number {
  return new Date(year, month, day).getTime();
}

/** Starts of the days that a range touches, at most ten years of them. */
export function dayStarts(from: number, to: number): readonly number[] {
  return startsOf('day', from, to, 3660);
}

/** Starts of the months that a range touches. */
export function monthStarts(from: number, to: number): readonly number[] {
  return startsOf('month', from, to, 1200);
}

function startsOf(unit: Zoom, from: number, to: number, most: number): readonly number[] {
  const starts: number[] = [];
  for (let at = startOf(unit, from); at < to && starts.length < most; at = stepped(unit, at, 1)) starts.push(at);
  return starts;
}

/** `November`. */
export function monthName(time: number): string {
  return MONTHS[new Date(time).getMonth()] as string;
}

/** `22 Nov`. */
export function dayText(time: number): string {
  return `${new Date(time).getDate()} ${monthName(time).slice(0, 3)}`;
}

/** `Sun 22 Nov`. */
export function weekdayDate(time: number): string {
  return `${WEEKDAYS[weekdayOf(time)]} ${dayText(time)}`;
}

/** `Sun 22 Nov 2026`. */
export function dateText(time: number): string {
  return `${weekdayDate(time)} ${new Date(time).getFullYear()}`;
}

/** `14:03`. */
export function timeText(time: number): string {
  const date = new Date(time);
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
}

/** A range in words: `Sun 22 Nov 2026 14:00 - 15:00`, whole days without times, whole months and years by name. */
export function rangeText(from: number, to: number): string {
  const year = new Date(from).getFullYear();
  if (from === startOf('year', from) && to === stepped('year', from, 1)) return String(year);
  if (from === startOf('month', from) && to === stepped('month', from, 1)) return `${monthName(from)} ${year}`;
  if (from === startOf('day', from) && to === startOf('day', to)) {
    const last = startOf('day', to - 1);
    if (last === from) return dateText(from);
    return new Date(last).getFullYear() === year
      ? `${dayText(from)} - ${dayText(last)} ${year}`
      : `${dayText(from)} ${year} - ${dayText(last)} ${new Date(last).getFullYear()}`;
  }
  const isSameDay = startOf('day', from) === startOf('day', to - 1);
  const end = isSameDay ? (to === stepped('day', from, 1) ? '24:00' : timeText(to)) : `${dayText(to)} ${timeText(to)}`;
  return `${dateText(from)} ${timeText(from)} - ${end}`;
}

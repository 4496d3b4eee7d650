// Hours and days of a time zone: where they begin, and how a moment is written. Works from offsets alone and knows no rules of zones.

/** How far a zone's clock is ahead of UTC at a moment (epoch ms), in ms, whole minutes. */
export type ZoneOffset = (time: number) => number;

/** Units of the zone's clock and calendar. */
export type ZoneUnit = 'hour' | 'day';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
/** More than the longest day has. */
const LONGEST_DAY = 27 * HOUR;

/** The zone of this process. */
export const localZone: ZoneOffset = (time) => -new Date(time).getTimezoneOffset() * MINUTE;

/** Start of the hour or day of the zone that holds a moment. */
export function startOf(unit: ZoneUnit, time: number, zone: ZoneOffset): number {
  if (unit === 'day') return firstMinute(time - LONGEST_DAY, time, (moment) => dateOf(moment, zone) >= dateOf(time, zone));
  const start = time - modulo(time + zone(time), HOUR);
  return zone(start) === zone(time) ? start : firstMinute(start, time, (moment) => zone(moment) === zone(time));
}

/** Start of the hour or day after the one that begins at `start`. An hour that the clock shows twice counts as two; a clock that jumps ahead makes one short. */
export function nextStart(unit: ZoneUnit, start: number, zone: ZoneOffset): number {
  if (unit === 'hour') return start + HOUR - modulo(start + zone(start), HOUR);
  return firstMinute(start, start + LONGEST_DAY, (moment) => dateOf(moment, zone) > dateOf(start, zone));
}

/** The first minute in (low, high] from which on something holds until `high`. */
function firstMinute(low: number, high: number, holds: (moment: number) => boolean): number {
  let before = Math.floor(low / MINUTE);
  let at = Math.floor(high / MINUTE);
  while (at - before > 1) {
    const middle = Math.floor((before + at) / 2);
    if (holds(middle * MINUTE)) at = middle;
    else before = middle;
  }
  return at * MINUTE;
}

/** The zone's date, in days since the epoch. */
function dateOf(time: number, zone: ZoneOffset): number {
  return Math.floor((time + zone(time)) / DAY);
}

/** RFC 3339 with the zone's offset: `2026-11-22T00:00:00+01:00`. */
export function zonedText(time: number, zone: ZoneOffset): string {
  const offset = zone(time);
  const minutes = Math.round(Math.abs(offset) / MINUTE);
  const two = (value: number) => String(value).padStart(2, '0');
  const shown = new Date(time + offset).toISOString().slice(0, 19);
  return `${shown}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

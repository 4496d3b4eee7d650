// Hours and days of zones, against the calendar of the platform: half-hour zones, changes of the clock, a midnight that is skipped.

import { describe, expect, test } from 'vitest';
import { nextStart, startOf, type ZoneOffset, type ZoneUnit, zonedText } from '../../../../src/history/query/zone.ts';
import { utcZone } from '../../../support/history.ts';

const HOUR = 3_600_000;
const DAY = 86_400_000;

/** A zone by its name, from the platform's tables. */
function zoneOf(name: string): ZoneOffset {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  const known = new Map<number, number>();
  return (time) => {
    const quarter = Math.floor(time / 900_000);
    let offset = known.get(quarter);
    if (offset === undefined) {
      const text = format.formatToParts(quarter * 900_000).find((part) => part.type === 'timeZoneName')?.value ?? '';
      const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(text) ?? [];
      offset = sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
      known.set(quarter, offset);
    }
    return offset;
  };
}

/** Starts of all hours or days that share time with [from, to). */
function startsWithin(unit: ZoneUnit, from: number, to: number, zone: ZoneOffset): number[] {
  const starts: number[] = [];
  for (let start = startOf(unit, from, zone); start < to; start = nextStart(unit, start, zone)) starts.push(start);
  return starts;
}

const texts = (unit: 'hour' | 'day', from: string, to: string, zone: ZoneOffset) =>
  startsWithin(unit, Date.parse(from), Date.parse(to), zone).map((start) => zonedText(start, zone));

describe('days', () => {
  test('begin at midnight of the zone', () => {
    expect(texts('day', '2026-11-21T12:00:00Z', '2026-11-23T12:00:00Z', zoneOf('Asia/Kolkata'))).toEqual([
      '2026-11-21T00:00:00+05:30',
      '2026-11-22T00:00:00+05:30',
      '2026-11-23T00:00:00+05:30',
    ]);
    expect(texts('day', '2026-11-21T00:00:00Z', '2026-11-21T00:00:01Z', zoneOf('America/Los_Angeles'))).toEqual([
      '2026-11-20T00:00:00-08:00',
    ]);
  });

  test('have 23 and 25 hours where the clock changes', () => {
    const zone = zoneOf('Europe/Berlin');
    const starts = startsWithin('day', Date.parse('2026-03-28T00:00:00Z'), Date.parse('2026-03-30T23:00:00Z'), zone);
    expect(starts.slice(1).map((start, i) => (start - (starts[i] as number)) / HOUR)).toEqual([24, 23, 24]);
    const autumn = startsWithin('day', Date.parse('2026-10-24T00:00:00Z'), Date.parse('2026-10-26T22:00:00Z'), zone);
    expect(autumn.slice(1).map((start, i) => (start - (autumn[i] as number)) / HOUR)).toEqual([24, 25]);
  });

  test('begin with the jump where the clock skips midnight', () => {
    expect(texts('day', '2026-04-23T12:00:00Z', '2026-04-25T12:00:00Z', zoneOf('Africa/Cairo'))).toEqual([
      '2026-04-23T00:00:00+02:00',
      '2026-04-24T01:00:00+03:00',
      '2026-04-25T00:00:00+03:00',
    ]);
  });

  for (const name of [
    'Asia/Kolkata',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'America/St_Johns',
    'Europe/Berlin',
    'Pacific/Apia',
    'America/Santiago',
  ])
    test(`of ${name} are the platform's, over a year`, () => {
      const zone = zoneOf(name);
      const from = Date.parse('2026-01-01T00:00:00Z');
      const starts = startsWithin('day', from, from + 365 * DAY, zone);
      const dateOf = (time: number) => new Intl.DateTimeFormat('en-CA', { timeZone: name }).format(time);
      for (const start of starts) expect(dateOf(start - 60_000)).not.toBe(dateOf(start));
      expect(starts.length).toBe(366);
    });
});

describe('hours', () => {
  test('that the clock shows twice are two', () => {
    expect(texts('hour', '2026-10-25T00:00:00Z', '2026-10-25T02:30:00Z', zoneOf('Europe/Berlin'))).toEqual([
      '2026-10-25T02:00:00+02:00',
      '2026-10-25T02:00:00+01:00',
      '2026-10-25T03:00:00+01:00',
    ]);
  });

  test('that the clock skips are none', () => {
    expect(texts('hour', '2026-03-29T00:00:00Z', '2026-03-29T02:00:00Z', zoneOf('Europe/Berlin'))).toEqual([
      '2026-03-29T01:00:00+01:00',
      '2026-03-29T03:00:00+02:00',
    ]);
  });

  test('are cut where a clock jumps half an hour', () => {
    expect(texts('hour', '2026-04-04T14:00:00Z', '2026-04-04T16:00:00Z', zoneOf('Australia/Lord_Howe'))).toEqual([
      '2026-04-05T01:00:00+11:00',
      '2026-04-05T01:30:00+10:30',
      '2026-04-05T02:00:00+10:30',
    ]);
  });

  test('of zones of half hours begin at half hours of UTC', () => {
    const time = Date.parse('2026-11-22T10:17:00Z');
    expect(zonedText(startOf('hour', time, zoneOf('Asia/Kolkata')), utcZone)).toBe('2026-11-22T09:30:00+00:00');
    expect(zonedText(startOf('hour', time, zoneOf('Asia/Kathmandu')), utcZone)).toBe('2026-11-22T10:15:00+00:00');
  });
});

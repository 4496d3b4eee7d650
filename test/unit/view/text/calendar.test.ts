// The user's calendar: beginnings and lengths of ranges where clocks are set, bins of charts, and ranges in words.

import { afterEach, describe, expect, test } from 'vitest';
import { binAt, binEdges, markedOf, windowOf } from '../../../../src/view/history/range.ts';
import { initialHistory } from '../../../../src/view/history/state.ts';
import { timeLine } from '../../../../src/view/panels/history/chart.ts';
import {
  dateText,
  HOUR_MS,
  monthsAway,
  rangeText,
  startOf,
  stepped,
  weekdayOf,
  ZOOMS,
} from '../../../../src/view/text/calendar.ts';

const zone = process.env['TZ'];
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

/** Whole and broken offsets, clocks that are set at 2 or at midnight, by half an hour, and never. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/Los_Angeles',
  'America/St_Johns',
  'America/Santiago',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
];

describe('ranges', () => {
  test.each(ZONES)('hold their times, join without a gap, and begin where they say, in %s', (name) => {
    process.env['TZ'] = name;
    for (const zoom of ZOOMS)
      for (let i = 0, time = Date.UTC(2025, 0, 1); i < 700; i++, time += 13.7 * HOUR_MS) {
        const from = startOf(zoom, time);
        const to = stepped(zoom, from, 1);
        const holds =
          from <= time &&
          time < to &&
          startOf(zoom, from) === from &&
          startOf(zoom, to) === to &&
          startOf(zoom, to - 1) === from &&
          (zoom === 'hour' || stepped(zoom, to, -1) === from) &&
          (zoom !== 'week' || weekdayOf(from) === 0);
        if (!holds) expect.fail(`${zoom} of ${new Date(time).toISOString()}`);
      }
  });

  test('are as long as their hours', () => {
    process.env['TZ'] = 'Europe/Berlin';
    const hours = (zoom: 'day' | 'week' | 'month', ...day: [number, number, number]) => {
      const from = startOf(zoom, new Date(...day).getTime());
      return (stepped(zoom, from, 1) - from) / HOUR_MS;
    };
    expect(hours('day', 2026, 2, 29)).toBe(23);
    expect(hours('day', 2026, 9, 25)).toBe(25);
    expect(hours('week', 2026, 2, 29)).toBe(167);
    expect(hours('month', 2026, 9, 1)).toBe(31 * 24 + 1);
  });

  test('the hour that comes twice is two', () => {
    process.env['TZ'] = 'Europe/Berlin';
    const first = Date.UTC(2026, 9, 25, 0, 30); // 02:30 summer time
    expect(startOf('hour', first)).toBe(Date.UTC(2026, 9, 25, 0));
    expect(startOf('hour', first + HOUR_MS)).toBe(Date.UTC(2026, 9, 25, 1)); // 02:30 again
  });

  test('a month away is the same day and time, or the last day of a shorter month', () => {
    process.env['TZ'] = 'Europe/Berlin';
    const away = (time: Date, by: number) => new Date(monthsAway(time.getTime(), by));
    expect(away(new Date(2026, 2, 31, 14, 3), -1)).toEqual(new Date(2026, 1, 28, 14, 3));
    expect(away(new Date(2026, 0, 15, 9), -1)).toEqual(new Date(2025, 11, 15, 9));
    expect(away(new Date(2026, 10, 5, 9), -1)).toEqual(new Date(2026, 9, 5, 9)); // across a clock change
  });

  test('read as a person writes them', () => {
    process.env['TZ'] = 'Europe/Berlin';
    const at = (...fields: [number, number, number?, number?, number?]) => new Date(...fields).getTime();
    expect(rangeText(at(2026, 0), at(2027, 0))).toBe('2026');
    expect(rangeText(at(2026, 9), at(2026, 10))).toBe('October 2026');
    expect(rangeText(at(2026, 9, 25), at(2026, 9, 26))).toBe('Sun 25 Oct 2026');
    expect(rangeText(at(2026, 9, 19), at(2026, 9, 26))).toBe('19 Oct - 25 Oct 2026');
    expect(rangeText(at(2025, 11, 29), at(2026, 0, 5))).toBe('29 Dec 2025 - 4 Jan 2026');
    expect(rangeText(at(2026, 9, 25, 22, 30), at(2026, 9, 26))).toBe('Sun 25 Oct 2026 22:30 - 24:00');
    expect(rangeText(at(2026, 9, 25, 22), at(2026, 9, 26, 1))).toBe('Sun 25 Oct 2026 22:00 - 26 Oct 01:00');
    expect(dateText(at(2026, 1, 1))).toBe('Sun 1 Feb 2026');
  });
});

describe('windows', () => {
  test('follow now: an hour is the last sixty minutes, the others are those of the calendar', () => {
    process.env['TZ'] = 'UTC';
    const now = Date.UTC(2026, 10, 22, 14, 20, 30);
    const history = initialHistory(null);
    expect(windowOf({ ...history, zoom: 'hour' }, now)).toEqual({
      from: Date.UTC(2026, 10, 22, 13, 21),
      to: Date.UTC(2026, 10, 22, 14, 21),
    });
    expect(windowOf(history, now)).toEqual({ from: Date.UTC(2026, 10, 22), to: Date.UTC(2026, 10, 23) });
    expect(windowOf({ ...history, zoom: 'week' }, now)).toEqual({ from: Date.UTC(2026, 10, 16), to: Date.UTC(2026, 10, 23) });
    expect(windowOf({ ...history, zoom: 'hour', anchor: now }, now).from).toBe(Date.UTC(2026, 10, 22, 14));
  });
});

describe('bins', () => {
  test.each(ZONES)('part a window without a gap, no more of them than columns, none finer than what is kept, in %s', (name) => {
    process.env['TZ'] = name;
    for (const zoom of ZOOMS)
      for (let time = Date.UTC(2026, 0, 3); time < Date.UTC(2027, 0, 1); time += 11 * 24 * HOUR_MS)
        for (const columns of [1, 7, 30, 62, 134, 380])
          for (const least of [60_000, HOUR_MS, 24 * HOUR_MS]) {
            const window = windowOf({ ...initialHistory(null), zoom, anchor: time }, time);
            const edges = binEdges(zoom, window, columns, least);
            const where = `${zoom} of ${new Date(time).toISOString()} in ${columns}`;
            expect([edges[0], edges.at(-1)], where).toEqual([window.from, window.to]);
            expect(edges.length - 1, where).toBeLessThanOrEqual(columns);
            // One expectation for all bins of a chart: half a million of them would take longer than what they check.
            const widths = edges.slice(1).map((edge, i) => edge - (edges[i] as number));
            expect(Math.min(...widths), where).toBeGreaterThan(0);
            const whole = widths.slice(0, -1);
            if (least < 24 * HOUR_MS && whole.length > 0) expect(Math.min(...whole), where).toBeGreaterThanOrEqual(least);
          }
  });

  test.each(ZONES)('of a longer window are made of whole ones of a shorter: zooming out lowers no peak, in %s', (name) => {
    process.env['TZ'] = name;
    const binsIn = (columns: number, time: number) =>
      ZOOMS.map((zoom) => {
        const window = windowOf({ ...initialHistory(null), zoom, anchor: zoom === 'hour' ? null : time }, time);
        return { window, edges: binEdges(zoom, window, columns, 60_000) };
      });
    for (let time = Date.UTC(2026, 0, 3, 5, 43); time < Date.UTC(2027, 0, 1); time += 29 * HOUR_MS)
      for (const columns of [30, 47, 62, 108, 134, 216, 380]) {
        const bins = binsIn(columns, time);
        for (const [i, inner] of bins.entries()) {
          const known = new Set(inner.edges);
          for (const outer of bins.slice(i + 1)) {
            const cuts = outer.edges.filter((edge) => edge > inner.window.from && edge < inner.window.to && !known.has(edge));
            if (cuts.length > 0) expect.fail(`${new Date(time).toISOString()} in ${columns}: ${new Date(cuts[0] as number)}`);
          }
        }
      }
  });

  test.each(ZONES)('of a narrower chart are made of whole ones of a wider, in %s', (name) => {
    process.env['TZ'] = name;
    for (const zoom of ZOOMS)
      for (let time = Date.UTC(2026, 0, 3, 5, 43); time < Date.UTC(2027, 0, 1); time += 53 * HOUR_MS) {
        const window = windowOf({ ...initialHistory(null), zoom, anchor: time }, time);
        const days = zoom === 'year' ? [12, 366] : [1, 7, 20, 47, 62, 134, 216, 380]; // no month is made of weeks
        const all = days.map((columns) => binEdges(zoom, window, columns, 60_000));
        for (const [i, fewer] of all.entries())
          for (const more of all.slice(i + 1)) {
            const known = new Set(more);
            if (!fewer.every((edge) => known.has(edge))) expect.fail(`${zoom} of ${new Date(time).toISOString()}`);
          }
      }
  });

  test('are days where clocks are set too', () => {
    process.env['TZ'] = 'Europe/Berlin';
    const window = { from: new Date(2026, 9, 1).getTime(), to: new Date(2026, 10, 1).getTime() };
    const edges = binEdges('month', window, 62, 60_000);
    expect(edges.length).toBe(32);
    expect(edges.slice(0, -1).map((edge) => new Date(edge).getDate())).toEqual(Array.from({ length: 31 }, (_, i) => i + 1));
  });

  test('what is marked is whole bins, from either end', () => {
    process.env['TZ'] = 'UTC';
    const edges = [0, 10, 20, 30, 40];
    const history = initialHistory(null);
    expect(markedOf(history, edges)).toBeNull();
    expect(markedOf({ ...history, cursor: 12 }, edges)).toEqual({ from: 10, to: 20 });
    expect(markedOf({ ...history, cursor: 12, mark: 31 }, edges)).toEqual({ from: 10, to: 40 });
    expect(markedOf({ ...history, cursor: 31, mark: 12 }, edges)).toEqual({ from: 10, to: 40 });
    expect([-5, 0, 9, 10, 39, 40, 99].map((time) => binAt(edges, time))).toEqual([0, 0, 0, 1, 3, 3, 3]);
  });
});

test('times under a chart never touch, whatever its width', () => {
  process.env['TZ'] = 'America/Santiago';
  for (const zoom of ZOOMS)
    for (const anchor of [Date.UTC(2026, 8, 6, 12), Date.UTC(2026, 3, 5, 12), Date.UTC(2026, 1, 10)])
      for (let cells = 1; cells < 200; cells += 7) {
        const window = windowOf({ ...initialHistory(null), zoom, anchor }, anchor);
        const edges = binEdges(zoom, window, cells, 60_000);
        const cellOf = (time: number) => Math.floor((binAt(edges, time) * cells) / (edges.length - 1));
        const line = timeLine(zoom, edges, cells, cellOf);
        expect(line.length, `${zoom} ${cells}`).toBe(cells);
        expect(line).not.toMatch(/\d\d:\d\d\d|\d:\d\d:|[a-z][A-Z]/);
      }
});

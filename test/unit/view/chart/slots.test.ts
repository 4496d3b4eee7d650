// Columns of time: the highest rate of what lies in each, nothing where nothing was measured, shapes that stay while they move.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateHistory } from '../../../../src/aggregate/rate-history.ts';
import { NO_RATES } from '../../../../src/model/snapshot.ts';
import { cellsBetween, chartData, NEW_CHART, RANGES, slotsBetween, timeOfCell } from '../../../../src/view/chart/range.ts';
import { columnAt, columnsOf, peakOf, slotsShown } from '../../../../src/view/chart/slots.ts';
import { ticksInCells } from '../../../../src/view/chart/time-axis.ts';
import { NOON, series } from '../../../support/snapshot-builder.ts';

const minute = { from: NOON - 60_000, to: NOON };
const ramp = series(
  NOON,
  1000,
  60,
  (i) => i,
  (i) => 60 - i,
);

describe('columns', () => {
  test('fewer than slots show the highest of each, more show a slot several times', () => {
    expect(columnsOf(ramp, { ...minute, columns: 6 }).rx).toEqual([9, 19, 29, 39, 49, 59]);
    expect(columnsOf(ramp, { ...minute, columns: 6 }).tx).toEqual([60, 50, 40, 30, 20, 10]);
    expect(columnsOf(ramp, { ...minute, columns: 120 }).rx.slice(0, 6)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  test('are blank where nothing was measured, and where nothing is yet', () => {
    const gap = { ...ramp, rx: ramp.rx.map((rate, i) => (i >= 20 && i < 30 ? Number.NaN : rate)) };
    expect(columnsOf(gap, { ...minute, columns: 6 }).rx).toEqual([9, 19, Number.NaN, 39, 49, 59]);
    expect(columnsOf(ramp, { from: NOON - 120_000, to: NOON + 30_000, columns: 5 }).rx).toEqual([
      Number.NaN,
      Number.NaN,
      29,
      59,
      Number.NaN,
    ]);
  });

  test('stay what they are while the range moves on', () => {
    const long = series(
      NOON,
      1000,
      300,
      (i) => (i * 7919) % 97,
      () => 0,
    );
    const seen = new Map<number, number>();
    for (let now = NOON - 100_000; now < NOON; now += 1000) {
      const { extent } = chartData({ ...NEW_CHART, range: 0 }, now, 212, NO_RATES);
      const width = (extent.to - extent.from) / extent.columns;
      for (const [i, rate] of columnsOf(long, extent).rx.entries()) {
        const column = Math.round(extent.from / width) + i;
        if (!Number.isNaN(rate) && i > 3 && i < 208) expect(seen.get(column) ?? rate).toBe(rate);
        if (i > 3 && i < 208) seen.set(column, rate);
      }
    }
  });

  test('move on in steps, with room for what comes, and always show now', () => {
    for (const [range, { ms }] of RANGES.entries())
      for (const columns of [1, 7, 66, 212, 780]) {
        const ends = new Set<number>();
        for (let i = 0; i < 100; i++) {
          const now = NOON + (i * ms) / 100;
          const { extent } = chartData({ ...NEW_CHART, range }, now, columns, NO_RATES);
          expect(extent.to).toBeGreaterThanOrEqual(now);
          expect(extent.to - extent.from).toBeCloseTo(ms, 3);
          if (columns >= 40) expect(extent.to - now).toBeLessThan(ms * 0.08);
          ends.add(extent.to);
        }
        if (columns >= 40) expect(ends.size).toBeLessThan(30);
      }
  });
});

test('a resolution that has nothing yet gives way to a finer one', () => {
  const day = { ...NEW_CHART, range: 5 };
  expect(chartData(day, NOON, 60, { ...NO_RATES, seconds: ramp }).series).toBe(ramp);
  const tens = series(
    NOON,
    10_000,
    3,
    () => 1,
    () => 1,
  );
  expect(chartData(day, NOON, 60, { ...NO_RATES, tens }).series).toBe(tens);
});

test('a coarse resolution goes on with finer slots where its last one ended', () => {
  const minutes = series(
    NOON - 25_000,
    60_000,
    3,
    () => 5,
    () => 1,
  );
  const tens = series(
    NOON - 5000,
    10_000,
    100,
    () => 6,
    () => 1,
  );
  const seconds = series(
    NOON,
    1000,
    200,
    (i) => (i === 199 ? 900 : 7),
    () => 1,
  );
  const day = { ...NEW_CHART, range: 5 };
  const { series: shown, extent } = chartData(day, NOON, 60, { minutes, tens, seconds });
  expect(shown.rx).toEqual([5, 5, 5, 6, 6, 7, 7, 7, 7, 900]);
  expect(peakOf(shown, 'rx', extent)).toMatchObject({ rate: 900, to: NOON });
});

test('the peak is the latest of the highest within the extent', () => {
  const waves = series(
    NOON,
    1000,
    60,
    (i) => [1, 9, 3][i % 3] as number,
    () => 0,
  );
  expect(peakOf(waves, 'rx', { ...minute, columns: 10 })).toEqual({ rate: 9, from: NOON - 2000, to: NOON - 1000 });
  expect(peakOf(waves, 'rx', { from: NOON - 60_000, to: NOON - 30_000, columns: 10 })?.to).toBe(NOON - 31_000);
  expect(peakOf(waves, 'tx', { ...minute, columns: 10 })).toBeNull();
});

test('the peak named is the highest drawn, and never falls as the range grows', () => {
  const bursts = fc.record({ ticks: fc.integer({ min: 1, max: 300 }), rx: fc.nat(1_000_000), unmeasured: fc.nat(2) });
  const runs = fc.tuple(
    fc.integer({ min: 50, max: 3000 }),
    fc.array(bursts, { maxLength: 12 }),
    fc.integer({ min: 1, max: 250 }),
  );
  const cutAtTheEdge = [44, 7, 299].map((ticks, i) => ({ ticks, rx: i === 1 ? 2 : 0, unmeasured: 0 }));
  fc.assert(
    fc.property(runs, ([tickMs, parts, columns]) => {
      const rates = new RateHistory((kind, id) => `${kind}:${id}`);
      const still = { tx: 0, fill: () => undefined, flowRow: () => expect.unreachable() };
      let time = NOON;
      for (const { ticks, rx, unmeasured } of parts)
        for (let i = 0; i < ticks; i++) {
          time += tickMs;
          rates.add({ ...still, time, intervalMs: tickMs, rx: i === 0 ? rx : rx >> 4, isGap: i < unmeasured });
        }
      const peaks = RANGES.map((_, range) => {
        const { extent, series: shown } = chartData({ ...NEW_CHART, range }, time, columns, rates.rates());
        const drawn = columnsOf(shown, extent).rx.filter((rate) => rate > 0);
        const peak = peakOf(shown, 'rx', extent)?.rate ?? 0;
        expect(peak).toBe(Math.max(0, ...drawn));
        return peak;
      });
      expect(peaks).toEqual(peaks.toSorted((a, b) => a - b));
    }),
    { numRuns: 100, examples: [[[2865, cutAtTheEdge, 48]]] },
  );
});

describe('what is under a cell', () => {
  test('is exactly the slots that it shows', () => {
    for (const columns of [20, 46, 132, 212]) {
      const extent = { ...minute, columns };
      const { rx } = columnsOf(ramp, extent);
      for (let cell = 0; cell < columns / 2; cell++) {
        const at = timeOfCell(cell, extent, 2);
        expect(cellsBetween(at, at, extent, 2)).toEqual([cell, cell]);
        const found = slotsBetween(at, at, extent, 2, ramp);
        const shown = rx.slice(2 * cell, 2 * cell + 2);
        expect(found?.to, `cell ${cell} of ${columns}`).toBe(NOON - (59 - Math.max(...shown)) * 1000);
      }
    }
  });

  test('is nothing where nothing was measured', () => {
    expect(slotsShown(ramp, { from: NOON, to: NOON + 60_000, columns: 10 }, 0, 10)).toBeNull();
    expect(slotsShown(ramp, { from: NOON - 120_000, to: NOON, columns: 12 }, 0, 3)).toBeNull();
  });
});

test('labels are round times at their cells, and never touch', () => {
  process.env['TZ'] = 'Asia/Kolkata'; // half an hour beside UTC
  for (const ms of RANGES.map((each) => each.ms))
    for (const cells of [20, 53, 105, 300]) {
      const extent = { from: NOON - ms, to: NOON, columns: cells };
      const labels = ticksInCells(extent.from, extent.to, cells)
        .map(({ time, label }) => ({ cell: columnAt(time, extent), text: label }))
        .filter(({ cell, text }) => cell + text.length <= cells);
      let free = 0;
      for (const { cell, text } of labels) {
        expect(cell).toBeGreaterThanOrEqual(free);
        free = cell + text.length + 1;
        const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
        const time = extent.from + ((cell + 1) * ms) / cells;
        const date = new Date(time);
        const late = (date.getHours() - hours) * 3600 + (date.getMinutes() - minutes) * 60 + date.getSeconds() - seconds;
        expect((late + 86_400) % 86_400).toBeLessThanOrEqual(ms / cells / 1000 + 1);
        if (ms === 86_400_000) expect(minutes).toBe(0);
      }
      expect(free).toBeLessThanOrEqual(cells + 1);
      if (cells > 40) expect(labels.length).toBeGreaterThan(1);
    }
  process.env['TZ'] = 'UTC';
});

import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { COUNT, FigureTable, GENERATION_MS } from '../../../../src/aggregate/quality/figures.ts';

const T0 = 1_700_000_010_000;

let table: FigureTable;
beforeEach(() => {
  table = new FigureTable(4);
  table.setTime(T0);
});

describe('round trips', () => {
  it('are told to within 3 %, from microseconds to a quarter of a minute', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 4, max: 16_000_000 }), { minLength: 1, maxLength: 200 }), (times) => {
        const own = new FigureTable(1);
        own.setTime(T0);
        const slot = own.claim();
        for (const us of times) own.time(slot, us);
        const { recent, leastMs } = own.of(slot);
        const sorted = times.toSorted((a, b) => a - b);
        const exact = (share: number) => (sorted[Math.max(1, Math.ceil(sorted.length * share)) - 1] as number) / 1000;
        expect(recent.roundTrips?.samples).toBe(times.length);
        expect(leastMs).toBe((sorted[0] as number) / 1000);
        for (const [told, share] of [
          [recent.roundTrips?.medianMs, 0.5],
          [recent.roundTrips?.highMs, 0.95],
          [recent.roundTrips?.lowMs, 0.1],
        ] as const)
          expect(Math.abs((told as number) / exact(share) - 1)).toBeLessThan(0.032);
      }),
    );
  });

  it('outside of that count in the first and the last bucket', () => {
    const slot = table.claim();
    for (const us of [1, 2, 3]) table.time(slot, us);
    expect(table.of(slot).recent.roundTrips?.highMs).toBeLessThan(0.005);
    for (let i = 0; i < 100; i++) table.time(slot, 0x7fff_ffff);
    expect(table.of(slot).recent.roundTrips?.medianMs).toBeGreaterThan(16_000);
  });

  it('keep their shares when a bucket is full', () => {
    const slot = table.claim();
    for (let i = 0; i < 30_000; i++) table.time(slot, 1_000_000);
    for (let i = 0; i < 70_000; i++) table.time(slot, 1000);
    const { roundTrips } = table.of(slot).all;
    expect(roundTrips?.medianMs).toBeCloseTo(1, 0);
    expect(roundTrips?.highMs).toBeGreaterThan(900);
  });
});

describe('generations', () => {
  it('let what is a minute old go, but not from the whole run', () => {
    const slot = table.claim();
    table.time(slot, 10_000);
    table.count(slot, COUNT.SEGMENTS, 5);
    table.setTime(T0 + GENERATION_MS);
    expect(table.of(slot).recent).toMatchObject({ segments: 5, roundTrips: { samples: 1 } });
    table.count(slot, COUNT.SEGMENTS, 2);
    expect(table.of(slot).recent.segments).toBe(7);
    table.setTime(T0 + 2 * GENERATION_MS);
    expect(table.of(slot).recent).toMatchObject({ segments: 2, roundTrips: null });
    table.setTime(T0 + 9 * GENERATION_MS);
    expect(table.of(slot)).toMatchObject({
      recent: { segments: 0, roundTrips: null },
      all: { segments: 7, roundTrips: { samples: 1 } },
      leastMs: 10,
    });
  });

  it('leave the figures as they were made while nothing changes', () => {
    const slot = table.claim();
    table.time(slot, 10_000);
    const made = table.of(slot);
    expect(table.of(slot)).toBe(made);
    table.setTime(T0 + 2 * GENERATION_MS);
    const later = table.of(slot);
    expect(later).not.toBe(made);
    table.setTime(T0 + 20 * GENERATION_MS);
    expect(table.of(slot)).toBe(later);
  });

  it('survive a clock that is set back', () => {
    const slot = table.claim();
    table.setTime(T0 - 100 * GENERATION_MS);
    table.time(slot, 10_000);
    expect(table.of(slot).recent.roundTrips?.samples).toBe(1);
  });
});

describe('slots', () => {
  it('are taken from those that told nothing recently, and begin empty', () => {
    const slots = [table.claim(), table.claim(), table.claim(), table.claim()];
    expect(new Set(slots)).toEqual(new Set([0, 1, 2, 3]));
    for (const slot of slots) table.time(slot, 10_000);
    expect(table.claim()).toBe(-1);
    table.setTime(T0 + 2 * GENERATION_MS);
    for (const slot of [0, 1, 3]) table.time(slot, 10_000);
    expect(table.claim()).toBe(2);
    expect(table.of(2)).toMatchObject({ recent: { roundTrips: null }, all: { roundTrips: null }, leastMs: null });
    expect(table.claim()).toBe(-1);
  });

  it('keep their figures when the table grows', () => {
    const large = new FigureTable(100);
    large.setTime(T0);
    const slots = Array.from({ length: 100 }, () => large.claim());
    for (const slot of slots) large.count(slot, COUNT.RESET, slot + 1);
    expect(slots.map((slot) => large.of(slot).all.reset)).toEqual(slots.map((slot) => slot + 1));
    expect(large.claim()).toBe(-1);
  });
});

import { describe, expect, it } from 'vitest';
import { RateRings, RING_SECONDS, Ring } from '../../../src/aggregate/accumulators.ts';

describe('Ring', () => {
  it('gives the newest, oldest first, and forgets the oldest', () => {
    const ring = new Ring(3);
    expect(ring.tail(5)).toEqual([]);
    for (let i = 1; i <= 5; i++) ring.push(i);
    expect([ring.tail(5), ring.tail(2), ring.tail(0), ring.count]).toEqual([[3, 4, 5], [4, 5], [], 3]);
    ring.clear();
    expect([ring.tail(3), ring.count]).toEqual([[], 0]);
    ring.push(9);
    expect(ring.tail(3)).toEqual([9]);
  });
});

describe('RateRings', () => {
  const rounded = (values: readonly number[] | undefined) => values?.map((value) => Math.round(value * 1000) / 1000);

  it.each([
    ['a tenth of a second', 100, 10],
    ['a quarter', 250, 4],
    ['a second', 1000, 1],
    ['three seconds', 3000, 1],
    ['what is no part of a second', 700, 10],
  ])('holds bytes/s of whole seconds in ticks of %s', (_name, ms, ticks) => {
    const rings = new RateRings();
    for (let i = 0; i < ticks; i++) rings.add(ms * 2, ms / 2, ms);
    const seconds = Math.floor((ms * ticks) / 1000);
    expect(rounded(rings.rxSeconds.tail(RING_SECONDS))).toEqual(new Array(seconds).fill(2000));
    expect(rounded(rings.txSeconds.tail(RING_SECONDS))).toEqual(new Array(seconds).fill(500));
  });

  it('loses no byte, whatever the ticks', () => {
    const rings = new RateRings();
    let sent = 0;
    for (let i = 1; i <= 60; i++) {
      rings.add(i * 997, 0, (i * 37) % 900);
      if ((i * 37) % 900 !== 0) sent += i * 997;
    }
    rings.add(0, 0, 1000); // what was open is closed
    const seen = rings.rxSeconds.tail(RING_SECONDS).reduce((sum, value) => sum + value, 0);
    expect(seen).toBeCloseTo(sent, 3);
  });

  it('writes five minutes at the most for one pause', () => {
    const rings = new RateRings();
    rings.add(3_000_000, 0, 3 * 3_600_000);
    expect(rings.rxSeconds.count).toBe(RING_SECONDS);
    expect(rings.rxSeconds.tail(1)[0]).toBeCloseTo(10_000, 3);
  });

  it('passes over a tick of no length', () => {
    const rings = new RateRings();
    rings.add(500, 500, 0);
    rings.add(100, 0, 1000);
    expect(rings.sum(10)).toEqual([100]);
  });

  it('sums both ways, rounded', () => {
    const rings = new RateRings();
    rings.add(100.4, 50.4, 1000);
    rings.add(1, 2, 1000);
    expect(rings.sum(60)).toEqual([151, 3]);
    rings.clear();
    expect(rings.sum(60)).toEqual([]);
  });
});

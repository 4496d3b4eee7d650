// When alerts may be delivered: quiet hours by the local clock, and the rate.

import { describe, expect, it } from 'vitest';
import { Pacing } from '../../../src/messenger/pacing.ts';

/** Local time of that day. */
const at = (hours: number, minutes = 0, day = 5) => new Date(2026, 0, day, hours, minutes).getTime();
const HOUR = 3_600_000;
const night = { quiet: { from: 22 * 60, to: 7 * 60 }, most: 2, perMs: HOUR };
const siesta = { quiet: { from: 13 * 60, to: 14 * 60 + 30 }, most: 2, perMs: HOUR };

describe('quiet hours', () => {
  it('over midnight end in the morning', () => {
    const pacing = new Pacing(night);
    expect(pacing.when(at(21, 59), 'info')).toBe(at(21, 59));
    expect(pacing.when(at(22), 'warning')).toBe(at(7, 0, 6));
    expect(pacing.when(at(3), 'info')).toBe(at(7));
    expect(pacing.when(at(7), 'info')).toBe(at(7));
  });

  it('within a day end on that day', () => {
    const pacing = new Pacing(siesta);
    expect(pacing.when(at(12, 59), 'info')).toBe(at(12, 59));
    expect(pacing.when(at(13), 'info')).toBe(at(14, 30));
    expect(pacing.when(at(14, 30), 'info')).toBe(at(14, 30));
  });

  it('let critical alerts through', () => {
    const pacing = new Pacing(night);
    expect(pacing.when(at(3), 'critical')).toBe(at(3));
    expect([pacing.isQuiet(at(3), 'critical'), pacing.isQuiet(at(3), 'warning'), pacing.isQuiet(at(12), 'info')]).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe('the rate', () => {
  it('lets so many pass in its time, and then one as each gets old', () => {
    const pacing = new Pacing({ ...night, quiet: null });
    pacing.sent(at(10));
    expect(pacing.when(at(10, 10), 'info')).toBe(at(10, 10));
    pacing.sent(at(10, 10));
    expect(pacing.when(at(10, 20), 'critical')).toBe(at(11));
    expect(pacing.when(at(11), 'info')).toBe(at(11));
    pacing.sent(at(11));
    expect(pacing.when(at(11, 5), 'info')).toBe(at(11, 10));
  });

  it('forgets messages of the future when the clock is set back', () => {
    const pacing = new Pacing({ ...night, quiet: null });
    pacing.sent(at(10));
    pacing.sent(at(10));
    expect(pacing.when(at(9, 0, 1), 'info')).toBe(at(9, 0, 1));
  });
});

import { describe, expect, it } from 'vitest';
import { Unsettled } from '../../../src/app/recording.ts';

const MINUTE = 60_000;

describe('what is not settled', () => {
  it('is settled once its minute is, although nothing is recorded meanwhile', () => {
    const unsettled = new Unsettled();
    expect(unsettled.settle(8)).toBe(true); // what earlier runs left
    expect(unsettled.settle(9)).toBe(false);
    unsettled.note(10 * MINUTE + 5000);
    expect([9, 9, 10, 11].map((minute) => unsettled.settle(minute))).toEqual([true, false, true, false]);
    expect(unsettled.settled).toBe(10);
  });

  it('is settled again after a clock was set back', () => {
    const unsettled = new Unsettled();
    expect(unsettled.settle(100)).toBe(true);
    unsettled.note(50 * MINUTE);
    expect([48, 49, 50, 51].map((minute) => unsettled.settle(minute))).toEqual([true, true, true, false]);
  });

  it('knows what came for minutes that are settled', () => {
    const unsettled = new Unsettled();
    unsettled.settle(10);
    unsettled.note(12 * MINUTE);
    unsettled.settle(12);
    unsettled.note(12 * MINUTE);
    expect(unsettled.settle(13)).toBe(true);
  });
});

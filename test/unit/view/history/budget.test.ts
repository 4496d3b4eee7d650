// Periods of a budget in months of every length and across clock changes, and where it ends.

import { afterEach, describe, expect, test } from 'vitest';
import type { BudgetPlan } from '../../../../src/model/options.ts';
import { budgetStatusOf, periodOf } from '../../../../src/view/history/budget.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PLAN: BudgetPlan = { bytes: 300, day: 1, interface: null, units: 'bytes' };

const zone = process.env['TZ'];
function live(name: string): void {
  process.env['TZ'] = name;
}

afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

const at = (...fields: [number, number, number, number?, number?]): number => {
  const [year, month, ...rest] = fields;
  return new Date(year, month - 1, ...rest).getTime();
};

describe('a period', () => {
  test.each([
    // day, now, from, to
    [1, [2026, 1, 1], [2026, 1, 1], [2026, 2, 1]],
    [1, [2026, 12, 31, 23, 59], [2026, 12, 1], [2027, 1, 1]],
    [15, [2026, 1, 14, 23, 59], [2025, 12, 15], [2026, 1, 15]],
    [15, [2026, 1, 15], [2026, 1, 15], [2026, 2, 15]],
    [31, [2026, 2, 27], [2026, 1, 31], [2026, 2, 28]],
    [31, [2026, 2, 28], [2026, 2, 28], [2026, 3, 31]],
    [31, [2028, 2, 28], [2028, 1, 31], [2028, 2, 29]],
    [31, [2028, 2, 29, 12], [2028, 2, 29], [2028, 3, 31]],
    [30, [2026, 3, 29], [2026, 2, 28], [2026, 3, 30]],
    [31, [2026, 4, 30], [2026, 4, 30], [2026, 5, 31]],
    [28, [2026, 1, 1], [2025, 12, 28], [2026, 1, 28]],
  ] as const)('from day %i at %j', (day, now, from, to) => {
    for (const name of ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Chatham']) {
      live(name);
      expect(periodOf(day, at(...(now as [number, number, number]))), name).toEqual({
        from: at(...(from as [number, number, number])),
        to: at(...(to as [number, number, number])),
      });
    }
  });

  test('holds every time of it, and the next begins where it ends, for four years', () => {
    live('America/Santiago'); // clocks jump over midnight there: some days begin at 01:00
    for (const day of [1, 6, 28, 29, 30, 31])
      for (let time = at(2025, 1, 3); time < at(2029, 1, 1); time += 31 * HOUR) {
        const { from, to } = periodOf(day, time);
        expect(from <= time && time < to).toBe(true);
        expect(periodOf(day, to).from).toBe(to);
        expect(periodOf(day, to - 1)).toEqual({ from, to });
        expect((to - from) / DAY).toBeGreaterThan(27.9);
        expect((to - from) / DAY).toBeLessThan(31.1);
      }
  });

  test('is as long as its hours are where clocks are set', () => {
    live('Europe/Berlin');
    const hours = (month: number): number => {
      const { from, to } = periodOf(1, at(2026, month, 10));
      return (to - from) / HOUR;
    };
    expect([hours(2), hours(3), hours(10)]).toEqual([28 * 24, 31 * 24 - 1, 31 * 24 + 1]);
  });
});

describe('a standing', () => {
  test('goes on as it went', () => {
    live('UTC');
    const now = at(2026, 6, 11); // ten of thirty days
    const standing = budgetStatusOf(PLAN, 90, at(2020, 1, 1), now);
    expect(standing).toMatchObject({
      used: 90,
      left: 210,
      over: 0,
      share: 0.3,
      expected: 270,
      emptyAt: null,
      since: at(2026, 6, 1),
    });
    const faster = budgetStatusOf(PLAN, 150, at(2020, 1, 1), now);
    expect(faster.expected).toBe(450);
    expect(faster.emptyAt).toBe(at(2026, 6, 21));
  });

  test('counts hours and not days where clocks are set', () => {
    live('Europe/Berlin');
    // ten days of March with 743 hours
    const { expected } = budgetStatusOf(PLAN, 240, at(2020, 1, 1), at(2026, 3, 11));
    expect(expected).toBeCloseTo(743, 6);
  });

  test('says nothing of the end within the first day, of the period or of the record', () => {
    live('UTC');
    expect(budgetStatusOf(PLAN, 5, at(2020, 1, 1), at(2026, 6, 1, 23, 59)).expected).toBeNull();
    expect(budgetStatusOf(PLAN, 5, at(2020, 1, 1), at(2026, 6, 2)).expected).toBe(150);
    expect(budgetStatusOf(PLAN, 5, at(2026, 6, 10, 12), at(2026, 6, 11)).expected).toBeNull();
  });

  test('of a record that began later holds the unknown part out of the pace', () => {
    live('UTC');
    const standing = budgetStatusOf(PLAN, 40, at(2026, 6, 9), at(2026, 6, 11));
    expect(standing).toMatchObject({ since: at(2026, 6, 9), expected: 40 + 20 * 20 });
  });

  test('that is over says by how much, and that nothing is left', () => {
    live('UTC');
    const standing = budgetStatusOf(PLAN, 360, at(2020, 1, 1), at(2026, 6, 16));
    expect(standing).toMatchObject({ left: 0, over: 60, share: 1.2, emptyAt: null, expected: 720 });
  });

  test('of nothing recorded is too early to judge', () => {
    live('UTC');
    expect(budgetStatusOf(PLAN, 0, null, at(2026, 6, 16))).toMatchObject({ used: 0, expected: null });
  });
});

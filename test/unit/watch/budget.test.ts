// A month's budget: told once when 80 % are used and once when all of it is, counted on from what history knows.

import { expect, test, vi } from 'vitest';
import type { BudgetPlan } from '../../../src/model/options.ts';
import { periodOf } from '../../../src/view/history/budget.ts';
import { interfaceRow, snapshot } from '../../support/snapshot-builder.ts';
import { said, Watching } from '../../support/watching.ts';

const PLAN: BudgetPlan = { bytes: 500e9, day: 1, interface: null, units: 'bytes-decimal' };
const DAY = 86_400_000;

function watching(used: number, plan: Partial<BudgetPlan> = {}) {
  const watch = new Watching({ budget: { plan: { ...PLAN, ...plan }, periodOf: (time) => periodOf(1, time) } });
  watch.watchman.know(null);
  watch.watchman.knowAmounts({ budget: used, rules: new Map() });
  const { total } = snapshot();
  return (moved: number, ms = 1000) =>
    said(
      watch.tick(ms, {
        total: { ...total, rxBytes: moved, txBytes: 0 },
        interfaces: [interfaceRow({ id: 'interface:en0', interface: 'en0', rxBytes: moved / 2, txBytes: moved / 4 })],
      }),
    );
}

test('is told at 80 and at 100 percent, once each', () => {
  const tick = watching(390e9);
  expect(tick(0)).toEqual([]);
  expect(tick(10e9)).toEqual(["budget: 80 % of the month's budget is used: 400 GB of 500 GB."]);
  expect(tick(20e9)).toEqual([]);
  expect(tick(111e9)).toEqual(["budget: The month's budget of 500 GB is used up."]);
  expect(tick(200e9)).toEqual([]);
});

test('is used up at 100 percent and not before, and the next month begins by the clock of the user', () => {
  vi.stubEnv('TZ', 'Europe/Berlin');
  try {
    const tick = watching(390e9);
    expect(tick(108.5e9)).toEqual(["budget: 99 % of the month's budget is used: 499 GB of 500 GB."]);
    const watch = new Watching({ budget: { plan: PLAN, periodOf: (time) => periodOf(1, time) } });
    watch.watchman.knowAmounts({ budget: 400e9 - 1, rules: new Map() });
    const { total } = snapshot();
    expect(watch.tick(1000, { total: { ...total, rxBytes: 99.7e9, txBytes: 0 } }).map(({ details }) => details)).toEqual([
      ['used: 500 GB, 99 %', 'the next month begins on 2026-02-01'],
    ]);
  } finally {
    vi.unstubAllEnvs();
  }
});

test('what was passed before this run was told of then', () => {
  const tick = watching(410e9);
  expect(tick(1e9)).toEqual([]);
  expect(tick(91e9)).toHaveLength(1);
});

test('begins anew with the next month', () => {
  const tick = watching(490e9);
  expect(tick(11e9)).toHaveLength(1);
  expect(tick(12e9, 2 * DAY)).toEqual([]); // February
  expect(tick(411e9)).toEqual([]);
  expect(tick(413e9)).toHaveLength(1);
});

test('ends with the month although the clock was ahead', () => {
  const tick = watching(0);
  expect(tick(0, 4000 * DAY)).toEqual([]);
  expect(tick(1e9, -4000 * DAY)).toEqual([]);
  expect(tick(401e9, 40 * DAY)).toEqual([]);
  expect(tick(402e9, 1000)).toEqual([]);
  expect(tick(802e9)).toHaveLength(1);
});

test('counts one interface if the user named it', () => {
  const tick = watching(0, { interface: 'en0' });
  expect(tick(500e9)).toEqual([]);
  expect(tick(534e9)).toHaveLength(1);
  expect(watching(0, { interface: 'en9' })(900e9)).toEqual([]);
});

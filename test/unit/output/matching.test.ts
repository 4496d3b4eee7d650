// A run that is shown once has its rates averaged over all of it, not over the moment since the last tick.

import { describe, expect, it } from 'vitest';
import { runAverage } from '../../../src/output/matching.ts';
import { appRow, flowRow, snapshot } from '../../support/snapshot-builder.ts';

describe('a run that is shown once', () => {
  it('has the run as its interval, and means over it as its rates', () => {
    const moved = { id: 'x', rxBytes: 5000, txBytes: 100, rxRate: 0, txRate: 0 };
    const last = snapshot({ seq: 3, started: 1000, time: 3000, intervalMs: 42, apps: [appRow(moved)], flows: [flowRow(moved)] });
    const whole = runAverage(last);
    expect([whole.seq, whole.intervalMs, whole.time]).toEqual([0, 2000, 3000]);
    for (const row of [whole.apps[0], whole.flows[0]]) expect(row).toMatchObject({ rxBytes: 5000, rxRate: 2500, txRate: 50 });
    expect(whole.total.rxRate).toBe(last.total.rxBytes / 2);
  });

  it('makes no endless rate of a run without a length', () => {
    const whole = runAverage(snapshot({ started: 1000, time: 1000, apps: [appRow({ id: 'x', rxBytes: 5, rxRate: 0 })] }));
    expect(whole.apps[0]?.rxRate).toBe(5000);
    expect(runAverage(snapshot({ started: 1000, time: 0 })).intervalMs).toBe(0);
  });
});

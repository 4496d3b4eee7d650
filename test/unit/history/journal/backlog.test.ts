import { describe, expect, it } from 'vitest';
import { Backlog, partsOf } from '../../../../src/history/journal/journal.ts';
import { hourlyBytes, saveInterval } from '../../../../src/history/recorder.ts';
import { batch, entry, loggedFlow, NOVEMBER } from '../../../support/history.ts';

describe('a backlog', () => {
  it('sums by minute and facts, and is empty when it was taken', () => {
    const backlog = new Backlog();
    backlog.add(batch(NOVEMBER, [entry({ rxBytes: 1, flows: 1 }), entry({ app: 'ssh', rxBytes: 5 })], [loggedFlow()]));
    backlog.add({ ...batch(NOVEMBER, [entry({ rxBytes: 2, txBytes: 3 })]), unlogged: 7 });
    backlog.add(batch(NOVEMBER + 1, [entry({ rxBytes: 4 })]));
    expect(backlog.take()).toEqual([
      batch(NOVEMBER, [entry({ rxBytes: 3, txBytes: 3, flows: 1 }), entry({ app: 'ssh', rxBytes: 5 })]),
      batch(NOVEMBER + 1, [entry({ rxBytes: 4 })]),
      { ...batch(NOVEMBER + 1, [], [loggedFlow()]), unlogged: 7 },
    ]);
    expect([backlog.isEmpty, backlog.take()]).toEqual([true, []]);
  });

  it('is bounded: hosts are folded, then bytes are counted as lost; flows are counted', () => {
    const backlog = new Backlog();
    for (let minute = 0; minute < 80; minute++) {
      const entries = Array.from({ length: 1000 }, (_, i) => entry({ host: `h${i}`, rxBytes: 1, app: `app${i % 3}` }));
      backlog.add(
        batch(
          NOVEMBER + minute,
          entries,
          Array.from({ length: 100 }, () => loggedFlow()),
        ),
      );
    }
    const batches = backlog.take();
    const bytes = batches.reduce((all, { entries }) => all + entries.reduce((sum, { rxBytes }) => sum + rxBytes, 0), 0);
    expect(bytes + backlog.lostBytes).toBe(80_000);
    expect(backlog.lostBytes).toBe(0);
    expect(batches.flatMap(({ entries }) => entries).length).toBeLessThan(50_200);
    expect(batches.every(({ entries }) => entries.length <= 1024)).toBe(true);
    expect(batches.reduce((all, { flows, unlogged }) => all + flows.length + unlogged, 0)).toBe(8000);
  });

  it('parts keep all of a batch', () => {
    const whole = {
      ...batch(
        1,
        Array.from({ length: 2500 }, (_, i) => entry({ rxBytes: i })),
        [loggedFlow()],
      ),
      unlogged: 3,
    };
    const parts = partsOf(whole);
    expect(parts.map(({ entries }) => entries.length)).toEqual([1024, 1024, 452]);
    expect(parts.flatMap(({ entries }) => entries)).toEqual(whole.entries);
    expect(parts.flatMap(({ flows }) => flows)).toHaveLength(1);
    expect(parts.reduce((all, { unlogged }) => all + unlogged, 0)).toBe(3);
  });
});

describe('saves', () => {
  const JOURNAL = 10e6;
  const minutes = (written: number, bytes = written) => saveInterval(written, bytes, JOURNAL) / 60_000;

  it('are the less frequent, the more they write: never more than 150 MB an hour, journal too', () => {
    expect([minutes(1e5), minutes(1e7), minutes(28e6)]).toEqual([5, 5, 12]);
    expect(minutes(30e6)).toBe(15);
    expect(minutes(35e6)).toBeLessThanOrEqual(15);
    for (const bytes of [1e6, 11e6, 32e6, 100e6, 200e6])
      expect((60 / minutes(bytes)) * bytes + JOURNAL).toBeLessThanOrEqual(150e6);
    expect(minutes(2e6, 100e6)).toBe(5);
    expect(minutes(0, 100e6)).toBe(15);
  });

  it('leave room for what the journal took lately, and are made however much that is', () => {
    const from = { at: 60_000, bytes: 1e6 };
    expect(hourlyBytes(from, { at: 60_000 + 900_000, bytes: 6e6 })).toBe(20e6);
    expect(hourlyBytes(from, { at: 61_000, bytes: 2e6 })).toBe(8e6);
    expect(hourlyBytes(null, { at: 900_000, bytes: 0 })).toBe(8e6);
    expect(saveInterval(26e6, 26e6, 20e6)).toBe(12 * 60_000);
    expect(saveInterval(10e6, 10e6, 500e6)).toBe(12 * 60_000);
    expect(saveInterval(0, 0, 0)).toBe(5 * 60_000);
  });
});

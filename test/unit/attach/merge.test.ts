import { describe, expect, test } from 'vitest';
import { merged, Totals } from '../../../src/attach/merge.ts';
import type { MachineStatus } from '../../../src/model/machines.ts';
import { NO_RATES, type Snapshot } from '../../../src/model/snapshot.ts';
import { busy, NOON } from '../../support/snapshot-builder.ts';

const status = (name: string, more: Partial<MachineStatus> = {}): MachineStatus => ({
  name,
  state: 'live',
  since: NOON,
  note: '',
  hint: '',
  isReduced: false,
  clockAheadMs: 0,
  program: '1',
  lineRate: 0,
  ...more,
});

function shown(parts: readonly Snapshot[], machines: readonly MachineStatus[]): Snapshot {
  const totals = new Totals();
  for (const [at, part] of parts.entries()) totals.take(String(at), 1, part);
  const facts = { seq: 1, time: NOON, started: NOON - 1000, intervalMs: 1000, rates: NO_RATES, packets: null };
  return merged(parts, { ...facts, total: totals.total(parts), machines });
}

describe('several machines', () => {
  test('have all rows, and one total', () => {
    const [one, two] = [busy(20, 0), busy(8, 3)];
    const all = shown([one, two], [status('a'), status('b')]);
    expect(all.flows).toHaveLength(28);
    expect(all.total.rxBytes).toBe(one.total.rxBytes + two.total.rxBytes);
    expect(all.total.rxRate).toBe(one.total.rxRate + two.total.rxRate);
    expect(all.flowCount).toBe(one.flowCount + two.flowCount);
    expect(all.capture.interfaces).toEqual(['a', 'b']);
  });

  test('say what is wrong with one of them, and what to type', () => {
    const lost = status('db3', { state: 'lost', note: 'its host key is not known here', hint: 'ssh db3' });
    expect(shown([busy(3, 0)], [status('a'), lost]).capture.note).toBe('db3 lost: its host key is not known here; type: ssh db3');
    const weak = status('mac1', { note: 'no rights to capture there' });
    expect(shown([], [weak, lost]).capture.note).toMatch(/^db3 lost: .*; mac1: no rights/);
    expect(shown([busy(3, 0)], [status('a')]).capture.note).toBe(busy(3, 0).capture.note);
  });

  test('before the first frame are none, and nothing is known', () => {
    const none = shown([], [status('a', { state: 'connecting' })]);
    expect(none.capture).toMatchObject({ packets: null, dropped: null, driver: '?' });
    expect(none.listeners).toBeNull();
  });
});

test('a total never falls, though a machine begins again', () => {
  const totals = new Totals();
  const at = (rxBytes: number): Snapshot => ({ ...busy(1, 0), total: { ...busy(1, 0).total, rxBytes, txBytes: rxBytes } });
  const seen: number[] = [];
  for (const rxBytes of [100, 250, 40, 90, 10]) {
    totals.take('a', 1, at(rxBytes));
    totals.take('b', 1, at(1000));
    seen.push(totals.total([]).rxBytes);
  }
  expect(seen).toEqual([1100, 1250, 1290, 1340, 1350]);
});

test('a machine that comes back with more than it had counts in full', () => {
  const totals = new Totals();
  const at = (rxBytes: number): Snapshot => ({ ...busy(1, 0), total: { ...busy(1, 0).total, rxBytes, txBytes: 0 } });
  totals.take('a', 1, at(100));
  totals.take('a', 2, at(250));
  totals.take('a', 2, at(300));
  expect(totals.total([]).rxBytes).toBe(400);
});

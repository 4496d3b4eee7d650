import { beforeEach, describe, expect, it } from 'vitest';
import { Localizer } from '../../../../src/flow/direction.ts';
import { FlowTable } from '../../../../src/flow/flow-table.ts';
import { type Pending, PendingFlows } from '../../../../src/identify/process/pending-flows.ts';
import { packet, timed } from '../../../support/packets.ts';

let flows: FlowTable;
let pending: PendingFlows;
beforeEach(() => {
  flows = new FlowTable(new Localizer(false), 1 << 15, 1);
  pending = new PendingFlows(flows);
});
const flow = (sport: number) => flows.touch(timed(packet({ sport }), 0), 0, 0);
const rows = (list: readonly Pending[]) => list.map(({ row }) => row);

describe('PendingFlows', () => {
  it('gives what is due, once', () => {
    pending.add(flow(1), 100);
    pending.add(flow(2), 200);
    expect([pending.hasDue(99), pending.hasDue(100)]).toEqual([false, true]);
    expect(rows(pending.takeDue(150))).toEqual([0]);
    expect([rows(pending.takeDue(150)), pending.size]).toEqual([[], 1]);
    expect(rows(pending.takeDue(200))).toEqual([1]);
  });

  it('tries again after longer pauses, three times', () => {
    pending.add(flow(1), 0);
    const [each] = pending.takeDue(0) as [Pending];
    for (const pause of [50, 250, 1000]) {
      expect(pending.retry(each, 0)).toBe(true);
      expect(rows(pending.takeDue(pause - 1))).toEqual([]);
      expect(rows(pending.takeDue(pause))).toEqual([0]);
    }
    expect([pending.retry(each, 0), pending.size]).toEqual([false, 0]);
  });

  it('forgets flows that are gone, also when their row is used again', () => {
    const row = flow(1);
    pending.add(row, 0);
    flows.remove(row);
    expect(flow(2)).toBe(row);
    pending.add(row, 0);
    const due = pending.takeDue(0);
    expect(due).toHaveLength(1);
    flows.remove(row);
    expect(pending.isCurrent(due[0] as Pending)).toBe(false);
  });

  it('is bounded, and counts what it did not take', () => {
    for (let i = 0; i < 16_400; i++) pending.add(flow(i), 0);
    expect([pending.size, pending.overflowed]).toEqual([16_384, 16]);
  });
});

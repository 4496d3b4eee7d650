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
  it('returns due flows, once', () => {
    pending.add(flow(1), 100);
    const [each] = pending.takeDue(100) as [Pending];
    pending.retry(each, 100);
    expect([pending.hasDue(149), pending.hasDue(150), pending.hasDue(150, false)]).toEqual([false, true, false]);
    expect([rows(pending.takeDue(149)), pending.size]).toEqual([[], 1]);
    expect(rows(pending.takeDue(150))).toEqual([0]);
    expect([rows(pending.takeDue(200)), pending.size]).toEqual([[], 0]);
  });

  it('skips a flow whose addresses and ports another connection has taken over', () => {
    const opening = (seq: number) => flows.touch(timed(packet({ flags: 'S', seq }), 0), 0, 0);
    const first = opening(1);
    pending.add(first, 0);
    pending.add(opening(2), 0);
    pending.add(first, 0);
    expect(rows(pending.takeDue(0))).toEqual([1]);
  });

  it('returns new flows first, newest first', () => {
    pending.add(flow(1), 0);
    for (const each of pending.takeDue(0)) pending.retry(each, 0);
    for (const sport of [2, 3, 4]) pending.add(flow(sport), 50);
    expect(rows(pending.takeDue(50, 2))).toEqual([3, 2]);
    expect(rows(pending.takeDue(50, 2, false))).toEqual([1]);
    expect(rows(pending.takeDue(50, 2))).toEqual([0]);
  });

  it('admits flows later that it had no room for, unless they have an owner or a reason by then', () => {
    for (let i = 0; i < 16_400; i++) pending.add(flow(i), 0);
    pending.refill(10);
    expect(pending.size).toBe(16_384);
    for (const { row } of pending.takeDue(10)) flows.disown(row, 'closed before it could be looked up');
    flows.own(16_390, 7, 'exact');
    flows.remove(16_391);
    pending.refill(20);
    expect([pending.size, pending.overflowed]).toEqual([14, 0]);
    expect(rows(pending.takeDue(20, 1))).toEqual([16_399]);
  });

  it('tries three times again, after growing pauses', () => {
    pending.add(flow(1), 0);
    const [each] = pending.takeDue(0) as [Pending];
    for (const pause of [50, 250, 1000]) {
      expect(pending.retry(each, 0)).toBe(true);
      expect(rows(pending.takeDue(pause - 1))).toEqual([]);
      expect(rows(pending.takeDue(pause))).toEqual([0]);
    }
    expect([pending.retry(each, 0), pending.size]).toEqual([false, 0]);
  });

  it('forgets flows that are gone, even if their row is used again', () => {
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

  it('has a limit, and counts what it refused', () => {
    for (let i = 0; i < 16_400; i++) pending.add(flow(i), 0);
    expect([pending.size, pending.overflowed]).toEqual([16_384, 16]);
  });
});

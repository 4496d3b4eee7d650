import { describe, expect, it } from 'vitest';
import { A, Accumulators } from '../../../src/aggregate/accumulators.ts';

const T0 = 1_700_000_000_000;

function move(totals: Accumulators, entity: number, rx: number, tx = 0, time = T0): void {
  totals.add(entity, rx, tx, 1, 0, time, time);
  totals.addToTick(entity, rx, tx);
}

describe('Accumulators', () => {
  it('sum, and know when an entity was seen first and last', () => {
    const totals = new Accumulators();
    totals.add(3, 10, 20, 1, 2, T0 + 5, T0 + 9);
    totals.add(3, 1, 2, 3, 4, T0 + 2, T0 + 7);
    totals.addFlow(3, 1);
    totals.addFlow(3, 1);
    const values = [A.RX, A.TX, A.RX_PACKETS, A.TX_PACKETS, A.FLOWS, A.FIRST, A.LAST].map((column) => totals.get(3, column));
    expect(values).toEqual([11, 22, 4, 6, 2, T0 + 2, T0 + 9]);
    expect([totals.size, totals.get(2, A.RX), totals.get(999, A.RX)]).toEqual([4, 0, 0]);
  });

  it('keep a first time of zero, as a clock that was never set tells it', () => {
    const totals = new Accumulators();
    totals.add(0, 1, 0, 1, 0, 0, 0);
    totals.add(0, 1, 0, 1, 0, 5000, 5000);
    expect(totals.get(0, A.FIRST)).toBe(0);
  });

  it('grow with the highest entity and keep what they had', () => {
    const totals = new Accumulators();
    move(totals, 0, 5);
    move(totals, 5000, 7);
    expect([totals.get(0, A.RX), totals.get(5000, A.RX), totals.size]).toEqual([5, 7, 5001]);
    expect([totals.moved(0), totals.moved(5000), totals.moved(1)]).toEqual([true, true, false]);
  });

  it('forget the tick when the next begins, not the totals', () => {
    const totals = new Accumulators();
    move(totals, 1, 100, 50);
    totals.closeTick(1000);
    expect([totals.moved(1), totals.get(1, A.TICK_RX), totals.get(1, A.TICK_TX)]).toEqual([true, 100, 50]);
    totals.beginTick();
    expect([totals.moved(1), totals.get(1, A.TICK_RX), totals.get(1, A.RX)]).toEqual([false, 0, 100]);
  });

  it('feed a ring that goes on while the entity is silent', () => {
    const totals = new Accumulators();
    for (const bytes of [100, 0, 300]) {
      if (bytes > 0) move(totals, 1, bytes);
      totals.closeTick(1000);
      totals.beginTick();
    }
    expect(totals.recent(1, 60)).toEqual([100, 0, 300]);
    expect(totals.recent(2, 60)).toEqual([]);
  });

  it('give a ring to newcomers only when somebody was silent for a minute', () => {
    const totals = new Accumulators();
    for (let entity = 0; entity < 64; entity++) move(totals, entity, 1, 0, T0 + entity);
    totals.closeTick(1000);
    totals.beginTick();
    move(totals, 100, 1, 0, T0 + 30_000);
    totals.closeTick(1000);
    totals.beginTick();
    expect([totals.recent(100, 60), totals.recent(0, 60).length]).toEqual([[], 2]);
    move(totals, 100, 5, 0, T0 + 61_000);
    totals.closeTick(1000);
    totals.beginTick();
    expect([totals.recent(100, 60), totals.recent(0, 60), totals.recent(1, 60).length]).toEqual([[5], [], 3]);
  });
});

import { describe, expect, it } from 'vitest';
import { Accumulators, COLUMN } from '../../../src/aggregate/accumulators.ts';
import { movedNow } from '../../support/movement.ts';

const T0 = 1_700_000_000_000;

function move(totals: Accumulators, entity: number, rx: number, tx = 0, time = T0): void {
  totals.add(entity, movedNow({ rx, tx, rxp: 1, first: time, last: time }));
}

const COLUMNS = [COLUMN.RX, COLUMN.TX, COLUMN.RX_PACKETS, COLUMN.TX_PACKETS, COLUMN.FLOWS, COLUMN.TICK_RX, COLUMN.TICK_TX];

describe('Accumulators', () => {
  it('sum, and know when an entity was seen first and last', () => {
    const totals = new Accumulators();
    totals.enter(3, movedNow({ rx: 10, tx: 20, rxp: 1, txp: 2, first: T0 + 5, last: T0 + 9 }));
    totals.enter(3, movedNow({ rx: 1, tx: 2, rxp: 3, txp: 4, first: T0 + 2, last: T0 + 7 }));
    const values = [COLUMN.RX, COLUMN.TX, COLUMN.RX_PACKETS, COLUMN.TX_PACKETS, COLUMN.FLOWS, COLUMN.FIRST, COLUMN.LAST].map(
      (column) => totals.get(3, column),
    );
    expect(values).toEqual([11, 22, 4, 6, 2, T0 + 2, T0 + 9]);
    expect([totals.size, totals.get(2, COLUMN.RX), totals.get(999, COLUMN.RX)]).toEqual([4, 0, 0]);
  });

  it('take everything of a flow that enters, and give it back when it leaves', () => {
    const totals = new Accumulators();
    const late = movedNow({ rx: 3, tx: 4, rxp: 1, txp: 1, first: T0, last: T0 + 1 }, 100);
    totals.enter(0, movedNow({ rx: 100, tx: 100, rxp: 100, txp: 100, first: T0, last: T0 }));
    totals.leave(0, late);
    totals.enter(1, late);
    const of = (entity: number) => COLUMNS.map((column) => totals.get(entity, column));
    expect(of(0)).toEqual([0, 0, 0, 0, 0, 100, 100]);
    expect(of(1)).toEqual([103, 104, 101, 101, 1, 3, 4]);
    expect([totals.moved(0), totals.moved(1)]).toEqual([true, true]);
  });

  it('keep a first time of zero, from a clock that was never set', () => {
    const totals = new Accumulators();
    totals.add(0, movedNow({ rx: 1, rxp: 1 }));
    totals.add(0, movedNow({ rx: 1, rxp: 1, first: 5000, last: 5000 }));
    expect(totals.get(0, COLUMN.FIRST)).toBe(0);
  });

  it('grow with the highest entity and keep what they had', () => {
    const totals = new Accumulators();
    move(totals, 0, 5);
    move(totals, 5000, 7);
    expect([totals.get(0, COLUMN.RX), totals.get(5000, COLUMN.RX), totals.size]).toEqual([5, 7, 5001]);
    expect([totals.moved(0), totals.moved(5000), totals.moved(1)]).toEqual([true, true, false]);
  });

  it('forget the tick when the next begins, not the totals', () => {
    const totals = new Accumulators();
    move(totals, 1, 100, 50);
    totals.closeTick(1000);
    expect([totals.moved(1), totals.get(1, COLUMN.TICK_RX), totals.get(1, COLUMN.TICK_TX)]).toEqual([true, 100, 50]);
    totals.beginTick();
    expect([totals.moved(1), totals.get(1, COLUMN.TICK_RX), totals.get(1, COLUMN.RX)]).toEqual([false, 0, 100]);
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

  it('give a newcomer rings only if another entity was silent for a minute', () => {
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

// The rate history: sums are exact at every resolution, whichever rows are kept; memory is bounded.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateHistory, type TickBytes } from '../../../src/aggregate/rate-history.ts';
import { Heaviest, KEPT } from '../../../src/aggregate/resolution.ts';
import { RANGE_KINDS, type RangeKind, type RangeTotals } from '../../../src/model/range-totals.ts';
import { flowRow } from '../../support/snapshot-builder.ts';

const T0 = 1_700_000_000_000;
type Moves = Partial<Record<RangeKind, readonly (readonly [id: number, rx: number, tx: number])[]>>;

class Run {
  readonly history = new RateHistory((kind, id) => `${kind}:${id}`);
  time = T0;

  tick(moves: Moves, ms = 1000, more: Partial<TickBytes> = {}): void {
    this.time += ms;
    const sum = (column: 1 | 2) => (moves.interfaces ?? []).reduce((total, each) => total + each[column], 0);
    this.history.add({
      time: this.time,
      intervalMs: ms,
      rx: sum(1),
      tx: sum(2),
      isGap: false,
      fill: (kind, into) => {
        for (const [id, rx, tx] of moves[kind] ?? []) into(id, rx, tx, id);
      },
      flowRow: (tag) => flowRow({ id: String(tag), app: `app ${tag}` }),
      ...more,
    });
  }

  ask(from: number, to: number): RangeTotals {
    const answer = this.history.between(T0 + from, T0 + to);
    if (answer === null) throw new Error('nothing kept');
    return answer;
  }
}

const every = (id: number, rx: number, tx: number): Moves =>
  Object.fromEntries(RANGE_KINDS.map((kind) => [kind, [[id, rx, tx]]])) as Moves;

function sumOf(answer: RangeTotals, kind: RangeKind): [number, number] {
  const { rxBytes, txBytes } = answer.others[kind];
  return answer[kind].reduce<[number, number]>((sum, row) => [sum[0] + row.rxBytes, sum[1] + row.txBytes], [rxBytes, txBytes]);
}

describe('who moved what', () => {
  it('is summed over the slots of a range, and no others', () => {
    const run = new Run();
    for (let i = 0; i < 10; i++) run.tick(every(i % 2, 1000 + i, 10));
    expect(run.ask(3000, 5000)).toMatchObject({
      from: T0 + 3000,
      to: T0 + 5000,
      measuredMs: 2000,
      total: { rxBytes: 1003 + 1004, txBytes: 20 },
      apps: [
        { id: 'apps:1', rxBytes: 1003 },
        { id: 'apps:0', rxBytes: 1004 },
      ],
      flows: [{ row: { id: '1', app: 'app 1' } }, { row: { id: '0' } }],
      others: { apps: { rxBytes: 0, txBytes: 0 }, flows: { rxBytes: 0 } },
    });
  });

  it('divides time: adjacent ranges share nothing and leave nothing out', () => {
    const run = new Run();
    for (let i = 0; i < 60; i++) run.tick(every(1, i, 0));
    for (const width of [1000, 1700, 2600, 7000]) {
      let sum = 0;
      for (let from = 0; from < 60_000; from += width)
        sum += run.history.between(T0 + from, T0 + from + width)?.total.rxBytes ?? 0;
      expect(sum).toBe((59 * 60) / 2);
    }
    expect(run.ask(30_100, 30_200).total.rxBytes).toBe(30);
  });

  it('is null before there is anything', () => {
    expect(new Run().history.between(T0, T0 + 1000)).toBeNull();
    const run = new Run();
    run.tick(every(1, 1, 1));
    expect(run.history.between(T0 + 60_000, T0 + 61_000)).toBeNull();
  });

  it('keeps the heaviest, and the sum of the others', () => {
    const run = new Run();
    const apps = Array.from({ length: 100 }, (_, i) => [i, (i * 37) % 101, i] as const);
    run.tick({ apps });
    const answer = run.ask(0, 1000);
    expect(answer.apps).toHaveLength(KEPT[0] as number);
    expect(sumOf(answer, 'apps')).toEqual([apps.reduce((sum, [, rx]) => sum + rx, 0), (99 * 100) / 2]);
    const weight = (id: number) => ((id * 37) % 101) + id;
    const least = Math.min(...answer.apps.map(({ id }) => weight(Number(id.slice(5)))));
    const kept = new Set(answer.apps.map(({ id }) => Number(id.slice(5))));
    for (let id = 0; id < 100; id++) if (!kept.has(id)) expect(weight(id)).toBeLessThanOrEqual(least);
  });
});

describe('resolutions', () => {
  it('reach back five minutes by the second, an hour by ten, a day by the minute, and every sum is exact', () => {
    const run = new Run();
    const hours = 26;
    for (let i = 0; i < hours * 3600; i++) run.tick({ apps: [[i % 40, 7, 3]], interfaces: [[0, 7, 3]] });
    const end = run.time - T0;
    const { seconds, tens, minutes } = run.history.rates();
    expect([seconds, tens, minutes].map(({ ends }) => ends.length)).toEqual([300, 360, 1440]);
    expect([seconds, tens, minutes].map(({ rx }) => [Math.min(...rx), Math.max(...rx)])).toEqual([
      [7, 7],
      [7, 7],
      [7, 7],
    ]);
    for (const [ago, length, step] of [
      [200_000, 5_000, 1000],
      [1_800_000, 60_000, 10_000],
      [80_000_000, 3_600_000, 60_000],
    ] as const) {
      const answer = run.ask(end - ago, end - ago + length);
      expect(answer.to - answer.from).toBeGreaterThanOrEqual(length - step);
      expect(answer.to - answer.from).toBeLessThanOrEqual(length + step);
      expect(answer.total.rxBytes).toBe((7 * answer.measuredMs) / 1000);
      expect(sumOf(answer, 'apps')).toEqual([answer.total.rxBytes, answer.total.txBytes]);
    }
  });

  it('of ticks shorter than a second make a slot of several, of longer ones a slot each', () => {
    const run = new Run();
    for (let i = 0; i < 40; i++) run.tick(every(i % 3, 10, 0), 250);
    expect(run.history.rates().seconds.lengths).toEqual(new Array(10).fill(1000));
    const answer = run.ask(0, 10_000);
    expect(sumOf(answer, 'flows')).toEqual([400, 0]);
    expect(answer.flows).toHaveLength(3);
    for (let i = 0; i < 4; i++) run.tick(every(1, 10, 0), 5000);
    expect(run.history.rates().seconds.lengths.slice(-4)).toEqual([5000, 5000, 5000, 5000]);
    expect(run.history.rates().seconds.rx.at(-1)).toBe(2);
  });
});

describe('peaks', () => {
  it('are equally high at every resolution, whatever the ticks', () => {
    const tick = fc.record({
      rx: fc.nat(1e6),
      tx: fc.nat(1e6),
      ms: fc.constantFrom(100, 250, 1000, 2000, 15_000),
      gap: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(tick, { minLength: 100, maxLength: 280 }), (ticks) => {
        const run = new Run();
        for (const { rx, tx, ms, gap } of ticks) run.tick(every(1, rx, tx), ms, { isGap: gap === 0 });
        const { seconds, tens, minutes } = run.history.rates();
        for (const coarse of [tens, minutes])
          for (const [i, end] of coarse.ends.entries()) {
            const start = end - (coarse.lengths[i] as number);
            for (const direction of ['rx', 'tx'] as const) {
              const inside = seconds[direction].filter((rate, at) => {
                const middle = (seconds.ends[at] as number) - (seconds.lengths[at] as number) / 2;
                return middle > start && middle < end && !Number.isNaN(rate);
              });
              expect(coarse[direction][i]).toBe(inside.length === 0 ? Number.NaN : Math.max(...inside));
            }
          }
      }),
    );
  });

  it('next to an unmeasured time are kept, and means are over measured time', () => {
    const run = new Run();
    for (let i = 0; i < 120; i++) run.tick(every(1, i === 30 ? 5000 : 100, 0), 1000, { isGap: i === 31 });
    const { tens, minutes } = run.history.rates();
    expect(minutes.rx).toEqual([5000, 100]);
    expect(tens.rx.slice(0, 5)).toEqual([100, 100, 100, 5000, 100]);
    for (let i = 120; i < 3900; i++) run.tick(every(1, 100, 0));
    expect(run.ask(0, 60_000).measuredMs).toBe(59_000);
  });
});

describe('time', () => {
  it('that was not measured has no rate, and does not count', () => {
    const run = new Run();
    run.tick(every(1, 100, 0));
    run.tick(every(1, 500, 0), 3_600_000, { intervalMs: 1000, isGap: true });
    run.tick(every(1, 100, 0));
    const { seconds } = run.history.rates();
    expect(seconds.rx).toEqual([100, Number.NaN, 100]);
    expect(seconds.lengths).toEqual([1000, 3_600_000, 1000]);
    expect(run.ask(0, 3_700_000)).toMatchObject({ measuredMs: 2000, total: { rxBytes: 700 } });
  });

  it('stays in order when the clock is set back', () => {
    const run = new Run();
    for (let i = 0; i < 5; i++) run.tick(every(1, i, 0));
    run.time -= 3_600_000;
    for (let i = 5; i < 8; i++) run.tick(every(1, i, 0));
    const { ends, lengths, rx } = run.history.rates().seconds;
    expect(rx).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(lengths).toEqual(new Array(8).fill(1000));
    expect(ends.at(-1)).toBe(run.time);
    for (const [i, end] of ends.slice(1).entries()) expect(end).toBeGreaterThan(ends[i] as number);
  });
});

describe('bounds', () => {
  it('take a few MiB at the most', () => {
    expect(RateHistory.BYTES).toBeLessThan(5 * 1024 * 1024);
  });

  it('forget the rows of flows, not their bytes', () => {
    const run = new Run();
    for (let i = 0; i < 200; i++) run.tick({ flows: Array.from({ length: 20 }, (_, k) => [i * 20 + k, 5, 1] as const) });
    const answer = run.ask(0, 200_000);
    expect(answer.flows.length).toBe(1024);
    expect(sumOf(answer, 'flows')).toEqual([200 * 20 * 5, 200 * 20]);
  });

  it('tell of flows that went away in their tick as of others', () => {
    const run = new Run();
    run.tick({
      flows: [
        [-1, 900, 9],
        [4, 1, 1],
      ],
    });
    expect(run.ask(0, 1000)).toMatchObject({ flows: [{ row: { id: '4' } }], others: { flows: { rxBytes: 900, txBytes: 9 } } });
  });
});

it('Heaviest never loses a byte, in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(1000), fc.nat(1000)), { maxLength: 200 }), (moves) => {
      const heaviest = new Heaviest(8);
      for (const [id, rx, tx] of moves) heaviest.add(id, rx, tx, 0, false);
      const kept = (column: Float64Array) => column.slice(0, heaviest.count).reduce((a, b) => a + b, 0);
      expect(kept(heaviest.rx) + heaviest.restRx).toBe(moves.reduce((sum, [, rx]) => sum + rx, 0));
      expect(kept(heaviest.tx) + heaviest.restTx).toBe(moves.reduce((sum, [, , tx]) => sum + tx, 0));
      expect(new Set(heaviest.ids.slice(0, heaviest.count)).size).toBe(heaviest.count);
    }),
  );
});

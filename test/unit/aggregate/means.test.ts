// Means over the last 2, 10 and 40 s: of one row by hand, and of every row of a snapshot whatever flows do.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIVE_LIMITS } from '../../../src/aggregate/aggregator.ts';
import { Means, MeansClock, WAY } from '../../../src/aggregate/means.ts';
import { compileFilter } from '../../../src/filter/filter.ts';
import type { Snapshot, Traffic } from '../../../src/model/snapshot.ts';
import { pictureOf } from '../../../src/view/derive.ts';
import { initialState } from '../../../src/view/state.ts';
import { sumTraffic } from '../../../src/view/traffic.ts';
import { type AppLine, underApp, underBranch } from '../../../src/view/tree/app-tree.ts';
import { domains, underHost } from '../../../src/view/tree/host-tree.ts';
import { FlowRun, flowSteps } from '../../support/flow-run.ts';
import { packet, reply, timed } from '../../support/packets.ts';
import { CAPTURE, UNCOUNTED } from '../../support/snapshot-builder.ts';

const rx = (means: readonly number[]) => [means[0], means[2], means[4]];

describe('a row', () => {
  /** Ticks of `ms` in which row 0 received so many bytes. @returns its RX means after each */
  function seenAfter(ticks: readonly number[], ms = 1000): (number | undefined)[][] {
    const means = new Means(new MeansClock());
    return ticks.map((bytes) => {
      means.add(0, bytes, 0);
      means.clock.close(ms);
      const now = rx(means.of(0));
      means.clock.begin();
      return now;
    });
  }

  it('shows a burst for as long as the window, and over the time since the start while that is shorter', () => {
    const seen = seenAfter([1000, ...new Array<number>(60).fill(0)]);
    expect(seen[0]).toEqual([1000, 1000, 1000]);
    expect(seen[1]).toEqual([500, 500, 500]);
    expect(seen[2]).toEqual([0, 333, 333]);
    expect(seen[9]).toEqual([0, 100, 100]);
    expect(seen[10]).toEqual([0, 0, 91]);
    expect(seen[39]).toEqual([0, 0, 25]);
    expect(seen.slice(50)).toEqual(new Array(11).fill([0, 0, 0]));
  });

  it.each([100, 250, 1000, 1003, 3000, 7000, 60_000])('shows a steady rate as what it is, in ticks of %i ms', (ms) => {
    for (const now of seenAfter(new Array<number>(700).fill(ms * 5), ms)) expect(now).toEqual([5000, 5000, 5000]);
  });

  it('counts of a tick that is longer than the window the part inside it', () => {
    expect(seenAfter([20_000, 0], 20_000)).toEqual([
      [1000, 1000, 1000],
      [0, 0, 500],
    ]);
  });

  it('is the same object while nothing moves', () => {
    const means = new Means(new MeansClock());
    means.add(5, 1, 0);
    expect(means.of(3)).toBe(means.of(4000));
    means.clear(5);
    means.clock.close(1000);
    expect(means.of(5)).toBe(means.of(3));
  });

  it.each([
    ['as it went', WAY.OWN, [30, 12]],
    ['from the other end', WAY.TURNED, [12, 30]],
    ['as received', WAY.RECEIVED, [42, 0]],
  ])('is added to another %s, and taken away', (_, way, wanted) => {
    const clock = new MeansClock();
    const [flows, sums] = [new Means(clock), new Means(clock)];
    flows.add(7, 30, 12);
    clock.close(1000);
    clock.begin();
    sums.take(1, flows, 7, way, 1);
    clock.close(1000);
    expect(sums.of(1).slice(0, 2)).toEqual(wanted.map((bytes) => bytes / 2));
    sums.take(1, flows, 7, way, -1);
    expect(sums.of(1)).toBe(sums.of(99));
  });
});

const INTERFACES = [{ name: 'eth0', kind: 'physical', isCounted: true, ...UNCOUNTED } as const];

/** Flows of one machine and their means. */
class MeansRun extends FlowRun {
  constructor() {
    super(4096);
    this.aggregator.setInterfaces(INTERFACES);
    this.aggregator.keepRateHistory();
  }

  tick(ms = 1000): Snapshot {
    this.time += ms;
    const parts = { time: this.time, intervalMs: ms, capture: CAPTURE, interfaces: INTERFACES, gaps: [] };
    return this.aggregator.tick(parts, LIVE_LIMITS);
  }

  receive(bytes: number): number {
    return this.table.touch(timed(reply({ bytes }), this.time), 0, 0);
  }
}

const PICTURES = initialState({ columns: 80, rows: 24, closed: true });

describe('a snapshot', () => {
  it('has the same means in every table and the total', () => {
    const run = new MeansRun();
    run.own(run.receive(6000), 'curl');
    run.tick();
    run.table.touch(timed(packet({ bytes: 600 }), run.time), 0, 0);
    const { total, apps, hosts, categories, interfaces, flows } = run.tick();
    for (const row of [total, apps[0], hosts[0], categories[0], interfaces[0], flows[0]])
      expect(row?.means).toEqual([3000, 300, 3000, 300, 3000, 300]);
  });

  it('keeps none without a screen', () => {
    const run = new FlowRun(64);
    run.table.touch(timed(packet({ bytes: 600 }), run.time), 0, 0);
    const parts = { time: run.time, intervalMs: 1000, capture: CAPTURE, interfaces: INTERFACES, gaps: [] };
    const { total, apps, flows } = run.aggregator.tick(parts, LIVE_LIMITS);
    for (const row of [total, apps[0], flows[0]]) expect(row?.means).toEqual([]);
  });

  it('has a flow take its means along when its owner turns out late', () => {
    const run = new MeansRun();
    run.tick();
    const row = run.receive(5000);
    expect(run.tick().apps.map(({ app, means }) => [app, means[2]])).toEqual([[null, 2500]]);
    run.own(row, 'curl');
    const { apps } = run.tick();
    expect(apps.map(({ app, means }) => [app, means[2]])).toEqual([['curl', 1667]]);
  });

  it('leaves the means of a flow that ended with its app until they are over', () => {
    const run = new MeansRun();
    const row = run.receive(8000);
    run.own(row, 'curl');
    run.tick();
    run.table.remove(row);
    const seen = Array.from({ length: 11 }, () => run.tick());
    expect(seen.map(({ apps }) => apps[0]?.means[2])).toEqual([4000, 2667, 2000, 1600, 1333, 1143, 1000, 889, 800, 0, 0]);
    expect(seen[0]?.flows).toEqual([]);
  });

  it('shows no means of a flow that is gone in the row of the next', () => {
    const run = new MeansRun();
    const row = run.receive(8000);
    run.tick();
    run.table.remove(row);
    const next = run.table.touch(timed(packet({ bytes: 40, src: '192.0.2.99', dst: '10.0.0.1' }), run.time), 0, 0);
    expect(next).toBe(row);
    expect(run.tick().flows[0]?.means[2]).toBe(20);
  });

  it('has the means of what matches as soon as a filter is set', () => {
    const run = new MeansRun();
    run.own(run.receive(5000), 'curl');
    run.tick();
    const parsed = compileFilter('app:curl');
    if (!parsed.ok) throw new Error('no filter');
    run.aggregator.match(parsed.filter, null);
    const { matching } = run.tick();
    for (const row of [matching?.total, matching?.apps[0], matching?.hosts[0], matching?.flows[0], matching?.interfaces[0]])
      expect(row?.means[2]).toBe(2500);
  });

  it.each([
    [null, [5000, 0, 0, 0, 0, 0, 0]],
    [2, [5000, 2500, 0, 0, 0, 0, 0]],
    [10, [5000, 2500, 1667, 1250, 1000, 0, 0]],
  ] as const)('has a filter ask for the rates that rows show: over %s s', (average, wanted) => {
    const run = new MeansRun();
    const parsed = compileFilter('rxrate>=1000');
    if (!parsed.ok) throw new Error('no filter');
    run.aggregator.match(parsed.filter, null, average);
    run.receive(5000);
    const window = average === null ? null : average === 2 ? 0 : 2;
    const seen = wanted.map(() => {
      const [row] = run.tick().matching?.flows ?? [];
      return row === undefined ? 0 : window === null ? row.rxRate : row.means[window];
    });
    expect(seen).toEqual(wanted);
  });

  it('shows each row as the sum of its branches, whatever flows do', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(...flowSteps(1)), { maxLength: 80 }), (steps) => {
        const run = new MeansRun();
        const owned = new Set<string>();
        for (const step of steps) {
          if (step.kind === 'exec') continue; // what a flow moved before moves to late names and owners without its rates
          if (step.kind === 'packet') {
            const { src, dst, sport, dport, flags, bytes } = step;
            if (src !== '10.0.0.1' && dst !== '10.0.0.1') continue; // in transit
            run.table.touch(timed(packet({ src, dst, sport, dport, flags, bytes }), run.time), 0, 0);
          } else if (step.kind === 'tick') check(run.tick(step.ms));
          else if (step.kind === 'owner' || step.kind === 'peer') {
            // The same when a socket is handed on. Only a local flow has two owners.
            const row = run.rowOf(step);
            if (row < 0 || (step.kind === 'peer' && !run.table.isLocal(row))) continue;
            const end = `${run.table.serial(row)} ${step.kind}`;
            if (!owned.has(end)) run.change(step);
            owned.add(end);
          } else run.change(step);
        }
        check(run.tick(1000));
      }),
      { numRuns: 300 },
    );
  });
});

function check(snapshot: Snapshot): void {
  const picture = pictureOf(PICTURES, snapshot);
  const near = (row: Traffic, parts: readonly Traffic[]): void => {
    const sum = sumTraffic(parts);
    for (const [i, mean] of row.means.entries()) {
      const close = Math.abs(mean - (sum.means[i] ?? 0)) <= parts.length + 1 + mean * 1e-5;
      if (!close) expect([i, sum.means[i], parts.length]).toEqual([i, mean, 0]);
    }
  };
  for (const app of picture.apps) {
    const under = underApp(app, picture);
    near(
      app,
      under.filter(({ branch }) => branch?.kind !== 'processes'),
    );
    const deeper = (line: AppLine): void => {
      const lines = underBranch(line, picture);
      if (lines.length > 0) near(line, lines);
      lines.forEach(deeper);
    };
    under.forEach(deeper);
  }
  for (const domain of domains(picture.hosts)) near(domain, underHost(domain, picture));
  near(picture.total, picture.categories);
}

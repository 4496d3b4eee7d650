// Totals of what a filter matches: exact, whatever is learnt late, stops matching or leaves.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { END_LIMITS, LIVE_LIMITS, type SnapshotLimits } from '../../../src/aggregate/aggregator.ts';
import { EventLog } from '../../../src/aggregate/event-log.ts';
import { compileFilter, type Filter } from '../../../src/filter/filter.ts';
import { NameStrings } from '../../../src/identify/name/name-strings.ts';
import { type FlowRow, type Matching, RECENT_MS, type Snapshot, type TickInterface } from '../../../src/model/snapshot.ts';
import { filteredSnapshot } from '../../../src/output/matching.ts';
import { subjectOf } from '../../../src/view/derive.ts';
import { bytesOf, FlowRun, flowSteps, sumOf } from '../../support/flow-run.ts';
import { Naming } from '../../support/naming.ts';
import { packet, timed } from '../../support/packets.ts';
import { CAPTURE, UNCOUNTED } from '../../support/snapshot-builder.ts';

const ETHERNET: TickInterface = { ...UNCOUNTED, name: 'eth0', kind: 'physical', isCounted: true };
const LOOPBACK: TickInterface = { ...UNCOUNTED, name: 'lo', kind: 'loopback', isCounted: true };
const BRIDGE: TickInterface = { ...UNCOUNTED, name: 'br0', kind: 'bridge', isCounted: false };
const OWN_AND_FAR = { src: '10.0.0.1', dst: '192.0.2.1' };

function filterOf(text: string): Filter {
  const result = compileFilter(text);
  if (!result.ok) throw new Error(result.message);
  return result.filter;
}

class Run extends FlowRun {
  readonly interfaces: readonly TickInterface[];

  constructor(maxRows = 256, interfaces = [ETHERNET, LOOPBACK], events: EventLog | null = null) {
    super(maxRows, events);
    this.interfaces = interfaces;
    this.aggregator.setInterfaces(interfaces);
  }

  send(fields: Parameters<typeof packet>[0], iface = 0): number {
    return this.table.touch(timed(packet({ ...OWN_AND_FAR, bytes: 100, ...fields }), this.time), iface, 0);
  }

  tick(ms = 1000, limits: SnapshotLimits = END_LIMITS): Snapshot {
    this.time += ms;
    const { interfaces } = this;
    return this.aggregator.tick({ time: this.time, intervalMs: ms, capture: CAPTURE, interfaces, gaps: [] }, limits);
  }

  /** What flows had moved when their owner last became another program, by id. */
  readonly moved = new Map<string, number>();
  /** What the filter counts of flows, and what it never will, because it moved under an owner that didn't match. By id. */
  readonly booked = new Map<string, number>();
  readonly skipped = new Map<string, number>();
  isFiltered = false;

  begin(filter: Filter): void {
    this.aggregator.match(filter, null);
    this.isFiltered = true;
    for (const [id, bytes] of this.moved) this.skipped.set(id, bytes);
  }

  book(flow: FlowRow): void {
    this.booked.set(flow.id, bytesOf(flow) - (this.skipped.get(flow.id) ?? 0));
  }

  override onExec(row: number): void {
    const flow = this.aggregator.flowRow(row);
    this.moved.set(flow.id, bytesOf(flow));
    if (!this.isFiltered) return;
    if (this.aggregator.passes(row)) this.book(flow);
    else this.skipped.set(flow.id, bytesOf(flow) - (this.booked.get(flow.id) ?? 0));
  }

  matching(ms = 1000): Matching {
    const { matching } = this.tick(ms);
    if (matching === null) throw new Error('no filter');
    return matching;
  }
}

const step = fc.oneof(...flowSteps(2));

/**
 * @param isLate a known owner stays, as it mostly does, unless it becomes another program when all owners are known; and a flow may go over both
 * interfaces, of which only one counts it
 */
function play(run: Run, each: typeof step extends fc.Arbitrary<infer Step> ? Step : never, isLate: boolean): void {
  if (each.kind === 'tick') return;
  if (each.kind === 'packet') {
    run.time += each.later;
    run.send(isLate ? each : { ...each, sport: each.sport + 10 * each.iface }, each.iface);
    return;
  }
  const row = 'which' in each ? run.rowOf(each) : -1;
  if (row < 0 || !isLate || each.kind === 'remove') {
    run.change(each);
    return;
  }
  const { app, peerApp, direction } = run.aggregator.flowRow(row);
  if (
    each.kind === 'exec'
      ? app !== null && (direction !== 'local' || peerApp !== null)
      : (each.kind === 'peer' ? peerApp : app) === null
  )
    run.change(each);
}

const FILTERS = [
  'app:curl',
  'not app:ssh',
  'proto:tcp and port:1',
  'host:192.0.2.1 or dir:local',
  'iface:eth0',
  'bytes>100K',
  'idle>1s',
  'rate>20K',
  'state:established',
  'attribution:none',
  'in or closed',
  'retransmits>0 or domain:example',
  'user:ann and addr:192.0.2.2',
];

describe('any traffic under any filter', () => {
  it.each([256, 4])('is what flows had moved when they matched last, and never falls (%i rows)', (maxRows) => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 10, maxLength: 120, size: 'max' }),
        fc.constantFrom(...FILTERS),
        fc.nat(40),
        (steps, text, after) => {
          const run = new Run(maxRows);
          const filter = filterOf(text);
          let shown = run.tick();
          const matches = (flow: FlowRow, time: number) => {
            const process = shown.apps.find((row) => row.app === flow.app);
            return filter.matches(subjectOf(flow, flow.app === null ? undefined : process, undefined), time);
          };
          run.aggregator.onFlowClosed((row) => run.isFiltered && run.book(run.aggregator.flowRow(row)));
          let last = 0;
          for (const [i, each] of [...steps, { kind: 'tick' as const, ms: 1000 }].entries()) {
            if (i === after) run.begin(filter);
            play(run, each, false);
            if (each.kind !== 'tick') continue;
            shown = run.tick(each.ms);
            if (!run.isFiltered) continue;
            const { matching } = shown;
            if (matching === null) throw new Error('no filter');
            const listed = shown.flows.filter((flow) => matches(flow, shown.time));
            for (const flow of listed) run.book(flow);
            expect(matching.flows).toEqual(listed);
            expect(matching.flowCount).toBe(listed.length);
            const expected = [...run.booked.values()].reduce((total, bytes) => total + bytes, 0);
            expect(bytesOf(matching.total)).toBe(expected);
            expect(expected).toBeGreaterThanOrEqual(last);
            expect([sumOf(matching.hosts), sumOf(matching.categories), sumOf(matching.interfaces)]).toEqual([
              expected,
              expected,
              expected,
            ]);
            expect(sumOf(matching.apps)).toBeGreaterThanOrEqual(expected);
            for (const row of [...matching.apps, ...matching.hosts, ...matching.categories, ...matching.interfaces])
              expect(Math.min(row.rxBytes, row.txBytes, row.rxPackets, row.txPackets)).toBeGreaterThanOrEqual(0);
            last = expected;
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('equals the unfiltered rows if it selects whole rows', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 120, size: 'max' }), fc.constantFrom(4, 256), (steps, maxRows) => {
        const texts = ['app:curl', 'host:192.0.2.1', 'iface:lo', 'dir:outbound or not dir:outbound'];
        const runs = texts.map((text) => {
          const run = new Run(maxRows);
          run.aggregator.match(filterOf(text), null);
          return run;
        });
        for (const each of [...steps, { kind: 'tick' as const, ms: 1000 }]) {
          const shown = runs.map((run) => {
            play(run, each, true);
            return each.kind === 'tick' ? run.tick(each.ms) : null;
          });
          const [app, host, iface, all] = shown;
          if (app == null || host == null || iface == null || all == null) continue;
          const row = app.apps.find((one) => one.app === 'curl');
          expect(app.matching?.apps.find((one) => one.app === 'curl')).toEqual(row);
          expect(host.matching?.total.rxBytes).toBe(host.hosts.find((one) => one.host === '192.0.2.1')?.rxBytes ?? 0);
          expect(host.matching?.total.txRate).toBe(host.hosts.find((one) => one.host === '192.0.2.1')?.txRate ?? 0);
          expect(iface.matching?.total.txBytes).toBe(iface.interfaces[1]?.txBytes);
          // Rates are rounded once for each interface there, and once here.
          const { rxRate, txRate, ...moved } = all.total;
          expect(all.matching?.total).toMatchObject(moved);
          expect(Math.abs((all.matching?.total.rxRate ?? 0) - rxRate + (all.matching?.total.txRate ?? 0) - txRate)).toBeLessThan(
            4,
          );
          for (const kind of ['apps', 'hosts', 'categories', 'flows'] as const) expect(all.matching?.[kind]).toEqual(all[kind]);
        }
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });
});

describe('a filter', () => {
  it('counts flows that left, and all of those that match late, without a burst', () => {
    const run = new Run();
    run.aggregator.match(filterOf('app:curl'), null);
    const first = run.send({ sport: 1, bytes: 5000 });
    expect(run.matching().total.txBytes).toBe(0);
    run.own(first, 'curl');
    run.send({ sport: 1, bytes: 10 });
    expect(run.matching()).toMatchObject({
      completeSince: null,
      total: { txBytes: 5010, txRate: 10 },
      apps: [{ app: 'curl', txRate: 10 }],
    });
    run.table.remove(first);
    run.own(run.send({ sport: 2, bytes: 1 }), 'curl');
    expect(run.matching()).toMatchObject({
      total: { txBytes: 5011, txRate: 1 },
      flowCount: 1,
      apps: [{ txBytes: 5011, flows: 2 }],
    });
  });

  it.each(['parent:curl', 'ancestor=500'])('%s counts what children of a process move, whatever became of it', (text) => {
    const run = new Run();
    run.aggregator.match(filterOf(`${text} -app:ssh`), null);
    run.own(run.send({ sport: 1, bytes: 100 }), 'curl');
    run.own(run.send({ sport: 2, bytes: 1000 }), 'ssh');
    run.send({ sport: 3, bytes: 10_000 });
    expect(run.matching()).toMatchObject({ total: { txBytes: 100 }, apps: [{ app: 'curl', txBytes: 100 }], flowCount: 1 });
  });

  it('keeps what it counted of a flow that now has another app', () => {
    const run = new Run();
    run.aggregator.match(filterOf('app:bash'), null);
    const row = run.send({ bytes: 100 });
    run.own(row, 'bash');
    expect(run.matching().total.txBytes).toBe(100);
    run.own(row, 'cat');
    run.send({ bytes: 1000 });
    expect(run.matching()).toMatchObject({ total: { txBytes: 100 }, apps: [{ app: 'bash', txBytes: 100 }], flows: [] });
  });

  it.each(['app:cat', 'app:bash', 'host:192.0.2.1'])('%s shows under each program what the flow moved for it', (text) => {
    const run = new Run();
    run.aggregator.match(filterOf(text), null);
    const row = run.send({ bytes: 100 });
    run.own(row, 'bash');
    run.tick();
    run.exec(row, false, 'cat');
    run.send({ bytes: 1000 });
    const { apps, matching } = run.tick();
    expect(apps).toMatchObject([
      { app: 'bash', txBytes: 100, flows: 1 },
      { app: 'cat', txBytes: 1000, txRate: 1000, flows: 1 },
    ]);
    const meant = apps.filter(({ app }) => !text.startsWith('app:') || text === `app:${app}`);
    expect(matching?.apps).toEqual(meant);
    expect(matching?.total).toMatchObject({ txBytes: sumOf(meant), unownedBytes: 0 });
  });

  it('that is set after an exec leaves out what nobody can assign, and says since when it is complete', () => {
    const run = new Run();
    const row = run.send({ bytes: 100 });
    run.own(row, 'bash');
    run.exec(row, false, 'cat');
    run.send({ bytes: 1000 });
    run.tick();
    run.aggregator.match(filterOf('host:192.0.2.1'), null);
    run.send({ bytes: 10 });
    const time = run.time + 1000;
    expect(run.matching()).toMatchObject({
      completeSince: time,
      total: { txBytes: 1010 },
      apps: [{ app: 'cat', txBytes: 1010 }],
    });
  });

  it('that is set after flows have left says since when it is complete', () => {
    const run = new Run();
    run.table.remove(run.send({ sport: 1, bytes: 7 }));
    run.send({ sport: 2, bytes: 50 });
    run.tick();
    run.aggregator.match(filterOf('proto:tcp'), null);
    const time = run.time + 1000;
    expect(run.matching()).toMatchObject({ completeSince: time, total: { txBytes: 50, txRate: 0 } });
    expect(run.matching()).toMatchObject({ completeSince: time, total: { txBytes: 50 } });
  });

  it('counts from a snapshot on', () => {
    const run = new Run();
    run.send({ sport: 1, bytes: 100 });
    run.send({ sport: 2, bytes: 200 });
    const from = run.tick(1000, { ...LIVE_LIMITS, flows: 1 }); // of one flow it isn't known what it had moved
    run.aggregator.match(filterOf('proto:tcp'), from);
    run.send({ sport: 1, bytes: 1 });
    run.send({ sport: 2, bytes: 2 });
    run.time += 1;
    run.send({ sport: 3, bytes: 4 });
    const counted = run.matching();
    expect(counted).toMatchObject({ from: from.time, completeSince: null, total: { txBytes: 7 }, flowCount: 3 });
    // Of those flows, one began since.
    for (const rows of [counted.apps, counted.hosts, counted.categories]) expect(rows).toMatchObject([{ txBytes: 7, flows: 1 }]);
  });

  it('that names an interface counts what moved there, even if another interface counts it', () => {
    const run = new Run(256, [ETHERNET, BRIDGE]);
    run.aggregator.match(filterOf('iface:br0'), null);
    const ends = { src: '192.0.2.7', dst: '192.0.2.8', bytes: 30 };
    run.send(ends, 0);
    run.send(ends, 1);
    expect(bytesOf(run.matching().total)).toBe(30);
    run.aggregator.match(filterOf('addr:192.0.2.7'), null);
    expect(bytesOf(run.matching().total)).toBe(30);
  });

  it('that asks for what is new follows what becomes new, and what no longer is', () => {
    const run = new Run(256, undefined, new EventLog((_, name) => name === 'ssh'));
    run.aggregator.match(filterOf('new'), null);
    run.own(run.send({ sport: 1, bytes: 10 }), 'ssh');
    run.own(run.send({ sport: 2, bytes: 20 }), 'curl');
    run.tick();
    expect(run.matching()).toMatchObject({ total: { txBytes: 20 }, apps: [{ app: 'curl' }], flowCount: 1 });
    run.tick(RECENT_MS);
    expect(run.matching()).toMatchObject({ total: { txBytes: 20 }, flowCount: 0 });
  });

  it('decides what an output without a screen shows', () => {
    const run = new Run();
    run.own(run.send({ bytes: 9 }), 'curl');
    const whole = run.tick();
    expect(filteredSnapshot(whole)).toBe(whole);
    run.aggregator.match(filterOf('app:ssh'), null);
    expect(filteredSnapshot(run.tick())).toMatchObject({ total: { txBytes: 0 }, apps: [], hosts: [], flows: [], flowCount: 0 });
    run.aggregator.match(filterOf('app:curl'), null);
    const { snapshot, hosts, flows } = run.aggregator.last({
      ...{ time: run.time + 1000, intervalMs: 1000, capture: CAPTURE, interfaces: run.interfaces, gaps: [] },
    });
    expect(filteredSnapshot(snapshot)).toMatchObject({ total: { txBytes: 9 }, apps: [{ app: 'curl' }], flowCount: 1 });
    expect([[...hosts], [...flows]]).toMatchObject([[{ host: '192.0.2.1', txBytes: 9 }], [{ app: 'curl' }]]);
  });
});

it('sums stay exact while hosts and names are evicted', () => {
  const most = 160;
  const m = new Naming({ names: new NameStrings(most), maxRows: 1024 });
  const aggregator = m.aggregator(most);
  aggregator.setInterfaces([ETHERNET]);
  aggregator.match(filterOf('dport:443'), null);
  let moved = 0;
  for (let i = 0; i < 1500; i++) {
    const isMeant = i % 3 > 0;
    const row = m.open({ dst: `198.51.${i >> 8}.${i & 255}`, sport: 1000 + i, dport: isMeant ? 443 : 80, bytes: 100 + i });
    if (i % 2 === 0) m.names.serverName(row, 'tls', `host${i}.example`, false);
    if (isMeant) moved += 100 + i;
    m.time += 100;
    const parts = { intervalMs: 100, capture: CAPTURE, interfaces: [ETHERNET], gaps: [] };
    const { matching } = aggregator.tick({ time: m.time, ...parts }, LIVE_LIMITS);
    if (matching === null) throw new Error('no filter');
    expect([bytesOf(matching.total), sumOf(matching.hosts), sumOf(matching.apps)]).toEqual([moved, moved, moved]);
    if (i % 5 < 4) m.flows.remove(row);
  }
  expect(aggregator.booking.hostTable.end).toBeLessThanOrEqual(most + 1);
});

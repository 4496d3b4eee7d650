import { beforeEach, describe, expect, it } from 'vitest';
import { Aggregator, END_LIMITS } from '../../../../src/aggregate/aggregator.ts';
import { type AppMetricsCollector, SettlingMinutes } from '../../../../src/aggregate/metrics/app-metrics.ts';
import { Localizer } from '../../../../src/flow/direction.ts';
import { FlowTable } from '../../../../src/flow/flow-table.ts';
import type { AppMetrics, MetricRow } from '../../../../src/model/metrics.ts';
import type { TickInterface } from '../../../../src/model/snapshot.ts';
import { FakeDirectory } from '../../../support/fake-directory.ts';
import { addresses, type PacketFields, packet, reply, timed } from '../../../support/packets.ts';
import { CAPTURE, UNCOUNTED } from '../../../support/snapshot-builder.ts';

/** The turn of a minute. */
const T0 = 1_700_000_040_000;
const MINUTE = 60_000;
const INTERFACES: TickInterface[] = [
  { name: 'eth0', kind: 'physical', isCounted: true, ...UNCOUNTED },
  { name: 'wlan0', kind: 'physical', isCounted: true, ...UNCOUNTED },
];

let table: FlowTable;
let directory: FakeDirectory;
let aggregator: Aggregator;
let collector: AppMetricsCollector;
let now: number;

beforeEach(() => {
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('10.0.0.1'));
  table = new FlowTable(localizer, 4096, 3);
  directory = new FakeDirectory();
  aggregator = new Aggregator({ flows: table, directory, started: T0, seed: 3 });
  aggregator.setInterfaces(INTERFACES);
  collector = aggregator.collectMetrics();
  now = T0 + 10_000;
});

const tx = (fields: PacketFields = {}, index = 0) => table.touch(timed(packet(fields), now), index, 0);
const rx = (fields: PacketFields = {}, index = 0) => table.touch(timed(reply(fields), now), index, 0);
const own = (row: number, name: string) => table.own(row, directory.add(name), 'exact');
function tick(ms = 1000): void {
  now += ms;
  aggregator.tick({ time: now, intervalMs: ms, capture: CAPTURE, interfaces: INTERFACES, gaps: [] }, END_LIMITS);
}
function later(ms: number): AppMetrics {
  tick(ms);
  return collector.take(now);
}
const told = (rows: readonly MetricRow[]) =>
  rows.map(({ app, reason, interface: name, rxBytes, txBytes, flows }) => [app ?? `(${reason})`, name, rxBytes, txBytes, flows]);

describe('minutes', () => {
  it('are held open for half a minute, then given once, and never change afterwards', () => {
    own(tx({ bytes: 100 }), 'curl');
    rx({ bytes: 3000 });
    own(tx({ bytes: 7, sport: 2, dst: '192.0.2.81' }, 1), 'curl');
    expect(later(1000).settled).toEqual([]);
    expect(later(MINUTE).settled).toEqual([]);
    expect(later(18_999)).toMatchObject({ settled: [], until: T0 });
    const { settled, until } = later(1);
    expect(until).toBe(T0 + MINUTE);
    expect(settled.map((one) => one.until)).toEqual([T0 + MINUTE]);
    expect(told(settled[0]?.rows ?? [])).toEqual([
      ['curl', 'eth0', 3000, 100, 1],
      ['curl', 'wlan0', 0, 7, 1],
    ]);
    expect(later(5 * MINUTE)).toMatchObject({ settled: [], until: T0 + 6 * MINUTE });
  });

  it('know owners that come late', () => {
    const row = tx({ bytes: 100 });
    later(15_000);
    own(row, 'curl');
    tx({ bytes: 1 });
    const { settled } = later(3 * MINUTE);
    expect(told(settled.flatMap(({ rows }) => rows))).toContainEqual(['curl', 'eth0', 0, 101, 1]);
    const nobody = settled.flatMap(({ rows }) => rows).find(({ app }) => app === null);
    expect(nobody === undefined ? 0 : nobody.txBytes).toBe(0);
  });

  it('leave out what moved before collecting began', () => {
    const fresh = new Aggregator({ flows: table, directory, started: T0, seed: 3 });
    fresh.setInterfaces(INTERFACES);
    own(tx({ bytes: 100 }), 'curl');
    const metrics = fresh.collectMetrics();
    expect(fresh.collectMetrics()).toBe(metrics);
    tx({ bytes: 7 });
    now += MINUTE;
    fresh.tick({ time: now, intervalMs: MINUTE, capture: CAPTURE, interfaces: INTERFACES, gaps: [] }, END_LIMITS);
    expect(metrics.take(now).settled).toEqual([]);
    const rows = metrics.take(now + 3 * MINUTE).settled.flatMap((one) => one.rows);
    expect(rows.reduce((sum, row) => sum + row.txBytes, 0)).toBe(7);
  });

  it('that were settled get what comes later as rows of their own', () => {
    const minutes = new SettlingMinutes();
    const entry = {
      exe: null,
      host: null,
      domain: null,
      protocol: '',
      direction: 'outbound',
      container: null,
      txBytes: 0,
      rxPackets: 1,
      txPackets: 0,
    } as const;
    const moved = (app: string | null, rxBytes: number, flows: number) => ({
      ...entry,
      ...{ app, reason: app === null ? 'not looked up yet' : null, category: null, interface: 'eth0', rxBytes, flows },
    });
    minutes.add({ minute: 10, entries: [moved(null, 100, 1)] });
    minutes.add({ minute: 10, entries: [moved(null, 10, 0)] });
    expect(minutes.release(11.5 * MINUTE - 1)).toEqual([]);
    expect(minutes.release(11.5 * MINUTE).map(({ until, rows }) => [until, told(rows)])).toEqual([
      [11 * MINUTE, [['(not looked up yet)', 'eth0', 110, 0, 1]]],
    ]);
    minutes.add({ minute: 10, entries: [moved(null, -40, -1), moved('curl', 40, 1)] });
    // Even if the clock was set back meanwhile.
    expect(minutes.release(5 * MINUTE).map(({ rows }) => told(rows))).toEqual([
      [
        ['(not looked up yet)', 'eth0', -40, 0, -1],
        ['curl', 'eth0', 40, 0, 1],
      ],
    ]);
    expect(minutes.until).toBe(11 * MINUTE);
  });
});

describe('TCP', () => {
  const data = { flags: 'A', payload: 1460 } as const;

  it('tells of segments sent again once, under the app that is found for them', () => {
    const row = tx({ flags: 'S', seq: 999 });
    tx({ ...data, seq: 1000 });
    tx({ ...data, seq: 2460 });
    tx({ ...data, seq: 1000 });
    expect(table.txRetransmits(row)).toBe(1);
    expect(later(1000).tcp.filter(({ app }) => app !== null)).toEqual([]);
    own(row, 'curl');
    tx({ ...data, seq: 3920 });
    const { tcp } = later(1000);
    expect(tcp).toMatchObject([{ app: 'curl', sentAgain: 1, receivedAgain: 0 }]);
    expect(later(1000).tcp).toEqual([]);
    tx({ ...data, seq: 1000 });
    table.remove(row);
    expect(later(1000).tcp).toMatchObject([{ app: 'curl', sentAgain: 1 }]);
  });

  it('tells of round trips, and nothing of loopback', () => {
    const row = tx({ flags: 'S', seq: 1 });
    own(row, 'curl');
    now += 25;
    rx({ flags: 'SA', seq: 1, ack: 2 });
    const inside = { src: '127.0.0.1', dst: '127.0.0.1', flags: 'S', seq: 1 };
    own(tx(inside), 'sshd');
    now += 5;
    rx({ ...inside, flags: 'SA', ack: 2 });
    const { tcp } = later(1000);
    expect(tcp.map(({ app, roundTrips }) => [app, roundTrips])).toEqual([['curl', 1]]);
    expect(tcp[0]?.roundTripSeconds).toBeCloseTo(0.025, 6);
    expect(later(1000).tcp).toEqual([]);
  });
});

it('open connections are counted by app', () => {
  const first = tx({ sport: 1001 });
  own(first, 'curl');
  own(tx({ sport: 1002 }), 'curl');
  own(tx({ sport: 1003 }), 'sshd');
  const counts = () => Object.fromEntries(later(1000).open.map(({ app, count }) => [app, count]));
  expect(counts()).toEqual({ curl: 2, sshd: 1 });
  table.remove(first);
  expect(counts()).toEqual({ curl: 1, sshd: 1 });
});

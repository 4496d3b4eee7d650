import { beforeEach, describe, expect, it } from 'vitest';
import { Aggregator, END_LIMITS, LIVE_LIMITS, type SnapshotLimits } from '../../../src/aggregate/aggregator.ts';
import { Localizer } from '../../../src/flow/direction.ts';
import { FlowTable } from '../../../src/flow/flow-table.ts';
import type { FlowRow, Snapshot, TickInterface } from '../../../src/model/snapshot.ts';
import { PROTOCOL } from '../../../src/net/numbers.ts';
import { FakeDirectory } from '../../support/fake-directory.ts';
import { addresses, type PacketFields, packet, reply, timed } from '../../support/packets.ts';
import { CAPTURE, UNCOUNTED } from '../../support/snapshot-builder.ts';

const T0 = 1_700_000_000_000;

const iface = (name: string, more: Partial<TickInterface> = {}): TickInterface => ({
  name,
  kind: 'physical',
  isCounted: true,
  ...UNCOUNTED,
  ...more,
});

let table: FlowTable;
let directory: FakeDirectory;
let aggregator: Aggregator;
let interfaces: TickInterface[];
let now: number;

function begin({ maxRows = 4096, keepsRates = true } = {}): void {
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('10.0.0.1'));
  table = new FlowTable(localizer, maxRows, 3);
  directory = new FakeDirectory();
  interfaces = [iface('eth0'), iface('tun0', { kind: 'tunnel', isCounted: false })];
  aggregator = new Aggregator({ flows: table, directory, started: T0, seed: 3 });
  aggregator.setInterfaces(interfaces);
  if (keepsRates) aggregator.keepRateHistory();
  now = T0;
}
beforeEach(() => begin());

const tx = (fields: PacketFields = {}, index = 0) => table.touch(timed(packet(fields), now), index, 0);
const rx = (fields: PacketFields = {}, index = 0) => table.touch(timed(reply(fields), now), index, 0);
function tick(ms = 1000, limits: SnapshotLimits = LIVE_LIMITS): Snapshot {
  now += ms;
  return aggregator.tick({ time: now, intervalMs: ms, capture: CAPTURE, interfaces, gaps: [] }, limits);
}
const own = (row: number, name: string) => table.own(row, directory.add(name), 'exact');
const traffic = ({ rxBytes, txBytes, rxRate, txRate }: FlowRow | Snapshot['total']) => [rxBytes, txBytes, rxRate, txRate];
const apps = (snapshot: Snapshot) =>
  Object.fromEntries(snapshot.apps.map((each) => [each.app ?? each.reason, [each.rxBytes, each.txBytes, each.flows]]));

describe('totals and rates', () => {
  it('are of the run and of the interval', () => {
    tx({ bytes: 100 });
    rx({ bytes: 3000 });
    const first = tick(2000);
    expect(first).toMatchObject({ seq: 0, time: T0 + 2000, started: T0, intervalMs: 2000, flowCount: 1, flowsEvicted: 0 });
    expect(traffic(first.total)).toEqual([3000, 100, 1500, 50]);
    expect(traffic(first.flows[0] as FlowRow)).toEqual([3000, 100, 1500, 50]);
    expect(first.hosts).toMatchObject([{ host: '192.0.2.80', rxBytes: 3000, rxRate: 1500, flows: 1, addresses: ['192.0.2.80'] }]);
    expect(first.interfaces).toMatchObject([
      { interface: 'eth0', rxBytes: 3000, rxRate: 1500, isCounted: true },
      { interface: 'tun0', rxBytes: 0, rxRate: 0, isCounted: false },
    ]);
    expect(first.categories).toMatchObject([{ category: null, flows: 1, rxBytes: 3000 }]);
    expect(first.rates.seconds).toEqual({ ends: [T0 + 2000], lengths: [2000], rx: [1500], tx: [50] });
    rx({ bytes: 500 });
    const second = tick(500);
    expect(traffic(second.total)).toEqual([3500, 100, 1000, 0]);
    const third = tick(1000);
    expect(traffic(third.total)).toEqual([3500, 100, 0, 0]);
    expect(traffic(third.flows[0] as FlowRow)).toEqual([3500, 100, 0, 0]);
    expect(traffic(first.total)).toEqual([3000, 100, 1500, 50]);
  });

  it('of interfaces go back a minute if they are kept, and take nothing otherwise', () => {
    tx({ bytes: 100 });
    expect(tick().interfaces).toMatchObject([
      { recentRx: [0], recentTx: [100] },
      { recentRx: [0], recentTx: [0] },
    ]);
    begin({ keepsRates: false });
    tx({ bytes: 100 });
    expect(tick().interfaces).toMatchObject([
      { txRate: 100, recentRx: [], recentTx: [] },
      { recentRx: [], recentTx: [] },
    ]);
  });

  it('are kept over time by app, host, category, interface and flow', () => {
    const history = aggregator.keepRateHistory();
    const row = tx({ bytes: 100 });
    rx({ bytes: 3000 });
    own(row, 'curl');
    const first = tick();
    tx({ bytes: 50, sport: 1 });
    tick();
    const answer = history.between(T0, T0 + 1000);
    expect(answer).toMatchObject({ from: T0, to: T0 + 1000, total: { rxBytes: 3000, txBytes: 100 } });
    const named = (rows: readonly { id: string }[] | undefined) => rows?.map(({ id }) => id);
    expect(named(answer?.apps)).toEqual(named(first.apps));
    expect(named(answer?.hosts)).toEqual(named(first.hosts));
    expect(named(answer?.categories)).toEqual(named(first.categories));
    expect(named(answer?.interfaces)).toEqual(['interface:eth0']);
    expect(answer?.flows).toMatchObject([{ row: { id: first.flows[0]?.id, app: 'curl' }, rxBytes: 3000, txBytes: 100 }]);
    expect(history.between(T0 + 1000, T0 + 2000)).toMatchObject({ total: { rxBytes: 0, txBytes: 50 }, flows: [{ txBytes: 50 }] });
  });

  it('leave out what a physical interface carries anyway', () => {
    tx({ bytes: 1000 });
    tx({ bytes: 900 }, 1);
    const snapshot = tick();
    expect(snapshot.total).toMatchObject({ txBytes: 1000, txPackets: 1, unownedBytes: 1000 });
    expect(snapshot.interfaces.map((each) => each.txBytes)).toEqual([1000, 900]);
    expect(snapshot.rates.seconds.tx).toEqual([1000]);
  });

  it('keep bytes that counted when a late interface changes what counts', () => {
    interfaces = [iface('tun0', { kind: 'tunnel' })];
    aggregator.setInterfaces(interfaces);
    const row = tx({ bytes: 900 });
    tick();
    interfaces = [iface('tun0', { kind: 'tunnel', isCounted: false }), iface('eth0')];
    aggregator.setInterfaces(interfaces);
    own(row, 'curl');
    tx({ bytes: 50, sport: 1 }, 1);
    const snapshot = tick();
    expect(snapshot.total).toMatchObject({ txBytes: 950, unownedBytes: 50 });
    tx({ bytes: 100 });
    expect(tick().total).toMatchObject({ txBytes: 950, unownedBytes: 50 });
  });

  it('survive an interval of no length', () => {
    tx({ bytes: 100 });
    expect(tick(0).total).toMatchObject({ txBytes: 100, txRate: 100_000 });
  });

  it('count a packet between two ticks in the second', () => {
    tx({ bytes: 10 });
    const row = tx({ bytes: 20 });
    tick();
    table.mark(row);
    tx({ bytes: 5 });
    expect(tick().flows).toMatchObject([{ txBytes: 35, txRate: 5 }]);
  });
});

describe('owners', () => {
  it('that are found late get everything the flow moved before', () => {
    const row = tx({ bytes: 100 });
    table.disown(row, 'not looked up yet');
    expect(apps(tick())).toEqual({ 'not looked up yet': [0, 100, 1] });
    rx({ bytes: 40 });
    own(row, 'curl');
    const snapshot = tick();
    expect(apps(snapshot)).toEqual({ curl: [40, 100, 1] });
    expect(snapshot.apps[0]).toMatchObject({ app: 'curl', exe: '/bin/curl', pids: [1000], user: 'ann', rxRate: 40, txRate: 0 });
    expect(snapshot.total.unownedBytes).toBe(0);
    expect(snapshot.flows).toMatchObject([{ app: 'curl', pid: 1000, attribution: 'exact', reason: null }]);
  });

  it("that change take the flow's bytes along", () => {
    const row = tx({ bytes: 100 });
    own(row, 'a');
    tick();
    own(row, 'b');
    expect(apps(tick())).toEqual({ b: [0, 100, 1] });
  });

  it('that nobody could name are counted apart from traffic that needs none', () => {
    table.disown(tx({ bytes: 1 }), 'closed before it could be looked up');
    table.disown(tx({ bytes: 20, protocol: PROTOCOL.ICMP }), 'no process: the kernel itself');
    table.disown(tx({ bytes: 300, src: '192.0.2.1' }), 'forwarded');
    const snapshot = tick();
    expect(snapshot.total).toMatchObject({ unownedBytes: 1 });
    expect(apps(snapshot)).toMatchObject({ forwarded: [0, 300, 1], 'no process: the kernel itself': [0, 20, 1] });
  });

  it('of both ends of a local flow each get their side, and the total counts it once', () => {
    const fields = { src: '127.0.0.1', dst: '127.0.0.1', sport: 40_000, dport: 80 };
    const row = tx({ ...fields, flags: 'S', bytes: 100 });
    own(row, 'client');
    rx({ ...fields, flags: 'SA', bytes: 5000 });
    tick();
    table.ownPeer(row, directory.add('server'));
    tx({ ...fields, bytes: 1 });
    const snapshot = tick();
    expect(apps(snapshot)).toEqual({ client: [5000, 101, 1], server: [101, 5000, 1] });
    expect(snapshot.apps.map((each) => [each.app, each.rxRate, each.txRate])).toEqual([
      ['client', 0, 1],
      ['server', 1, 0],
    ]);
    expect(snapshot.total).toMatchObject({ rxBytes: 5000, txBytes: 101 });
    expect(snapshot.flows).toMatchObject([{ direction: 'local', app: 'client', peerApp: 'server', peerPid: 1001 }]);
  });

  it('of both ends may be one app', () => {
    const fields = { src: '127.0.0.1', dst: '127.0.0.1', sport: 40_000, dport: 80 };
    const row = tx({ ...fields, flags: 'S', bytes: 100 });
    own(row, 'both');
    table.ownPeer(row, directory.add('both'));
    expect(apps(tick())).toEqual({ both: [100, 100, 2] });
  });
});

describe('flows that leave', () => {
  it('stay in every total', () => {
    own(tx({ bytes: 100 }), 'curl');
    tick();
    rx({ bytes: 7 });
    table.remove(0);
    own(tx({ bytes: 1, sport: 5 }), 'ssh');
    const snapshot = tick();
    expect(apps(snapshot)).toEqual({ curl: [7, 100, 1], ssh: [0, 1, 1] });
    expect(snapshot.total).toMatchObject({ rxBytes: 7, txBytes: 101, rxRate: 7, txRate: 1 });
    expect(snapshot.hosts).toMatchObject([{ flows: 2, rxBytes: 7, txBytes: 101 }]);
    expect(snapshot.flows).toMatchObject([{ app: 'ssh', txBytes: 1, txRate: 1 }]);
  });

  it('are reported with their last totals, once', () => {
    const closed: FlowRow[] = [];
    aggregator.onFlowClosed((row) => closed.push(aggregator.flowRow(row)));
    own(tx({ bytes: 100 }), 'curl');
    tick();
    rx({ bytes: 7 });
    table.expire(now + 3_600_000);
    expect(closed).toMatchObject([{ id: '1', app: 'curl', rxBytes: 7, txBytes: 100 }]);
    tx({ bytes: 50, flags: 'S', seq: 9 });
    expect(tick().flows).toMatchObject([{ id: '2', app: null, rxBytes: 0, txBytes: 50 }]);
    expect(closed).toHaveLength(1);
  });

  it('count when they are evicted', () => {
    begin({ maxRows: 8 });
    for (let i = 0; i < 20; i++) tx({ sport: i, bytes: 100 });
    const snapshot = tick();
    expect(snapshot).toMatchObject({ flowCount: 8, flowsEvicted: 12, total: { txBytes: 2000 } });
    expect(snapshot.flows).toHaveLength(8);
  });
});

describe('rows', () => {
  it('are the same object while nothing about them changed', () => {
    own(tx({ bytes: 100 }), 'curl');
    tick();
    for (let i = 0; i < 61; i++) tick();
    const one = tick();
    const two = tick();
    expect(two.flows[0]).toBe(one.flows[0]);
    expect(two.apps[0]).toBe(one.apps[0]);
    expect(two.hosts[0]).toBe(one.hosts[0]);
  });

  it('are the same object among many while others move, even folded ones', () => {
    const few = { apps: 3, hosts: 4, flows: 5 };
    for (let i = 0; i < 20; i++) own(tx({ dst: `192.0.2.${i}`, bytes: 1000 + i, sport: i + 1 }), `app${i}`);
    for (let i = 0; i < 62; i++) tick(1000, few);
    const one = tick(1000, few);
    tx({ dst: '192.0.2.19', bytes: 10, sport: 20 });
    const two = tick(1000, few);
    const isSame = <Row>(before: readonly Row[], after: readonly Row[]) => after.map((row) => before.includes(row));
    expect(isSame(one.hosts, two.hosts)).toEqual([false, true, true, true, true]);
    expect(isSame(one.apps, two.apps)).toEqual([false, true, true, true]);
    expect(isSame(one.flows, two.flows).filter((same) => !same)).toHaveLength(1);
    tx({ dst: '192.0.2.0', bytes: 1, sport: 1 });
    const three = tick(1000, few);
    expect(isSame(two.hosts, three.hosts).at(-1)).toBe(false);
    expect(three.hosts.at(-1)).toMatchObject({ id: 'host:rest', txRate: 1 });
  });

  it.each<[string, (row: number) => void, Partial<FlowRow>]>([
    [
      'packets with the same time and rate',
      () => tx({ bytes: 100, flags: 'PA', payload: 60, seq: 0 }),
      { txBytes: 200, txPackets: 2 },
    ],
    ['an owner', (row) => own(row, 'curl'), { app: 'curl', reason: null, attribution: 'exact' }],
    ['a reason', (row) => table.disown(row, 'hidden by the system'), { reason: 'hidden by the system' }],
    ['a reset', () => rx({ flags: 'R', bytes: 40 }), { state: 'reset', closed: true }],
    ['the owner of the far end', (row) => table.ownPeer(row, directory.add('server', 7)), { peerApp: 'server', peerPid: 7 }],
  ])('are renewed by %s', (_name, change, expected) => {
    const row = tx({ bytes: 100, flags: 'PA', payload: 60 });
    const before = tick().flows[0] as FlowRow;
    now -= 1000; // so that what comes has the same time, as packets of one burst may
    change(row);
    const after = tick().flows[0] as FlowRow;
    expect(before).not.toMatchObject(expected);
    expect(after).toMatchObject(expected);
  });

  it('are renewed if they were folded while they moved', () => {
    const only = { apps: 1, hosts: 1, flows: 1 };
    own(tx({ bytes: 5000, sport: 1 }), 'large');
    own(tx({ bytes: 100, sport: 2, dst: '192.0.2.2' }), 'small');
    tick();
    for (let i = 0; i < 61; i++) tick();
    tx({ bytes: 50, sport: 2, dst: '192.0.2.2' });
    tick(1000, only);
    for (let i = 0; i < 61; i++) tick(1000, only);
    const snapshot = tick();
    expect(apps(snapshot)).toEqual({ large: [0, 5000, 1], small: [0, 150, 1] });
    expect(snapshot.hosts.map((each) => each.txBytes)).toEqual([5000, 150]);
  });

  it('show what TCP reveals', () => {
    tx({ flags: 'S', seq: 1 });
    now += 25;
    rx({ flags: 'SA', ack: 2 });
    tx({ flags: 'PA', seq: 2, payload: 100 });
    tx({ flags: 'PA', seq: 2, payload: 100, tunnel: 0 });
    expect(tick().flows).toMatchObject([
      {
        rttMs: 25,
        retransmits: 1,
        state: 'established',
        protocol: 'tcp',
        application: 'https',
        direction: 'outbound',
        tunnel: null,
      },
    ]);
    tx({ protocol: PROTOCOL.UDP, tunnel: 5, dport: 51_820 });
    const wireguard = tick().flows.find((each) => each.protocol === 'udp');
    expect(wireguard).toMatchObject({ tunnel: 'wireguard', rttMs: null, retransmits: 0 });
  });

  it('renew the far end if its app changes under the same pid', () => {
    const row = tx({ bytes: 100 });
    table.ownPeer(row, directory.add('one', -1));
    tick();
    tick();
    table.ownPeer(row, directory.add('two', -1));
    expect(tick().flows).toMatchObject([{ peerApp: 'two' }]);
  });

  it('are the busiest and the most recent; the others are folded into one row of each kind', () => {
    for (let i = 0; i < 10; i++) {
      now += 1;
      own(tx({ dst: `192.0.2.${i}`, bytes: 100 + i, sport: i + 1 }), `app${i}`);
    }
    tick();
    tx({ dst: '192.0.2.3', bytes: 40, sport: 4 });
    const snapshot = tick(1000, { apps: 3, hosts: 2, flows: 4 });
    expect(snapshot.flows.map((each) => each.remote.address)).toEqual(['192.0.2.3', '192.0.2.9', '192.0.2.8', '192.0.2.7']);
    expect(snapshot.flowCount).toBe(10);
    expect(snapshot.apps.map((each) => [each.app, each.txBytes])).toEqual([
      ['app3', 143],
      ['app9', 109],
      ['app8', 108],
      [null, 725],
    ]);
    expect(snapshot.apps.at(-1)).toMatchObject({
      id: 'app:rest',
      reason: '7 more apps',
      flows: 7,
      firstSeen: T0 + 1,
      lastSeen: T0 + 8,
    });
    expect(snapshot.hosts.map((each) => each.host)).toEqual(['192.0.2.3', '192.0.2.9', null]);
    expect(snapshot.hosts.at(-1)).toMatchObject({ reason: '8 more hosts', flows: 8 });
    const all = tick(1000, END_LIMITS);
    expect([all.flows.length, all.apps.length, all.hosts.length]).toEqual([10, 10, 10]);
  });

  it('come in that order even if there is room for all', () => {
    for (let i = 0; i < 3; i++) tx({ sport: i + 1, bytes: 40 });
    tick();
    tx({ sport: 2, bytes: 50 });
    now += 1;
    tx({ sport: 3, bytes: 40 });
    expect(tick().flows.map((each) => each.local.port)).toEqual([2, 3, 1]);
  });
});

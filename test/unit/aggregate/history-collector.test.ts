import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Aggregator, END_LIMITS } from '../../../src/aggregate/aggregator.ts';
import { FlowLog, HistoryCollector } from '../../../src/aggregate/history-collector.ts';
import { HistoryKeys } from '../../../src/aggregate/history-keys.ts';
import { TUNNEL } from '../../../src/decode/packet.ts';
import { Localizer } from '../../../src/flow/direction.ts';
import { FlowTable } from '../../../src/flow/flow-table.ts';
import type { HistoryBatch, HistoryEntry } from '../../../src/model/history-batch.ts';
import type { Snapshot, TickInterface } from '../../../src/model/snapshot.ts';
import { PROTOCOL } from '../../../src/net/numbers.ts';
import { FakeDirectory } from '../../support/fake-directory.ts';
import { addresses, type PacketFields, packet, reply, timed } from '../../support/packets.ts';
import { CAPTURE, UNCOUNTED } from '../../support/snapshot-builder.ts';

/** The turn of a minute. */
const T0 = 1_700_000_040_000;
const MINUTE = T0 / 60_000;

let table: FlowTable;
let directory: FakeDirectory;
let aggregator: Aggregator;
let collector: HistoryCollector;
let interfaces: TickInterface[];
let now: number;
let last: Snapshot;

function begin(maxRows = 4096): void {
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('10.0.0.1'));
  table = new FlowTable(localizer, maxRows, 3);
  directory = new FakeDirectory();
  interfaces = [
    { name: 'eth0', kind: 'physical', isCounted: true, ...UNCOUNTED },
    { name: 'tun0', kind: 'tunnel', isCounted: false, ...UNCOUNTED },
    { name: 'br0', kind: 'bridge', isCounted: false, ...UNCOUNTED },
    { name: 'veth1', kind: 'virtual', isCounted: false, ...UNCOUNTED, repeats: true },
  ];
  aggregator = new Aggregator({ flows: table, directory, started: T0, seed: 3 });
  aggregator.setInterfaces(interfaces);
  const keys = new HistoryKeys(table, aggregator.booking, directory, null, (index) => aggregator.interfaceName(index));
  const log = new FlowLog(
    (row) => aggregator.flowRow(row),
    () => ({ exe: '/bin/x', user: 'ann', container: null }),
  );
  collector = new HistoryCollector(table, aggregator.booking, keys, log);
  aggregator.record(collector);
  collector.begin();
  now = T0 + 10_000;
}
beforeEach(() => begin());

const tx = (fields: PacketFields = {}, index = 0) => table.touch(timed(packet(fields), now), index, 0);
const rx = (fields: PacketFields = {}, index = 0) => table.touch(timed(reply(fields), now), index, 0);
const own = (row: number, name: string) => table.own(row, directory.add(name), 'exact');
function tick(ms = 1000): Snapshot {
  now += ms;
  last = aggregator.tick({ time: now, intervalMs: ms, capture: CAPTURE, interfaces, gaps: [] }, END_LIMITS);
  return last;
}
/** Also what waits for an owner: most of these flows never get one. */
const collect = (): HistoryBatch[] => collector.collect(now, true);
const entriesOf = (batches: readonly HistoryBatch[]) => batches.flatMap(({ entries }) => entries);
const told = (batches: readonly HistoryBatch[]) =>
  entriesOf(batches).map(({ app, reason, host, rxBytes, txBytes, flows }) => [app ?? reason, host, rxBytes, txBytes, flows]);

/** Bytes by whatever. */
function sums(entries: readonly HistoryEntry[], key: (entry: HistoryEntry) => string): Record<string, number> {
  const all: Record<string, number> = {};
  for (const entry of entries) all[key(entry)] = (all[key(entry)] ?? 0) + entry.rxBytes + entry.txBytes;
  return all;
}

describe('the history collector', () => {
  it('leaves bytes with the owner that moved them, in every total, when the owner changes', () => {
    const row = tx({ bytes: 100 });
    own(row, 'bash');
    tick();
    rx({ bytes: 3000 });
    table.settleOwner(row, false);
    own(row, 'cat');
    rx({ bytes: 50 });
    tick();
    tx({ bytes: 7 });
    tick();
    const shown = () => last.apps.map(({ app, rxBytes, txBytes }) => [app, rxBytes, txBytes]).sort();
    const both = [
      ['bash', 3000, 100],
      ['cat', 50, 7],
    ];
    expect(shown()).toEqual(both);
    expect([last.total.rxBytes, last.total.txBytes]).toEqual([3050, 107]);
    expect(told(collect()).sort()).toEqual([
      ['bash', '192.0.2.80', 3000, 100, 1],
      ['cat', '192.0.2.80', 50, 7, 0],
    ]);
    table.settleOwner(row, false);
    own(row, 'dd');
    table.remove(row);
    tick();
    expect(shown().filter(([, received]) => (received as number) > 0)).toEqual(both);
  });

  it('leaves bytes with the former owner of a far end, too', () => {
    const fields = { src: '127.0.0.1', dst: '127.0.0.1', dport: 80, flags: 'S' };
    const row = tx({ ...fields, bytes: 100 });
    own(row, 'client');
    table.ownPeer(row, directory.add('server'));
    tick();
    table.settleOwner(row, true);
    table.ownPeer(row, directory.add('service'));
    rx({ ...fields, bytes: 30, flags: 'SA' });
    tick();
    expect(last.apps.map(({ app, rxBytes, txBytes }) => [app, rxBytes, txBytes]).sort()).toEqual([
      ['client', 30, 100],
      ['server', 100, 0],
      ['service', 0, 30],
    ]);
  });

  it('keeps containers apart, though their programs have one path', () => {
    const names = { image: null, pod: null, namespace: null, project: null, unknown: null, engine: 'docker' };
    for (const [i, container] of ['web', 'db'].entries()) {
      const row = tx({ sport: 40_000 + i, bytes: 100 + i });
      const process = directory.add('nginx');
      directory.contain(process, { ...names, id: container, container });
      table.own(row, process, 'exact');
    }
    own(tx({ sport: 41_000, bytes: 7 }), 'nginx');
    const entries = collect().flatMap((batch) => batch.entries);
    expect(entries.map(({ app, container, txBytes }) => [app, container?.container ?? null, txBytes])).toEqual([
      ['nginx', 'web', 100],
      ['nginx', 'db', 101],
      ['nginx', null, 7],
    ]);
  });

  it('collects what moved since the last time, with all facts', () => {
    own(tx({ bytes: 100 }), 'curl');
    rx({ bytes: 3000 });
    expect(collect()).toEqual([
      {
        minute: MINUTE,
        entries: [
          {
            app: 'curl',
            reason: null,
            exe: '/bin/curl',
            host: '192.0.2.80',
            domain: null,
            category: null,
            interface: 'eth0',
            protocol: 'tcp',
            direction: 'outbound',
            container: null,
            rxBytes: 3000,
            txBytes: 100,
            rxPackets: 1,
            txPackets: 1,
            flows: 1,
          },
        ],
        flows: [],
        unlogged: 0,
      },
    ]);
    expect(collect()).toEqual([]);
    tick();
    rx({ bytes: 50 });
    expect(told(collect())).toEqual([['curl', '192.0.2.80', 50, 0, 0]]);
  });

  it('sums flows that share all facts, and separates hosts, apps and protocols', () => {
    for (const sport of [1, 2, 3]) own(tx({ bytes: 10, sport }), 'curl');
    own(tx({ bytes: 10, dst: '192.0.2.81' }), 'curl');
    own(tx({ bytes: 10, sport: 9 }), 'ssh');
    own(tx({ bytes: 10, protocol: PROTOCOL.UDP }), 'curl');
    expect(told(collect())).toEqual([
      ['curl', '192.0.2.80', 0, 30, 3],
      ['curl', '192.0.2.81', 0, 10, 1],
      ['ssh', '192.0.2.80', 0, 10, 1],
      ['curl', '192.0.2.80', 0, 10, 1],
    ]);
  });

  it('corrects within the minute what it collected before the owner was known', () => {
    const row = tx({ bytes: 100 });
    expect(told(collect())).toEqual([['not looked up yet', '192.0.2.80', 0, 100, 1]]);
    own(row, 'curl');
    tx({ bytes: 20 });
    expect(told(collect())).toEqual([
      ['not looked up yet', '192.0.2.80', 0, -100, -1],
      ['curl', '192.0.2.80', 0, 120, 1],
    ]);
  });

  it("leaves a past minute as it was: no minute's sum is negative", () => {
    const row = tx({ bytes: 100 });
    collect();
    now = T0 + 60_020;
    tx({ bytes: 5 });
    const [turn] = collect();
    expect([turn?.minute, told(turn === undefined ? [] : [turn])]).toEqual([
      MINUTE,
      [['not looked up yet', '192.0.2.80', 0, 5, 0]],
    ]);
    own(row, 'curl');
    tx({ bytes: 20 });
    now += 2500;
    expect(collect()).toMatchObject([{ minute: MINUTE + 1, entries: [{ app: 'curl', txBytes: 20, flows: 0 }] }]);
  });

  it('gathers ahead of a collection, but not across the turn of a minute', () => {
    tx({ bytes: 100 });
    collect();
    tx({ bytes: 7 });
    collector.gather(now);
    tx({ bytes: 2 });
    expect(collect()).toMatchObject([{ minute: MINUTE, entries: [{ txBytes: 9, flows: 0 }] }]);
    tx({ bytes: 5 });
    now = T0 + 65_000;
    collector.gather(now);
    expect(collect()).toMatchObject([{ minute: MINUTE + 1, entries: [{ txBytes: 5, flows: 0 }] }]);
  });

  it('separates what left before and what moved after a missed turn of the minute', () => {
    const row = tx({ bytes: 100 });
    collect();
    tx({ bytes: 7 });
    table.remove(row);
    now = T0 + 65_000;
    tx({ bytes: 9 });
    expect(collect()).toMatchObject([
      { minute: MINUTE, entries: [{ txBytes: 7 }] },
      { minute: MINUTE + 1, entries: [{ txBytes: 9 }] },
    ]);
  });

  it('loses nothing of flows that leave, and logs them', () => {
    own(tx({ bytes: 100 }), 'curl');
    const row = rx({ bytes: 400 });
    table.remove(row);
    const again = tx({ bytes: 1, dst: '192.0.2.9' }); // takes the row that became free
    expect(again).toBe(row);
    const [batch] = collect();
    expect(told(batch === undefined ? [] : [batch])).toEqual([
      ['curl', '192.0.2.80', 400, 100, 1],
      ['not looked up yet', '192.0.2.9', 0, 1, 1],
    ]);
    expect(batch?.flows).toMatchObject([
      { app: 'curl', exe: '/bin/x', remoteAddress: '192.0.2.80', remotePort: 443, rxBytes: 400 },
    ]);
    expect(collector.finish(now)).toMatchObject([{ entries: [], flows: [{ remoteAddress: '192.0.2.9' }], unlogged: 0 }]);
  });

  it('logs two hundred flows a second and counts the rest', () => {
    for (let i = 0; i < 300; i++) table.remove(tx({ bytes: 10, sport: 1000 + i }));
    const counts = () => collect().map(({ flows, unlogged }) => [flows.length, unlogged]);
    expect(counts()).toEqual([[200, 100]]);
    for (let i = 0; i < 300; i++) table.remove(tx({ bytes: 10, sport: 1000 + i }));
    now += 500;
    expect(counts()).toEqual([[200, 100]]);
    for (let i = 0; i < 300; i++) table.remove(tx({ bytes: 10, sport: 1000 + i }));
    expect(counts()).toEqual([[100, 200]]);
  });

  it('folds hosts beyond 4096 in a minute', () => {
    for (let i = 0; i < 5000; i++) tx({ bytes: 10, dst: `192.0.${i >> 8}.${i & 255}` });
    const entries = entriesOf(collect());
    expect(entries).toHaveLength(4097);
    expect(entries.at(-1)).toMatchObject({ host: null, txBytes: 9040, flows: 904 });
  });

  it('takes the inside of a captured tunnel off its carrier', () => {
    own(tx({ bytes: 1000 }, 1), 'curl');
    const carrier = { protocol: PROTOCOL.UDP, tunnel: TUNNEL.WIREGUARD, bytes: 1100 };
    tx(carrier);
    expect(told(collect())).toEqual([
      ['curl', '192.0.2.80', 0, 1000, 1],
      ['overhead of tunnels', '192.0.2.80', 0, 100, 1],
    ]);
    tx({ bytes: 500 }, 1); // its outside was not seen yet
    expect(sums(entriesOf(collect()), () => 'all')).toEqual({ all: 500 });
    tx({ ...carrier, bytes: 600 });
    expect(told(collect())).toEqual([['overhead of tunnels', '192.0.2.80', 0, 100, 0]]);
  });

  it('leaves out what counts elsewhere: ports of bridges, and what a bridge forwards', () => {
    tx({ bytes: 10 }, 3);
    table.touch(timed(packet({ src: '172.17.0.2', dst: '192.0.2.1', bytes: 10 }), now), 2, 0);
    tx({ bytes: 7, dst: '172.17.0.2' }, 2);
    expect(told(collect())).toEqual([['not looked up yet', '172.17.0.2', 0, 7, 1]]);
  });

  it('that begins late collects only what moves from then on', () => {
    own(tx({ bytes: 100 }), 'curl');
    tick();
    tx({ bytes: 20 });
    collector.begin();
    tx({ bytes: 3 });
    expect(told(collect())).toEqual([['curl', '192.0.2.80', 0, 3, 0]]);
  });

  it('that begins late logs of a flow what moves from then on, and of one that is silent nothing', () => {
    own(tx({ bytes: 100 }), 'curl');
    own(tx({ bytes: 50, dst: '192.0.2.9' }), 'ssh');
    tick();
    collector.begin();
    tx({ bytes: 3 });
    rx({ bytes: 4 });
    tick();
    const logged = collector.finish(now).flatMap(({ flows }) => flows);
    expect(logged).toMatchObject([{ app: 'curl', txBytes: 3, rxBytes: 4, txPackets: 1, rxPackets: 1 }]);
  });
});

describe('whatever happens', () => {
  const action = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('move'), flow: fc.nat(30), bytes: fc.integer({ min: 40, max: 1500 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('own'), flow: fc.nat(30), bytes: fc.nat(3) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('tick'), flow: fc.constant(0), bytes: fc.integer({ min: 100, max: 3000 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('collect'), flow: fc.constant(0), bytes: fc.integer({ min: 0, max: 9000 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove'), flow: fc.nat(30), bytes: fc.constant(0) }) },
  );

  it("the sums of history are the run's total, flows too, and no minute's sum is negative", () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 1, maxLength: 120 }), (actions) => {
        begin(16); // evicts
        const batches: HistoryBatch[] = [];
        for (const { do: what, flow, bytes } of actions) {
          const fields = { sport: 1000 + flow, bytes };
          const row = table.lookup(packet(fields).words, 1000 + flow, 443, PROTOCOL.TCP, 0);
          if (what === 'move') (bytes % 2 === 0 ? tx : rx)(fields);
          else if (what === 'own' && row >= 0) own(row, `app${bytes}`);
          else if (what === 'remove' && row >= 0) table.remove(row);
          else if (what === 'tick') tick(bytes);
          else if (what === 'collect') {
            now += bytes;
            batches.push(...collect());
          }
        }
        batches.push(...collector.finish(now));
        tick();
        const entries = entriesOf(batches);
        const sum = (key: 'rxBytes' | 'txBytes' | 'rxPackets' | 'txPackets' | 'flows') =>
          entries.reduce((all, each) => all + each[key], 0);
        const { rxBytes, txBytes, rxPackets, txPackets } = last.total;
        expect([sum('rxBytes'), sum('txBytes'), sum('rxPackets'), sum('txPackets')]).toEqual([
          rxBytes,
          txBytes,
          rxPackets,
          txPackets,
        ]);
        expect(sum('flows')).toBe(table.created);
        const logged = batches.reduce((all, { flows, unlogged }) => all + flows.length + unlogged, 0);
        expect(logged).toBe(table.created);
        for (const minute of new Set(batches.map((each) => each.minute))) {
          const ofMinute = entriesOf(batches.filter((each) => each.minute === minute));
          for (const left of Object.values(sums(ofMinute, ({ app, reason, host }) => `${app} ${reason} ${host}`)))
            expect(left).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  describe('flows awaiting an owner', () => {
    const collected = () => told(collector.collect(now));

    it('are collected once it is known, even in the next minute', () => {
      const found = tx({ bytes: 100 });
      const lost = tx({ bytes: 30, sport: 40_001 });
      tick();
      expect(collected()).toEqual([]);
      now = T0 + 61_500;
      own(found, 'curl');
      table.disown(lost, 'closed before it could be looked up');
      tick(0);
      expect(collected()).toEqual([
        ['curl', '192.0.2.80', 0, 100, 1],
        ['closed before it could be looked up', '192.0.2.80', 0, 30, 1],
      ]);
      expect([collected(), collected(), collected(), collected(), collected()].flat()).toEqual([]);
    });

    it('wait only so long', () => {
      const row = tx({ bytes: 100 });
      const rounds = Array.from({ length: 4 }, () => {
        tick();
        return collected();
      });
      expect(rounds).toEqual([[], [], [], [['not looked up yet', '192.0.2.80', 0, 100, 1]]]);
      tx({ bytes: 5 });
      tick();
      expect(collected()).toEqual([['not looked up yet', '192.0.2.80', 0, 5, 0]]);
      own(row, 'curl');
      tick();
      expect(collected()).toEqual([
        ['not looked up yet', '192.0.2.80', 0, -105, -1],
        ['curl', '192.0.2.80', 0, 105, 1],
      ]);
    });

    it('are collected when they leave, without the flow that gets their row', () => {
      const row = tx({ bytes: 100 });
      tick();
      table.remove(row);
      expect(tx({ bytes: 7, sport: 40_001 })).toBe(row);
      tick();
      expect(collected()).toEqual([['not looked up yet', '192.0.2.80', 0, 100, 1]]);
      own(row, 'curl');
      tick();
      expect(collected()).toEqual([['curl', '192.0.2.80', 0, 7, 1]]);
    });

    it('are all collected at the end of a run', () => {
      tx({ bytes: 100 });
      tick();
      expect(told(collector.finish(now))).toEqual([['not looked up yet', '192.0.2.80', 0, 100, 1]]);
    });
  });
});

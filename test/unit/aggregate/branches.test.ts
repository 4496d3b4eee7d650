// What is below apps and hosts: it adds up to their rows at every tick, and never falls while owners and names stay.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Aggregator, END_LIMITS } from '../../../src/aggregate/aggregator.ts';
import { Branches, NO_PEER, SIDE } from '../../../src/aggregate/branches.ts';
import { BranchRows } from '../../../src/aggregate/rows/branch-rows.ts';
import { HostRows } from '../../../src/aggregate/rows/host-rows.ts';
import { compileFilter } from '../../../src/filter/filter.ts';
import { NameStrings } from '../../../src/identify/name/name-strings.ts';
import type { AppRow, BranchRow, Matching, Snapshot, TickInterface, Traffic } from '../../../src/model/snapshot.ts';
import { NOWHERE } from '../../../src/model/terms.ts';
import { APPS, bytesOf, flowSteps, sumOf } from '../../support/flow-run.ts';
import { movedNow } from '../../support/movement.ts';
import { Naming, T0 } from '../../support/naming.ts';
import { packet, timed } from '../../support/packets.ts';
import { CAPTURE, UNCOUNTED } from '../../support/snapshot-builder.ts';

const ETHERNET: TickInterface = { ...UNCOUNTED, name: 'eth0', kind: 'physical', isCounted: true };
const SECOND: TickInterface = { ...UNCOUNTED, name: 'eth1', kind: 'physical', isCounted: true };
const TUNNEL: TickInterface = { ...UNCOUNTED, name: 'tun0', kind: 'tunnel', isCounted: false };
const NAMES = ['a.example', 'b.example', 'c.example'];

class Run extends Naming {
  readonly books: Aggregator;
  readonly interfaces: readonly TickInterface[];

  constructor(maxRows = 256, maxHosts?: number, second = SECOND) {
    super({ maxRows, names: new NameStrings(1000), place: () => NOWHERE });
    this.books = this.aggregator(maxHosts);
    this.interfaces = [ETHERNET, second];
    this.books.setInterfaces(this.interfaces);
    this.books.keepRateHistory();
  }

  match(text: string): void {
    const result = compileFilter(text);
    if (!result.ok) throw new Error(result.message);
    this.books.match(result.filter, null);
  }

  tick(ms = 1000): Snapshot {
    this.time += ms;
    const { time, interfaces } = this;
    const parts = { time, intervalMs: ms, capture: CAPTURE, interfaces, gaps: [] };
    return this.books.tick(parts, END_LIMITS);
  }

  exec(row: number, isPeer: boolean, app: string, pid?: number): void {
    if ((isPeer ? this.flows.peer(row) : this.flows.owner(row)) < 0) return;
    this.flows.settleOwner(row, isPeer);
    const process = this.directory.add(app, pid);
    if (isPeer) this.flows.ownPeer(row, process);
    else this.flows.own(row, process, 'exact');
  }
}

const naming = {
  weight: 3,
  arbitrary: fc.record({ kind: fc.constant('name' as const), which: fc.nat(), name: fc.constantFrom(...NAMES) }),
};
const step = fc.oneof(...flowSteps(2), naming);
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;
const traffic = (...weighted: fc.WeightedArbitrary<Step>[]) =>
  fc.array(fc.oneof(...weighted), { minLength: 10, maxLength: 120, size: 'max' });

/** @returns true if it may move bytes from one row to another */
function play(run: Run, each: Step): boolean {
  const { flows, directory } = run;
  if (each.kind === 'tick') return false;
  if (each.kind === 'packet') {
    run.time += each.later;
    const { src, dst, sport, dport, flags, bytes, iface } = each;
    flows.touch(timed(packet({ src, dst, sport, dport, flags, bytes }), run.time), iface, 0);
    run.admit();
    return false;
  }
  if (each.kind === 'expire') {
    flows.expire(run.time + each.after);
    return false;
  }
  const live = Array.from({ length: flows.rows }, (_, row) => row).filter((row) => flows.isLive(row));
  const row = live[each.which % Math.max(1, live.length)] ?? -1;
  if (row < 0) return false;
  if (each.kind === 'remove') flows.remove(row);
  else if (each.kind === 'exec') run.exec(row, each.isPeer, each.app);
  else if (each.kind === 'owner') flows.own(row, directory.add(each.app), 'exact');
  else if (each.kind === 'peer') flows.ownPeer(row, directory.add(each.app));
  else if (each.kind === 'reason') flows.disown(row, each.reason);
  else if (each.kind === 'name') run.names.serverName(row, 'tls', each.name, false);
  return each.kind !== 'remove' && each.kind !== 'exec';
}

const COLUMNS = ['rxBytes', 'txBytes', 'rxPackets', 'txPackets'] as const;
const figures = (rows: readonly Traffic[]) => COLUMNS.map((column) => rows.reduce((sum, row) => sum + row[column], 0));

function checkSums({ apps, hosts, branches }: Pick<Snapshot | Matching, 'apps' | 'hosts' | 'branches'>): void {
  if (branches === null) throw new Error('no branches');
  for (const app of apps) {
    if (app.reason === 'overhead of tunnels') continue;
    const parts = branches.filter(({ appId }) => appId === app.id);
    if (figures(parts).join() !== figures([app]).join()) expect([app.app, figures(parts)]).toEqual([app.app, figures([app])]);
  }
  for (const host of hosts) {
    const parts = branches.filter(({ hostId }) => hostId === host.id);
    const bytes = sumOf(parts);
    if (bytes !== bytesOf(host)) expect([host.host, bytes]).toEqual([host.host, bytesOf(host)]);
  }
  expect(branches.every((row) => Math.min(...COLUMNS.map((column) => row[column])) >= 0)).toBe(true);
}

describe('any traffic', () => {
  it.each([256, 4])('has branches that add up to each app and each host, and never fall (%i rows)', (maxRows) => {
    fc.assert(
      fc.property(
        fc.oneof(traffic(...flowSteps(2)), traffic(...flowSteps(2), naming)),
        fc.constantFrom('app:curl', 'host:a.example', 'not app:ssh', 'proto:tcp', 'bytes>100K', 'iface:eth0'),
        fc.nat(40),
        fc.constantFrom(SECOND, TUNNEL),
        (steps, text, after, second) => {
          const run = new Run(maxRows, undefined, second);
          let before = new Map<string, number>();
          let hasMoved = false;
          const hasNames = steps.some(({ kind }) => kind === 'name');
          for (const [i, each] of [...steps, { kind: 'tick' as const, ms: 1000 }].entries()) {
            if (i === after) run.match(text);
            hasMoved = play(run, each) || hasMoved;
            if (each.kind !== 'tick') continue;
            const shown = run.tick(each.ms);
            checkSums(shown);
            if (shown.matching !== null) checkSums(shown.matching);
            // Why there is no owner may change at any time.
            const owned = (shown.branches ?? []).filter(({ app }) => app !== null);
            const now = new Map(owned.map((row) => [row.id, bytesOf(row)]));
            // A flow may turn out to carry the tunnel, and a name to be one of this machine, without a step that says so.
            if (!hasMoved && !hasNames && second !== TUNNEL)
              for (const [id, bytes] of before) expect(now.get(id) ?? 0).toBeGreaterThanOrEqual(bytes);
            before = now;
            hasMoved = false;
          }
        },
      ),
      { numRuns: 120 },
    );
  });
});

const told = (rows: readonly BranchRow[] | null) =>
  (rows ?? []).map(({ app, reason, pid, host, isFar, peerApp, rxBytes, txBytes }) =>
    [app ?? reason, pid, isFar ? 'here' : host, peerApp, rxBytes, txBytes].join(' '),
  );

describe('branches', () => {
  it('keep what connections moved that are gone', () => {
    const run = new Run();
    const row = run.open({ dst: '192.0.2.7', bytes: 100 });
    run.flows.own(row, run.directory.add('curl', 7), 'exact');
    run.tick();
    run.flows.remove(row);
    const { branches, flows } = run.tick();
    expect(flows).toEqual([]);
    expect(told(branches)).toEqual(['curl 7 192.0.2.7  0 100']);
    expect(branches).toMatchObject([{ flows: 1, firstSeen: T0, lastSeen: T0 }]);
  });

  it('are not kept without a screen', () => {
    const naming = new Naming();
    naming.open({ bytes: 100 });
    const parts = { time: T0, intervalMs: 1000, capture: CAPTURE, interfaces: [ETHERNET], gaps: [] };
    expect(naming.aggregator().tick(parts, END_LIMITS).branches).toBeNull();
  });

  it('follow a late owner and a late name', () => {
    const run = new Run();
    const row = run.open({ dst: '192.0.2.7', bytes: 100 });
    run.flows.disown(row, 'not looked up yet');
    expect(told(run.tick().branches)).toEqual(['not looked up yet  192.0.2.7  0 100']);
    run.flows.own(row, run.directory.add('curl', 7), 'exact');
    expect(told(run.tick().branches)).toEqual(['curl 7 192.0.2.7  0 100']);
    run.names.serverName(row, 'tls', 'a.example', false);
    const { branches, hosts } = run.tick();
    expect(told(branches)).toEqual(['curl 7 a.example  0 100']);
    expect(branches?.[0]?.hostId).toBe(hosts[0]?.id);
  });

  it('stay with each owner of a socket that is passed on, under the name that its host gets late', () => {
    const run = new Run();
    const row = run.open({ dst: '192.0.2.7', bytes: 100 });
    run.flows.own(row, run.directory.add('bash', 7), 'exact');
    run.exec(row, false, 'cat', 7);
    run.send({ dst: '192.0.2.7', bytes: 1000 });
    run.exec(row, false, 'curl', 8);
    run.send({ dst: '192.0.2.7', bytes: 20 });
    run.names.serverName(row, 'tls', 'a.example', false);
    const { branches } = run.tick();
    expect(told(branches).toSorted()).toEqual(['bash 7 a.example  0 100', 'cat 7 a.example  0 1000', 'curl 8 a.example  0 20']);
    expect(branches?.map(({ flows }) => flows)).toEqual([1, 1, 1]);
  });

  it('give each side of a local connection the app at the other, also after that was another', () => {
    const run = new Run();
    const ends = { src: '127.0.0.1', dst: '127.0.0.1', sport: 40_000, dport: 80 };
    const row = run.open({ ...ends, flags: 'S', bytes: 100 });
    run.flows.own(row, run.directory.add('client', 1), 'exact');
    run.flows.ownPeer(row, run.directory.add('server', 2));
    run.exec(row, true, 'worker', 3);
    run.send({ ...ends, bytes: 7 });
    const { branches } = run.tick();
    expect(branches?.map(({ flows }) => flows)).toEqual([1, 1, 1, 1]);
    expect(told(branches).toSorted()).toEqual([
      'client 1 127.0.0.1 server 0 100',
      'client 1 127.0.0.1 worker 0 7',
      'server 2 here client 100 0',
      'worker 3 here client 7 0',
    ]);
  });

  it('of a far side stay where they are, whatever explains that the other end has no owner', () => {
    const run = new Run();
    const row = run.open({ src: '127.0.0.1', dst: '127.0.0.1', sport: 40_000, dport: 80, flags: 'S', bytes: 100 });
    run.flows.ownPeer(row, run.directory.add('server', 2));
    const far = () => run.tick().branches?.find(({ isFar }) => isFar)?.id;
    run.flows.disown(row, 'not looked up yet');
    const before = far();
    run.flows.disown(row, 'closed before it could be looked up');
    expect([before, far()]).toEqual([expect.any(String), before]);
  });

  it('tell a process what its evicted hosts moved', () => {
    const run = new Run(1024, 64);
    for (let i = 0; i < 200; i++) {
      const row = run.open({ dst: `198.51.100.${i}`, sport: 1000 + i, bytes: 100 });
      run.flows.own(row, run.directory.add('curl', 7), 'exact');
      run.tick();
      run.flows.remove(row);
    }
    const { apps, branches } = run.tick();
    expect(sumOf(branches ?? [])).toBe(bytesOf(apps[0] as AppRow));
    expect(branches?.length).toBeLessThan(70);
    expect(branches?.find(({ hostId }) => hostId === null)?.pid).toBe(7);
  });
});

/** Branches with little room, over flows of one app. */
function small(most: number) {
  const naming = new Naming({ maxRows: 4096 });
  for (let i = 0; i < 512; i++) naming.send({ sport: 1000 + i });
  const aggregator = naming.aggregator();
  naming.directory.add(APPS[0] as string, 1);
  const branches = new Branches(naming.flows, 5, null, most);
  const hosts = new HostRows(aggregator.booking.hosts, aggregator.booking.hostTable, naming.flows, null);
  const rows = (limit: number) => new BranchRows(branches, naming.directory, aggregator.booking, hosts, limit).select(1000);
  /** A flow of a process to a host moves bytes. */
  let time = T0;
  const book = (row: number, pid: number, host: number, bytes: number) => {
    time++;
    const m = movedNow({ rx: bytes, rxp: 1, first: time, last: time });
    const now = branches.claim(row, SIDE.OWN, 16, pid, host, NO_PEER, pid);
    if (now >= 0) branches.sums.enter(now, m);
    return now;
  };
  return { branches, rows, book };
}
const byProcess = (rows: readonly BranchRow[]) => rows.filter(({ isFolded }) => !isFolded);

describe('a full table', () => {
  it('keeps each process its sum while all flows are open', () => {
    const { branches, rows, book } = small(64);
    for (let i = 0; i < 500; i++) book(i, i % 3, i + 1, 10);
    branches.beginTick();
    expect(branches.count).toBeLessThanOrEqual(64);
    const sums = [0, 1, 2].map((pid) => sumOf(rows(1000).filter((row) => row.pid === pid)));
    expect(sums).toEqual([1670, 1670, 1660]);
  });

  it('keeps hosts apart from processes, once no flow is there any more', () => {
    const { branches, rows, book } = small(64);
    for (let i = 0; i < 48; i++) {
      book(i, i, 1 + (i % 2), 10);
      branches.flowLeaves(i);
    }
    branches.beginTick();
    const now = rows(1000);
    expect(now.some(({ isFolded }) => isFolded)).toBe(true);
    expect(sumOf(now.filter(({ hostId }) => hostId !== null))).toBe(480);
    expect(sumOf(byProcess(now))).toBeGreaterThanOrEqual(320);
  });

  it('lets what was silent longest go, and keeps what has a flow', () => {
    const { branches, rows, book } = small(64);
    book(500, 9999, 1, 77);
    for (let i = 0; i < 3000; i++) {
      book(0, i, 1 + i, 10);
      branches.flowLeaves(0);
      if (i % 5 === 0) branches.beginTick();
    }
    expect(branches.count).toBeLessThanOrEqual(64);
    const now = rows(1000);
    expect(now.find(({ pid }) => pid === 9999)).toMatchObject({ rxBytes: 77, hostId: expect.any(String) });
    expect(now.some(({ pid }) => pid === 2999)).toBe(true);
    expect(sumOf(byProcess(now))).toBeLessThanOrEqual(30_077);
  });
});

it('a snapshot has the largest branches of each app', () => {
  const { rows, book } = small(4096);
  for (let i = 0; i < 300; i++) book(i, 1, i + 1, 10 + i);
  expect(rows(1000)).toHaveLength(300);
  const few = rows(128);
  expect(few.map(({ rxBytes }) => rxBytes)).toEqual(Array.from({ length: 128 }, (_, i) => 309 - i));
});

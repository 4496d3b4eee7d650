// A run with ten times as many hosts and names as there is room for: each new one gets its own row, quiet ones are evicted, sums stay exact, and
// no number ever mixes two hosts up.

import { expect, it } from 'vitest';
import { Aggregator, LIVE_LIMITS } from '../../../src/aggregate/aggregator.ts';
import { FlowLog, HistoryCollector } from '../../../src/aggregate/history-collector.ts';
import { HistoryKeys } from '../../../src/aggregate/history-keys.ts';
import { NameStrings } from '../../../src/identify/name/name-strings.ts';
import { Directory, Users } from '../../../src/identify/process/directory.ts';
import { Owners } from '../../../src/identify/process/owners.ts';
import type { HostRow, Snapshot, TickInterface, Traffic } from '../../../src/model/snapshot.ts';
import { Naming, T0 } from '../../support/naming.ts';
import { CAPTURE, UNCOUNTED } from '../../support/snapshot-builder.ts';

const MOST = 64;
/** So short that numbers go round several times within a minute, in which history keeps facts by them. */
const TICK_MS = 100;
const ETHERNET: TickInterface = { name: 'eth0', kind: 'physical', isCounted: true, ...UNCOUNTED };

class Run {
  readonly strings = new NameStrings(MOST);
  readonly m = new Naming({ names: this.strings, maxRows: 1024 });
  readonly aggregator = this.m.aggregator(MOST);
  readonly history = this.aggregator.keepRateHistory();
  readonly collector: HistoryCollector;

  constructor() {
    const { m, aggregator } = this;
    aggregator.setInterfaces([ETHERNET]);
    const keys = new HistoryKeys(m.flows, aggregator.booking, m.directory, m.names, (index) => aggregator.interfaceName(index));
    const log = new FlowLog(
      (row) => aggregator.flowRow(row),
      () => undefined,
    );
    this.collector = new HistoryCollector(m.flows, aggregator.booking, keys, log);
    aggregator.record(this.collector);
    this.collector.begin();
  }

  tick(): Snapshot {
    this.m.time += TICK_MS;
    const parts = { intervalMs: TICK_MS, capture: CAPTURE, interfaces: [ETHERNET], gaps: [] };
    return this.aggregator.tick({ time: this.m.time, ...parts }, LIVE_LIMITS);
  }
}

const bytesOf = (rows: readonly Traffic[]) => rows.reduce((sum, row) => sum + row.rxBytes + row.txBytes, 0);
const address = (i: number) => `198.51.${i >> 8}.${i & 255}`;

it('ten times as many hosts and names as there is room for each get a row, and sums stay exact', () => {
  const run = new Run();
  const { m, strings } = run;
  const labels = new Map<string, string>();
  const remembered = new Map<string, string>();
  const history = new Map<string, number>();
  const heavy = m.open({ dst: '203.0.113.1', sport: 1000, bytes: 60_000 });
  for (let i = 0; i < 700; i++) m.send({ dst: '203.0.113.1', sport: 1000, bytes: 60_000 });
  m.names.serverName(heavy, 'tls', 'heavy.example', false);
  let last = run.tick();
  m.flows.remove(heavy);
  const held = m.open({ dst: '203.0.113.2', sport: 1001, bytes: 1 });
  m.names.serverName(held, 'tls', 'held.example', false);
  for (let i = 0; i < MOST * 10; i++) {
    const isNamed = i % 2 === 0;
    const row = m.open({ dst: address(i), sport: 2000, bytes: 100 + i });
    if (isNamed) m.names.serverName(row, 'tls', `host-${i}.example`, false);
    last = run.tick();
    const label = isNamed ? `host-${i}.example` : address(i);
    expect(last.flows.find(({ id }) => Number(id) === i + 3)).toMatchObject({ host: label, txBytes: 100 + i });
    expect(last.hosts.find(({ host }) => host === label)).toMatchObject({ txBytes: 100 + i, flows: 1, addresses: [address(i)] });
    // A row is one host's for as long as the run lasts, also where its number went to another.
    for (const { id, host, reason } of last.hosts) {
      const told = labels.get(id) ?? host ?? 'rest';
      if (told !== (host ?? 'rest')) expect.fail(`row ${id} was ${told} and is ${host}`);
      labels.set(id, host ?? 'rest');
      if (host === null && reason !== 'more hosts') expect.fail(`a row without a host says ${reason}`);
    }
    expect(bytesOf(last.hosts)).toBe(bytesOf([last.total]));
    expect(last.hosts.reduce((sum, { flows }) => sum + flows, 0)).toBe(i + 3);
    for (const { id } of run.history.between(m.time - TICK_MS, m.time)?.hosts ?? []) {
      const shown = last.hosts.find((each: HostRow) => each.id === id)?.host ?? 'gone';
      if ((remembered.get(id) ?? shown) !== shown) expect.fail(`row ${id} was ${remembered.get(id)} and is ${shown}`);
      remembered.set(id, shown);
    }
    m.flows.remove(row);
    if (i % 7 !== 0) continue;
    for (const { host, txBytes } of run.collector.collect(m.time).flatMap(({ entries }) => entries))
      history.set(host ?? 'rest', (history.get(host ?? 'rest') ?? 0) + txBytes);
  }
  for (const { host, txBytes } of run.collector.finish(m.time).flatMap(({ entries }) => entries))
    history.set(host ?? 'rest', (history.get(host ?? 'rest') ?? 0) + txBytes);
  // History has every host by its own name, with all that it moved.
  for (let i = 0; i < MOST * 10; i++) expect(history.get(i % 2 === 0 ? `host-${i}.example` : address(i))).toBe(100 + i);
  expect(history.has('rest')).toBe(false);
  expect([...history.values()].reduce((sum, bytes) => sum + bytes, 0)).toBe(bytesOf([last.total]));
  // Hosts that have a flow or moved much are still there, and the tables are no fuller than they may be.
  expect(last.hosts.map(({ host }) => host)).toEqual(expect.arrayContaining(['heavy.example', 'held.example']));
  expect(last.hosts.length).toBeLessThanOrEqual(MOST + 1);
  expect([strings.refused, run.aggregator.booking.hostTable.folded]).toEqual([0, 0]);
  expect(Math.max(strings.end, run.aggregator.booking.hostTable.end)).toBeLessThanOrEqual(MOST + 1);
});

it('hosts that come at once beyond the bound share a row, until there is room', () => {
  const run = new Run();
  const { m } = run;
  const rows = Array.from({ length: MOST * 2 }, (_, i) => m.open({ dst: address(i), sport: 2000, bytes: 10 }));
  const full = run.tick();
  expect(full.hosts).toHaveLength(MOST + 1);
  expect(full.hosts.at(-1)).toMatchObject({ host: null, txBytes: MOST * 10 });
  expect(bytesOf(full.hosts)).toBe(bytesOf([full.total]));
  for (let i = 0; i < 20; i++) run.tick(); // all are in use: nothing can be evicted
  expect(run.tick().hosts).toHaveLength(MOST + 1);
  for (const row of rows) m.flows.remove(row);
  for (let i = 0; i < 20; i++) run.tick();
  m.open({ dst: '203.0.113.9', sport: 1000, bytes: 7 });
  const after = run.tick();
  expect(after.hosts.find(({ host }) => host === '203.0.113.9')).toMatchObject({ txBytes: 7 });
  expect(bytesOf(after.hosts)).toBe(bytesOf([after.total]));
});

it('unused names make room, even while there is room for hosts', () => {
  const strings = new NameStrings(1000, 4000);
  const m = new Naming({ names: strings, maxRows: 64 });
  const aggregator = m.aggregator();
  aggregator.setInterfaces([ETHERNET]);
  for (let i = 0; i < 600; i++) {
    const row = m.open({ dst: '203.0.113.9', sport: 1000 + i });
    const name = `${String(i).padStart(5, '0')}.a-name-of-some-length.example`;
    m.names.serverName(row, 'tls', name, false);
    expect(m.told(row)).toBe(`${name} tls`);
    m.time += 1000;
    const parts = { intervalMs: 1000, capture: CAPTURE, interfaces: [ETHERNET], gaps: [] };
    const { hosts } = aggregator.tick({ time: m.time, ...parts }, LIVE_LIMITS);
    expect(hosts.some(({ host, domain }) => host === name && domain === 'a-name-of-some-length.example')).toBe(true);
    m.flows.remove(row);
  }
  expect(strings.end).toBeLessThan(100);
});

it('ten times as many apps as there is room for each get a row, and quiet ones share one', () => {
  const m = new Naming({ maxRows: 64 });
  const directory = new Directory(new Users('/nonexistent'), null, null, null, undefined, 64);
  const owners = new Owners(m.flows, null, false, null, directory);
  const aggregator = new Aggregator({ flows: m.flows, directory, started: T0, seed: 3, facts: m.names });
  aggregator.setInterfaces([ETHERNET]);
  const learn = (pid: number, name: string) =>
    directory.learn({ pid, name, exe: `/bin/${name}`, uid: 1, parentPid: 1, startTime: pid, script: null, unit: null });
  const labels = new Map<string, string>();
  let last: Snapshot | null = null;
  for (let i = 0; i < 640; i++) {
    const row = m.open({ dst: '203.0.113.9', sport: 1000 + i, bytes: 100 + i });
    m.flows.own(row, learn(5000 + i, `app-${i}`), 'exact');
    m.time += 1000;
    owners.work(i);
    last = aggregator.tick({ time: m.time, intervalMs: 1000, capture: CAPTURE, interfaces: [ETHERNET], gaps: [] }, LIVE_LIMITS);
    expect(last.apps.find(({ app }) => app === `app-${i}`)).toMatchObject({ txBytes: 100 + i, pids: [5000 + i], flows: 1 });
    expect(bytesOf(last.apps)).toBe(bytesOf([last.total]));
    for (const { id, app } of last.apps) {
      expect(labels.get(id) ?? app).toBe(app);
      labels.set(id, app ?? '');
    }
    m.flows.remove(row);
  }
  expect(last?.apps.length).toBeLessThanOrEqual(65);
  expect(last?.apps.find(({ app }) => app === '(more apps)')).toMatchObject({ exe: null, processCount: 0 });
  expect(directory.processCount).toBeLessThanOrEqual(64);
});

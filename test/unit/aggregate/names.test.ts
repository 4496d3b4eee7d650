// Hosts by name and categories: rows move when a name comes late, and every sum stays exact.

import { beforeEach, describe, expect, it } from 'vitest';
import { type Aggregator, END_LIMITS, LIVE_LIMITS, type SnapshotLimits } from '../../../src/aggregate/aggregator.ts';
import type { AppRow, HostRow, Snapshot, TickInterface, Traffic } from '../../../src/model/snapshot.ts';
import type { Neighbour } from '../../../src/model/terms.ts';
import { Naming, type NamingSetup } from '../../support/naming.ts';
import type { PacketFields } from '../../support/packets.ts';
import { CAPTURE, UNCOUNTED } from '../../support/snapshot-builder.ts';

const WEB = '203.0.113.9';
const ETHERNET: TickInterface = { name: 'eth0', kind: 'physical', isCounted: true, ...UNCOUNTED };

let m: Naming;
let aggregator: Aggregator;

function begin(setup: NamingSetup = {}): void {
  m = new Naming(setup);
  aggregator = m.aggregator();
  aggregator.setInterfaces([ETHERNET]);
}
beforeEach(() => begin());

function tick(limits: SnapshotLimits = LIVE_LIMITS): Snapshot {
  m.time += 1000;
  return aggregator.tick({ time: m.time, intervalMs: 1000, capture: CAPTURE, interfaces: [ETHERNET], gaps: [] }, limits);
}
const bytes = (rows: readonly Traffic[]) => rows.reduce((sum, row) => sum + row.rxBytes + row.txBytes, 0);
const hosts = (snapshot: Snapshot) =>
  Object.fromEntries(snapshot.hosts.map((row) => [row.host ?? row.reason, [row.nameSource, row.txBytes, row.flows]]));
const open = (fields: PacketFields, app: string | null = null) => m.open({ flags: 'S', bytes: 100, ...fields }, app);

describe('hosts', () => {
  it('are addresses until a name comes, which then gets everything the flow moved', () => {
    const row = open({ dst: WEB });
    const first = tick();
    expect(hosts(first)).toEqual({ [WEB]: ['none', 100, 1] });
    m.names.serverName(row, 'tls', 'www.example.com', false);
    m.send({ dst: WEB, bytes: 50 });
    const second = tick();
    expect(second.hosts).toMatchObject([
      { host: 'www.example.com', domain: 'example.com', nameSource: 'tls', addresses: [WEB], txBytes: 150, txRate: 50, flows: 1 },
    ]);
    expect(second.hosts[0]?.id).not.toBe(first.hosts[0]?.id);
    expect(second.flows).toMatchObject([{ host: 'www.example.com', nameSource: 'tls', nameReason: null, domain: 'example.com' }]);
    expect(first.flows).toMatchObject([{ host: WEB, nameSource: 'none', nameReason: 'no DNS seen since the start' }]);
  });

  it('move without a packet', () => {
    open({ dst: WEB });
    tick();
    m.answer('late.example', WEB);
    const snapshot = tick();
    expect(hosts(snapshot)).toEqual({ 'late.example': ['dns', 100, 1] });
    expect(snapshot.flows).toMatchObject([{ host: 'late.example', nameSource: 'dns' }]);
  });

  it('of one name are one row with their addresses, eight at the most', () => {
    for (let i = 0; i < 12; i++) {
      m.answer('cdn.example', `203.0.113.${i}`);
      open({ dst: `203.0.113.${i}` });
    }
    const [row, ...more] = tick().hosts;
    expect(more).toEqual([]);
    expect(row).toMatchObject({ host: 'cdn.example', flows: 12, txBytes: 1200 });
    expect(row?.addresses).toEqual(Array.from({ length: 8 }, (_, i) => `203.0.113.${i}`));
  });

  it('behind one address get several rows if flows have names of their own', () => {
    for (const [i, name] of ['a.example', 'b.example'].entries())
      m.names.serverName(open({ dst: WEB, sport: 50_000 + i }), 'tls', name, false);
    open({ dst: WEB, sport: 50_002 });
    expect(hosts(tick())).toEqual({ 'a.example': ['tls', 100, 1], 'b.example': ['tls', 100, 1], [WEB]: ['none', 100, 1] });
  });

  it('say the best source that any of their flows had', () => {
    m.answer('www.example', WEB);
    open({ dst: WEB, sport: 50_000 });
    expect(tick().hosts[0]?.nameSource).toBe('dns');
    m.names.serverName(open({ dst: '203.0.113.10', sport: 50_001 }), 'tls', 'www.example', false);
    expect(tick().hosts[0]?.nameSource).toBe('tls');
    open({ dst: WEB, sport: 50_002 });
    expect(tick().hosts[0]).toMatchObject({ nameSource: 'tls', flows: 3 });
  });

  it('keep their ids while they are the same host', () => {
    m.names.serverName(open({ dst: WEB }), 'tls', 'a.example', false);
    const [before] = tick().hosts;
    m.names.serverName(open({ dst: '203.0.113.1' }), 'tls', 'b.example', false);
    m.send({ dst: WEB, bytes: 10 });
    const after = tick().hosts.find(({ host }) => host === 'a.example');
    expect(after?.id).toBe(before?.id);
    expect(new Set(tick().hosts.map(({ id }) => id)).size).toBe(2);
  });

  it('know the device behind them, even if it becomes known while they are quiet', () => {
    const { devices } = m;
    const NOBODY: Neighbour = { mac: null, vendor: null };
    open({ dst: '10.0.0.9' });
    m.names.serverName(open({ dst: '10.0.0.10' }), 'http', 'printer.home.arpa', false);
    for (let i = 0; i < 70; i++) tick();
    const before = tick().hosts;
    expect(before).toMatchObject([
      { host: '10.0.0.9', ...NOBODY },
      { host: 'printer.home.arpa', ...NOBODY },
    ]);
    expect(tick().hosts[0]).toBe(before[0]);
    devices.set(9, { mac: '90:09:d0:00:00:09', vendor: null });
    devices.set(10, { mac: 'b8:27:eb:00:00:0a', vendor: 'Raspberry Pi Foundation' });
    expect(tick().hosts).toMatchObject([
      { host: '10.0.0.9', mac: '90:09:d0:00:00:09', vendor: null },
      { host: 'printer.home.arpa', mac: 'b8:27:eb:00:00:0a', vendor: 'Raspberry Pi Foundation' },
    ]);
    devices.set(9, { mac: '90:09:d0:00:00:09', vendor: 'Synology' });
    const after = tick().hosts;
    expect(after[0]).toMatchObject({ mac: '90:09:d0:00:00:09', vendor: 'Synology' });
    expect(tick().hosts[0]).toBe(after[0]);
  });

  it('know the place of their first address, but only if flows have names', () => {
    const asked: number[] = [];
    begin({
      place: (words, at) => {
        asked.push(words[at + 3] as number);
        return { country: 'DE', asn: 64_500, network: 'Example Net' };
      },
    });
    m.answer('www.example', WEB);
    open({ dst: WEB });
    open({ dst: '203.0.113.77' });
    const rows = tick().hosts;
    expect(rows.map(({ host, country, asn, network }) => [host, country, asn, network])).toEqual([
      ['www.example', 'DE', 64_500, 'Example Net'],
      ['203.0.113.77', 'DE', 64_500, 'Example Net'],
    ]);
    expect(new Set(asked)).toEqual(new Set([0xcb007109 | 0, 0xcb00714d | 0]));
  });

  it('learn that a flow of theirs is in another category', () => {
    const row = open({ dst: WEB, dport: 47_831 });
    const before = tick().hosts[0]?.category;
    m.names.application(row, 'bittorrent');
    const after = tick().hosts[0]?.category;
    expect([before, typeof after, after === before]).toEqual(['Other', 'string', false]);
  });
});

describe('sums', () => {
  it('of hosts and of categories are the total, whatever is named late, folded or removed', () => {
    const names = ['www.example.com', 'youtube.com', 'github.com', 'slack.com'];
    const rows: number[] = [];
    for (let step = 0; step < 200; step++) {
      rows.push(
        open({ dst: `203.0.${step % 7}.${step % 50}`, sport: 1024 + step, dport: step % 3 === 0 ? 443 : 22, bytes: 40 + step }),
      );
      const row = rows[(step * 7) % rows.length] as number;
      if (m.flows.isLive(row)) {
        if (step % 5 === 1) m.names.serverName(row, 'tls', names[step % names.length] as string, false);
        if (step % 5 === 2) m.names.application(row, step % 2 === 0 ? 'ssh' : 'bittorrent');
        if (step % 5 === 3) m.own(row, step % 2 === 0 ? 'firefox' : 'git');
        if (step % 11 === 4) m.flows.remove(row);
      }
      if (step % 4 !== 0) continue;
      for (const limits of [{ apps: 2, hosts: 3, flows: 2 }, END_LIMITS]) {
        const snapshot = tick(limits);
        const total = bytes([snapshot.total]);
        expect(bytes(snapshot.hosts)).toBe(total);
        expect(bytes(snapshot.categories)).toBe(total);
        const flows = snapshot.categories.reduce((sum, each) => sum + each.flows, 0);
        expect(snapshot.hosts.reduce((sum, each) => sum + each.flows, 0)).toBe(flows);
        expect(flows).toBe(step + 1);
      }
    }
    const last = tick(END_LIMITS);
    expect(last.categories.length).toBeGreaterThan(3);
    expect(last.categories.every(({ category }) => category !== null)).toBe(true);
    expect(last.hosts.filter(({ host }) => names.includes(host ?? '')).length).toBe(names.length);
    // The end of a run gives the same rows one by one.
    const quiet = tick(END_LIMITS);
    const { snapshot, hosts, flows } = aggregator.last({
      time: m.time,
      intervalMs: 1000,
      capture: CAPTURE,
      interfaces: [ETHERNET],
      gaps: [],
    });
    const still = ({ recent: _, ...row }: HostRow | AppRow) => row;
    expect([...flows]).toEqual(quiet.flows);
    expect([...hosts].map(still)).toEqual(quiet.hosts.map(still));
    expect(snapshot.apps.map(still)).toEqual(quiet.apps.map(still));
    expect([snapshot.total, snapshot.hosts, snapshot.flows]).toEqual([quiet.total, [], []]);
  });

  it('of rates move with the name: what was sent before does not count as sent now', () => {
    const row = open({ dst: WEB });
    tick();
    m.names.serverName(row, 'tls', 'www.example.com', false);
    m.send({ dst: WEB, bytes: 30 });
    const snapshot = tick();
    expect(snapshot.hosts).toMatchObject([{ txBytes: 130, txRate: 30 }]);
    expect(snapshot.categories.reduce((sum, each) => sum + each.txRate, 0)).toBe(30);
  });
});

// Totals that add up: whatever flows move, learn, lose or are evicted, every sum in a snapshot is the sum of what was counted.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Aggregator, END_LIMITS, type SnapshotLimits } from '../../src/aggregate/aggregator.ts';
import { FLOW_DIRECTION, Localizer } from '../../src/flow/direction.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import { FLOW_STATES } from '../../src/flow/tcp.ts';
import type { Snapshot, TickInterface, Traffic } from '../../src/model/snapshot.ts';
import { OWNER_REASONS, type OwnerReason } from '../../src/model/terms.ts';
import { FakeDirectory } from '../support/fake-directory.ts';
import { addresses, type PacketFields, packet, timed } from '../support/packets.ts';
import { CAPTURE, UNCOUNTED } from '../support/snapshot-builder.ts';

const T0 = 1_700_000_000_000;
const SMALL: SnapshotLimits = { apps: 2, hosts: 2, flows: 3 };
const EXPLAINED = ['no process: the kernel itself', 'forwarded', 'nothing listens on the port'];
const KINDS = { eth0: 'physical', lo: 'loopback', tun0: 'tunnel', br0: 'bridge' } as const;
const TUNNEL = 2;
const interfacesWith = (counted: readonly boolean[]) =>
  Object.entries(KINDS).map(([name, kind], i): TickInterface => ({ name, kind, isCounted: counted[i] === true, ...UNCOUNTED }));
const HOSTS = ['10.0.0.1', '127.0.0.1', '192.0.2.1', '192.0.2.2', '2001:db8::1'];
const APPS = ['curl', 'ssh', 'firefox'];

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('packet' as const),
      src: fc.constantFrom(...HOSTS),
      dst: fc.constantFrom(...HOSTS),
      sport: fc.integer({ min: 1, max: 2 }),
      dport: fc.integer({ min: 1, max: 2 }),
      flags: fc.constantFrom('S', 'SA', 'A', 'R', 'FA'),
      bytes: fc.integer({ min: 20, max: 65_535 }),
      iface: fc.nat(3),
      later: fc.nat(3000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('owner' as const, 'peer' as const),
      which: fc.nat(),
      app: fc.constantFrom(...APPS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('reason' as const), which: fc.nat(), reason: fc.nat(OWNER_REASONS.length - 1) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), after: fc.constantFrom(0, 70_000, 1_000_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('roles' as const),
      counted: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tick' as const), ms: fc.integer({ min: 1, max: 5000 }) }) },
);

/** What a bookkeeper would write down who looks at every packet, and at every flow's owner when it goes or the tick ends. */
class Ledger {
  readonly ifaceBytes = [0, 0, 0, 0];
  total = 0;
  /** Of all flows, by what counted when it moved: under apps and hosts, in the total. By serial number. */
  readonly counted = new Map<number, { app: number; total: number }>();
  readonly ended = new Map<string, number>();
  endedUnowned = 0;
  tick = 0;

  gone(name: string, bytes: number): void {
    this.ended.set(name, (this.ended.get(name) ?? 0) + bytes);
  }
}

const bytesOf = (traffic: Traffic) => traffic.rxBytes + traffic.txBytes;
const sum = (rows: readonly Traffic[]) => rows.reduce((total, row) => total + bytesOf(row), 0);

class Run {
  readonly directory = new FakeDirectory();
  readonly table: FlowTable;
  readonly aggregator: Aggregator;
  readonly ledger = new Ledger();
  counted = [true, true, false, false];
  last = { rxBytes: 0, txBytes: 0 };
  time = T0;
  closed = 0;

  constructor(maxRows: number) {
    const localizer = new Localizer(false);
    localizer.setAddresses(addresses('10.0.0.1'));
    this.table = new FlowTable(localizer, maxRows, 5);
    this.aggregator = new Aggregator(this.table, this.directory, T0, 5);
    this.aggregator.setInterfaces(interfacesWith(this.counted));
    const observer = this.table.observer;
    this.table.observer = {
      flowRemoved: (row) => {
        for (const [name, bytes] of this.shares(row)) this.ledger.gone(name, bytes);
        this.ledger.endedUnowned += this.unowned(row);
        observer?.flowRemoved(row);
      },
    };
    this.aggregator.onFlowClosed(() => this.closed++);
  }

  rows(): number[] {
    return Array.from({ length: this.table.rows }, (_, row) => row).filter((row) => this.table.isLive(row));
  }

  touch(each: PacketFields & { bytes: number; iface: number }): void {
    const { iface, sport = 0 } = each;
    // So little goes through the tunnel that nobody is taken for its carrier.
    const bytes = iface === TUNNEL ? Math.min(each.bytes, 40) : each.bytes;
    // No flow is on two interfaces: those are counted once, which the tests of twins hold.
    const row = this.table.touch(timed(packet({ ...each, bytes, sport: sport + 10 * iface }), this.time), iface, 0);
    const { ledger } = this;
    ledger.ifaceBytes[iface] = (ledger.ifaceBytes[iface] as number) + bytes;
    ledger.tick += bytes;
    const isCounted = this.counted[iface] === true;
    const isTransit = this.table.direction(row) === FLOW_DIRECTION.TRANSIT;
    const isInTotal = isCounted || (iface !== TUNNEL && !isTransit);
    const counted = ledger.counted.get(this.serial(row)) ?? { app: 0, total: 0 };
    ledger.counted.set(this.serial(row), counted);
    if (isInTotal || iface === TUNNEL) counted.app += bytes;
    if (isInTotal) counted.total += bytes;
    if (isInTotal) ledger.total += bytes;
  }

  serial(row: number): number {
    return this.table.serial(row);
  }

  bytes(row: number): number {
    return this.table.rxBytes(row) + this.table.txBytes(row);
  }

  /** Which app rows a flow's bytes are in. */
  shares(row: number): [string, number][] {
    const process = this.table.owner(row);
    const peer = this.table.peer(row);
    const reason = this.table.reason(row) ?? '';
    const nameOf = (id: number) => this.directory.app(this.directory.process(id)?.app ?? -1)?.name ?? '?';
    const bytes = this.ledger.counted.get(this.serial(row))?.app ?? 0;
    const shares: [string, number][] = [[process < 0 ? reason : nameOf(process), bytes]];
    if (peer >= 0 && this.table.isLocal(row)) shares.push([nameOf(peer), bytes]);
    return shares;
  }

  unowned(row: number): number {
    const [name] = this.shares(row)[0] ?? [''];
    const isOwned = APPS.includes(name) || EXPLAINED.includes(name);
    return isOwned ? 0 : (this.ledger.counted.get(this.serial(row))?.total ?? 0);
  }

  check(ms: number, limits: SnapshotLimits): Snapshot {
    this.time += ms;
    const snapshot = this.aggregator.tick(
      { time: this.time, intervalMs: ms, capture: CAPTURE, interfaces: interfacesWith(this.counted), gaps: [] },
      limits,
    );
    const { ledger } = this;
    const expected = new Map(ledger.ended);
    let unowned = ledger.endedUnowned;
    for (const row of this.rows()) {
      for (const [name, bytes] of this.shares(row)) expected.set(name, (expected.get(name) ?? 0) + bytes);
      unowned += this.unowned(row);
    }
    const all = [...ledger.counted.values()].reduce((total, { app }) => total + app, 0);
    expect(bytesOf(snapshot.total)).toBe(ledger.total);
    expect(snapshot.total.rxBytes).toBeGreaterThanOrEqual(this.last.rxBytes);
    expect(snapshot.total.txBytes).toBeGreaterThanOrEqual(this.last.txBytes);
    this.last = snapshot.total;
    expect(sum(snapshot.categories)).toBe(ledger.total);
    expect(snapshot.total.unownedBytes).toBe(unowned);
    expect(snapshot.interfaces.map(bytesOf)).toEqual(ledger.ifaceBytes);
    expect(sum(snapshot.hosts)).toBe(all);
    expect(sum(snapshot.apps)).toBe([...expected.values()].reduce((total, bytes) => total + bytes, 0));
    if (limits === END_LIMITS) {
      const shown = snapshot.apps.filter((row) => bytesOf(row) > 0).map((row) => [row.app ?? row.reason, bytesOf(row)]);
      expect(Object.fromEntries(shown)).toEqual(Object.fromEntries([...expected].filter(([, bytes]) => bytes > 0)));
      expect(snapshot.flows.map((flow) => flow.id).sort()).toEqual(
        this.rows()
          .map((row) => String(this.table.serial(row)))
          .sort(),
      );
    }
    const moved = snapshot.interfaces.reduce((total, row) => total + row.rxRate + row.txRate, 0);
    expect(Math.abs(moved - (ledger.tick * 1000) / ms)).toBeLessThanOrEqual(3);
    for (const row of [...snapshot.apps, ...snapshot.hosts])
      expect(Math.min(row.rxBytes, row.txBytes, row.flows)).toBeGreaterThanOrEqual(0);
    ledger.tick = 0;
    return snapshot;
  }
}

describe('aggregation', () => {
  it.each([
    ['with room', 256],
    ['with a table that is too small', 4],
  ])('adds up, %s', (_name, maxRows) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 200, size: 'max' }), (steps) => {
        const run = new Run(maxRows);
        for (const each of steps) {
          const live = run.rows();
          const row = 'which' in each ? (live[each.which % Math.max(1, live.length)] ?? -1) : -1;
          if (each.kind === 'packet') {
            run.time += each.later;
            run.touch(each);
          } else if (each.kind === 'roles') {
            run.counted = each.counted;
            run.aggregator.setInterfaces(interfacesWith(each.counted));
          } else if (each.kind === 'tick') run.check(each.ms, SMALL);
          else if (each.kind === 'expire') run.table.expire(run.time + each.after);
          else if (row < 0) continue;
          else if (each.kind === 'owner') run.table.own(row, run.directory.add(each.app), 'exact');
          else if (each.kind === 'peer') run.table.ownPeer(row, run.directory.add(each.app));
          else if (each.kind === 'reason') run.table.disown(row, OWNER_REASONS[each.reason] as OwnerReason);
          else run.table.remove(row);
        }
        run.check(1000, END_LIMITS);
        expect(run.check(1000, END_LIMITS).flows.every((flow) => flow.rxRate + flow.txRate === 0)).toBe(true);
        expect(run.closed + run.table.count).toBe(run.table.created);
      }),
      { numRuns: 150 },
    );
  });

  it('never shows a stale row', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const run = new Run(64);
        for (const each of steps) {
          const live = run.rows();
          const row = 'which' in each ? (live[each.which % Math.max(1, live.length)] ?? -1) : -1;
          if (each.kind === 'packet') run.touch(each);
          else if (each.kind === 'owner' && row >= 0) run.table.own(row, run.directory.add(each.app), 'exact');
          else if (each.kind === 'peer' && row >= 0) run.table.ownPeer(row, run.directory.add(each.app, -1));
          else if (each.kind === 'tick') {
            const interfaces = interfacesWith(run.counted);
            const tick = { time: T0, intervalMs: each.ms, capture: CAPTURE, interfaces, gaps: [] };
            for (const flow of run.aggregator.tick(tick, END_LIMITS).flows) {
              const at = run.rows().find((one) => String(run.table.serial(one)) === flow.id) as number;
              const shares = run.shares(at);
              expect([bytesOf(flow), flow.app ?? flow.reason]).toEqual([run.bytes(at), shares[0]?.[0]]);
              if (shares.length > 1) expect(flow.peerApp).toBe(shares[1]?.[0]);
              expect(flow.state).toBe(FLOW_STATES[run.table.state(at)]);
            }
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

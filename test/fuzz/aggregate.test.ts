// Totals add up: whatever happens to flows, every sum in a snapshot is the sum of what was counted.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { END_LIMITS, type SnapshotLimits } from '../../src/aggregate/aggregator.ts';
import { FLOW_DIRECTION } from '../../src/flow/direction.ts';
import { FLOW_STATES } from '../../src/flow/tcp.ts';
import type { Snapshot, TickInterface } from '../../src/model/snapshot.ts';
import { APPS, bytesOf, FlowRun, flowSteps, sumOf, T0 } from '../support/flow-run.ts';
import { type PacketFields, packet, timed } from '../support/packets.ts';
import { CAPTURE, UNCOUNTED } from '../support/snapshot-builder.ts';

const SMALL: SnapshotLimits = { apps: 2, hosts: 2, flows: 3 };
const EXPLAINED = ['no process: the kernel itself', 'forwarded', 'nothing listens on the port'];
const KINDS = { eth0: 'physical', lo: 'loopback', tun0: 'tunnel', br0: 'bridge' } as const;
const TUNNEL = 2;
const interfacesWith = (counted: readonly boolean[]) =>
  Object.entries(KINDS).map(([name, kind], i): TickInterface => ({ name, kind, isCounted: counted[i] === true, ...UNCOUNTED }));

const step = fc.oneof(...flowSteps(4), {
  weight: 1,
  arbitrary: fc.record({
    kind: fc.constant('roles' as const),
    counted: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  }),
});

/** The reference: looks at every packet, and at every flow's owner when the flow leaves or the tick ends. */
class Reference {
  readonly ifaceBytes = [0, 0, 0, 0];
  total = 0;
  /** Of all flows, by what counted when it moved: under apps and hosts, in the total. By serial number. */
  readonly counted = new Map<number, { app: number; total: number }>();
  /** What stays with former owners of flows, by serial number: how far each end's owners got, and who had what. */
  readonly former = new Map<number, { own: number; peer: number; readonly shares: [string, number][] }>();
  readonly ended = new Map<string, number>();
  endedUnowned = 0;
  tick = 0;

  gone(name: string, bytes: number): void {
    this.ended.set(name, (this.ended.get(name) ?? 0) + bytes);
  }
}

class Run extends FlowRun {
  readonly reference = new Reference();
  counted = [true, true, false, false];
  last = { rxBytes: 0, txBytes: 0 };
  closed = 0;

  constructor(maxRows: number) {
    super(maxRows);
    this.aggregator.setInterfaces(interfacesWith(this.counted));
    this.aggregator.onFlowClosed(() => this.closed++);
  }

  protected override flowLeaves(row: number): void {
    for (const [name, bytes] of this.shares(row)) this.reference.gone(name, bytes);
    this.reference.endedUnowned += this.unowned(row);
  }

  touch(each: PacketFields & { bytes: number; iface: number }): void {
    const { iface, sport = 0 } = each;
    // So little goes through the tunnel that nobody is taken for its carrier.
    const bytes = iface === TUNNEL ? Math.min(each.bytes, 40) : each.bytes;
    // No flow is on two interfaces: those are counted once, which the tests of twins hold.
    const row = this.table.touch(timed(packet({ ...each, bytes, sport: sport + 10 * iface }), this.time), iface, 0);
    const { reference } = this;
    reference.ifaceBytes[iface] = (reference.ifaceBytes[iface] as number) + bytes;
    reference.tick += bytes;
    const isCounted = this.counted[iface] === true;
    const isTransit = this.table.direction(row) === FLOW_DIRECTION.TRANSIT;
    const isInTotal = isCounted || (iface !== TUNNEL && !isTransit);
    const counted = reference.counted.get(this.serial(row)) ?? { app: 0, total: 0 };
    reference.counted.set(this.serial(row), counted);
    if (isInTotal || iface === TUNNEL) counted.app += bytes;
    if (isInTotal) counted.total += bytes;
    if (isInTotal) reference.total += bytes;
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
    const bytes = this.reference.counted.get(this.serial(row))?.app ?? 0;
    const former = this.reference.former.get(this.serial(row));
    const shares: [string, number][] = [[process < 0 ? reason : nameOf(process), bytes - (former?.own ?? 0)]];
    if (peer >= 0 && this.table.isLocal(row)) shares.push([nameOf(peer), bytes - (former?.peer ?? 0)]);
    return [...shares, ...(former?.shares ?? [])];
  }

  override onExec(row: number, isPeer: boolean): void {
    if (isPeer && !this.table.isLocal(row)) return;
    const serial = this.serial(row);
    const share = this.shares(row)[isPeer ? 1 : 0];
    const former = this.reference.former.get(serial) ?? { own: 0, peer: 0, shares: [] };
    this.reference.former.set(serial, former);
    if (share !== undefined) former.shares.push(share);
    former[isPeer ? 'peer' : 'own'] = this.reference.counted.get(serial)?.app ?? 0;
  }

  unowned(row: number): number {
    const [name] = this.shares(row)[0] ?? [''];
    const isOwned = APPS.includes(name) || EXPLAINED.includes(name);
    return isOwned ? 0 : (this.reference.counted.get(this.serial(row))?.total ?? 0);
  }

  check(ms: number, limits: SnapshotLimits): Snapshot {
    this.time += ms;
    const snapshot = this.aggregator.tick(
      { time: this.time, intervalMs: ms, capture: CAPTURE, interfaces: interfacesWith(this.counted), gaps: [] },
      limits,
    );
    const { reference } = this;
    const expected = new Map(reference.ended);
    let unowned = reference.endedUnowned;
    for (const row of this.rows()) {
      for (const [name, bytes] of this.shares(row)) expected.set(name, (expected.get(name) ?? 0) + bytes);
      unowned += this.unowned(row);
    }
    const all = [...reference.counted.values()].reduce((total, { app }) => total + app, 0);
    expect(bytesOf(snapshot.total)).toBe(reference.total);
    expect(snapshot.total.rxBytes).toBeGreaterThanOrEqual(this.last.rxBytes);
    expect(snapshot.total.txBytes).toBeGreaterThanOrEqual(this.last.txBytes);
    this.last = snapshot.total;
    expect(sumOf(snapshot.categories)).toBe(reference.total);
    expect(snapshot.total.unownedBytes).toBe(unowned);
    expect(snapshot.interfaces.map(bytesOf)).toEqual(reference.ifaceBytes);
    expect(sumOf(snapshot.hosts)).toBe(all);
    expect(sumOf(snapshot.apps)).toBe([...expected.values()].reduce((total, bytes) => total + bytes, 0));
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
    expect(Math.abs(moved - (reference.tick * 1000) / ms)).toBeLessThanOrEqual(3);
    for (const row of [...snapshot.apps, ...snapshot.hosts])
      expect(Math.min(row.rxBytes, row.txBytes, row.flows)).toBeGreaterThanOrEqual(0);
    reference.tick = 0;
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
          if (each.kind === 'packet') {
            run.time += each.later;
            run.touch(each);
          } else if (each.kind === 'roles') {
            run.counted = each.counted;
            run.aggregator.setInterfaces(interfacesWith(each.counted));
          } else if (each.kind === 'tick') run.check(each.ms, SMALL);
          else run.change(each);
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
          if (each.kind === 'packet') run.touch(each);
          else if (each.kind === 'owner' || each.kind === 'peer' || each.kind === 'exec') run.change(each);
          else if (each.kind === 'tick') {
            const interfaces = interfacesWith(run.counted);
            const tick = { time: T0, intervalMs: each.ms, capture: CAPTURE, interfaces, gaps: [] };
            for (const flow of run.aggregator.tick(tick, END_LIMITS).flows) {
              const at = run.rows().find((one) => String(run.table.serial(one)) === flow.id) as number;
              const shares = run.shares(at);
              expect([bytesOf(flow), flow.app ?? flow.reason]).toEqual([run.bytes(at), shares[0]?.[0]]);
              if (run.table.isLocal(at) && run.table.peer(at) >= 0) expect(flow.peerApp).toBe(shares[1]?.[0]);
              expect(flow.state).toBe(FLOW_STATES[run.table.state(at)]);
            }
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

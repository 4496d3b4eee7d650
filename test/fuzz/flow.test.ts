// The flow table against a plain Map: whatever comes, in whatever order, both hold the same flows with the same counts.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Localizer } from '../../src/flow/direction.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import { formatAddress } from '../../src/net/address.ts';
import { addresses, packet, timed } from '../support/packets.ts';

const T0 = 1_700_000_000_000;
/** Few enough that flows are met again. */
const HOSTS = ['10.0.0.1', '192.0.2.1', '::1'];
const LETTERS = ['', 'S', 'SA', 'A', 'PA', 'FA', 'R'];

interface ModelFlow {
  key: string;
  serial: number;
  bytes: number;
  packets: number;
  first: number;
  last: number;
}

const hit = fc.record({
  kind: fc.constant('packet' as const),
  src: fc.constantFrom(...HOSTS),
  dst: fc.constantFrom(...HOSTS),
  sport: fc.integer({ min: 1, max: 3 }),
  dport: fc.integer({ min: 1, max: 2 }),
  protocol: fc.constantFrom(6, 17, 1),
  flags: fc.constantFrom(...LETTERS),
  seq: fc.integer({ min: 0, max: 3 }),
  bytes: fc.integer({ min: 20, max: 65_535 }),
  iface: fc.constantFrom(0, 40_000),
  later: fc.integer({ min: 0, max: 5000 }),
});
const step = fc.oneof(
  { weight: 12, arbitrary: hit },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('expire' as const), after: fc.constantFrom(0, 20_000, 70_000, 1_000_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tick' as const) }) },
);

const keyOf = (a: string, b: string, protocol: number, iface: number) => `${[a, b].sort().join(' ')} ${protocol} ${iface}`;
const end = (address: string, port: number) => `${address}/${port}`;

function liveRows(table: FlowTable): number[] {
  return Array.from({ length: table.rows }, (_, row) => row).filter((row) => table.isLive(row));
}

function keyOfRow(table: FlowTable, row: number): string {
  const local = end(formatAddress(table.words, table.localAt(row)), table.localPort(row));
  const remote = end(formatAddress(table.words, table.remoteAt(row)), table.remotePort(row));
  return keyOf(local, remote, table.protocol(row), table.interface(row));
}

function modelOf(table: FlowTable, row: number): ModelFlow {
  return {
    key: keyOfRow(table, row),
    serial: table.serial(row),
    bytes: table.rxBytes(row) + table.txBytes(row),
    packets: table.rxPackets(row) + table.txPackets(row),
    first: table.firstSeen(row),
    last: table.lastSeen(row),
  };
}

describe('flow table', () => {
  it.each([
    ['with room', 4096],
    ['nearly full', 32],
    ['far too small', 4],
  ])('agrees with a Map, %s', (_name, maxRows) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 250, size: 'max' }), fc.integer(), (steps, seed) => {
        const localizer = new Localizer(false);
        localizer.setAddresses(addresses('10.0.0.1'));
        const table = new FlowTable(localizer, maxRows, seed);
        const model = new Map<number, ModelFlow>();
        /** The flow that each pair of ends has now; one that had them before stays until it is removed. */
        const current = new Map<string, { serial: number; row: number }>();
        const gone: number[] = [];
        let moved = new Set<number>();
        let time = T0;
        let bytesEver = 0;
        let bytesGone = 0;
        table.observe({
          flowRemoved(row) {
            const flow = modelOf(table, row);
            expect(model.get(flow.serial)).toEqual(flow);
            model.delete(flow.serial);
            if (current.get(flow.key)?.serial === flow.serial) current.delete(flow.key);
            moved.delete(row);
            gone.push(flow.serial);
            bytesGone += flow.bytes;
          },
        });
        for (const each of steps) {
          if (each.kind === 'tick') {
            table.beginTick();
            moved = new Set();
          } else if (each.kind === 'expire') table.expire(time + each.after);
          else if (each.kind === 'remove') {
            const live = liveRows(table);
            if (live.length > 0) table.remove(live[each.which % live.length] as number);
          } else {
            time += each.later;
            const ports = each.protocol === 1 ? { sport: 0, dport: 0 } : { sport: each.sport, dport: each.dport };
            const row = table.touch(timed(packet({ ...each, ...ports }), time), each.iface, 0);
            moved.add(row);
            bytesEver += each.bytes;
            const key = keyOf(end(each.src, ports.sport), end(each.dst, ports.dport), each.protocol, each.iface);
            const serial = table.serial(row);
            const before = current.get(key);
            if (before !== undefined && before.serial !== serial) {
              expect([serial, table.isRetired(before.row)]).toEqual([table.created, true]);
              moved.add(before.row);
            }
            expect(model.has(serial)).toBe(before?.serial === serial);
            current.set(key, { serial, row });
            const flow = model.get(serial) ?? { key, serial, bytes: 0, packets: 0, first: time, last: time };
            flow.bytes += each.bytes;
            flow.packets++;
            flow.last = time;
            model.set(serial, flow);
          }
          expect(table.count).toBe(model.size);
          expect(table.count).toBeLessThanOrEqual(maxRows);
        }
        const live = liveRows(table);
        const held = live.map((row) => modelOf(table, row));
        expect(new Map(held.map((flow) => [flow.serial, flow]))).toEqual(model);
        const listed = [...table.touched.subarray(0, table.touchedCount)];
        expect(new Set(listed).size).toBe(listed.length);
        expect(listed.filter((row) => table.isLive(row)).sort()).toEqual([...moved].sort());
        expect(new Set(gone).size).toBe(gone.length);
        expect(gone.length + table.count).toBe(table.created);
        expect(live.reduce((sum, row) => sum + modelOf(table, row).bytes, bytesGone)).toBe(bytesEver);
      }),
      { numRuns: 150 },
    );
  });
});

// Remembered rows are bounded, however many hosts, apps and flows come and go.

import { expect, test } from 'vitest';
import { Booking } from '../../../src/aggregate/booking.ts';
import { AppRows, sumTraffic } from '../../../src/aggregate/rows/entity-rows.ts';
import { FlowRows } from '../../../src/aggregate/rows/flow-rows.ts';
import { HostRows } from '../../../src/aggregate/rows/host-rows.ts';
import { Localizer } from '../../../src/flow/direction.ts';
import { FlowTable } from '../../../src/flow/flow-table.ts';
import { FakeDirectory } from '../../support/fake-directory.ts';
import { addresses, packet, timed } from '../../support/packets.ts';

function begin() {
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('10.0.0.1'));
  const flows = new FlowTable(localizer, 4096, 3);
  const directory = new FakeDirectory();
  const booking = new Booking({
    flows,
    directory,
    seed: 3,
    facts: null,
    observer: { hostChanged() {}, ownerLeaves() {}, flowLeaves() {} },
  });
  flows.observe(booking);
  const apps = new AppRows(booking.apps, directory);
  const hosts = new HostRows(booking.hosts, booking.hostTable, flows, null);
  const flowRows = new FlowRows(flows, booking, directory, String, null, null);
  const endTick = () => {
    booking.clearTick();
    for (const accumulators of [booking.apps, booking.hosts]) accumulators.beginTick();
    flows.beginTick();
  };
  return { flows, directory, booking, apps, hosts, flowRows, endTick };
}

test('rows that are no longer shown are dropped', () => {
  const { flows, directory, booking, apps, hosts, flowRows, endTick } = begin();
  for (let i = 0; i < 500; i++) {
    // Each moves more than all before, so that each is shown for a while.
    const row = flows.touch(timed(packet({ dst: `192.0.${i >> 8}.${i & 255}`, bytes: 100 + i, sport: i + 1 }), i * 1000), 0, 0);
    flows.own(row, directory.add(`app${i}`), 'exact');
    booking.bookTouched();
    expect(hosts.select(4, 1000)).toHaveLength(Math.min(5, i + 1));
    expect(apps.select(4, 1000, sumTraffic([]))).toHaveLength(Math.min(5, i + 1));
    expect(flowRows.select(4, 1000)).toHaveLength(Math.min(4, i + 1));
    for (const rows of [apps, hosts, flowRows]) expect(rows.kept).toBeLessThanOrEqual(72);
    endTick();
  }
});

test('rows of new flows are made ahead, a few at a time, and no more than will be shown', () => {
  const { flows, directory, booking, flowRows, endTick } = begin();
  const touch = (i: number) => flows.touch(timed(packet({ dst: `192.0.2.${i}`, bytes: 100, sport: i + 1 }), 1000), 0, 0);
  const kept: number[] = [];
  const make = (limit: number) => {
    const more = flowRows.makeSome(limit, 10, 1000);
    kept.push(flowRows.kept);
    return more;
  };
  for (let i = 0; i < 15; i++) touch(i);
  while (make(25));
  expect(kept).toEqual([10, 15]);
  for (let i = 0; i < 40; i++) touch(i); // more came meanwhile
  while (make(25));
  expect(kept).toEqual([10, 15, 25]);
  booking.bookTouched();
  expect(flowRows.select(30, 1000)).toEqual(new FlowRows(flows, booking, directory, String, null, null).select(30, 1000));
  endTick();
  for (let i = 35; i < 45; i++) touch(i);
  expect([flowRows.makeSome(25, 10, 1000), flowRows.kept]).toEqual([false, 35]);
});

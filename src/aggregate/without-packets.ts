// A snapshot in which no number of packets is known: NaN, which is shown as unknown and written as null. For sources that tell bytes alone.

import type { LastTick } from './aggregator.ts';
import type { Matching, Snapshot, Traffic } from './snapshot.ts';

/** The same with all packets unknown. */
export function withoutPackets(snapshot: Snapshot): Snapshot {
  const { matching } = snapshot;
  return { ...unknownIn(snapshot), matching: matching === null ? null : unknownIn(matching) };
}

function unknownIn<Part extends Snapshot | Matching>(part: Part): Part {
  const { total, apps, hosts, categories, interfaces, flows } = part;
  return {
    ...part,
    total: unknown(total),
    apps: apps.map(unknown),
    hosts: hosts.map(unknown),
    categories: categories.map(unknown),
    interfaces: interfaces.map(unknown),
    flows: flows.map(unknown),
  };
}

/** The last tick likewise; its long lists are made as they are read. */
export function lastWithoutPackets({ snapshot, hosts, flows }: LastTick): LastTick {
  return { snapshot: withoutPackets(snapshot), hosts: each(hosts), flows: each(flows) };
}

function* each<Row extends Traffic>(rows: Iterable<Row>): Iterable<Row> {
  for (const row of rows) yield unknown(row);
}

function unknown<Row extends Traffic>(row: Row): Row {
  return { ...row, rxPackets: Number.NaN, txPackets: Number.NaN };
}

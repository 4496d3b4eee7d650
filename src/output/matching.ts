// Snapshots as outputs without a screen need them: of the matching rows alone, and with rates averaged over a run.

import type { Snapshot, Traffic } from '../model/snapshot.ts';

/** The snapshot of what the filter matches; the whole snapshot if there is no filter. */
export function filteredSnapshot(snapshot: Snapshot): Snapshot {
  if (snapshot.matching === null) return snapshot;
  const { total, apps, hosts, categories, interfaces, flows, flowCount, encryptedDns } = snapshot.matching;
  const dns = { ...snapshot.dns, encrypted: encryptedDns };
  return { ...snapshot, total, apps, hosts, categories, interfaces, flows, flowCount, dns, matching: null };
}

/**
 * The last snapshot of a run that is shown once, with the run as its interval: rates are averages from start to end. Those of the last tick
 * would cover only the moment since the tick before.
 */
export function runAverage(snapshot: Snapshot): Snapshot {
  const intervalMs = Math.max(0, Math.round(snapshot.time - snapshot.started));
  const seconds = Math.max(1, intervalMs) / 1000;
  const average = <Row extends Traffic>(row: Row): Row => ({
    ...row,
    rxRate: row.rxBytes / seconds,
    txRate: row.txBytes / seconds,
  });
  const { total, apps, hosts, categories, interfaces, flows } = snapshot;
  return {
    ...snapshot,
    seq: 0,
    intervalMs,
    total: average(total),
    apps: apps.map(average),
    hosts: hosts.map(average),
    categories: categories.map(average),
    interfaces: interfaces.map(average),
    flows: flows.map(average),
  };
}

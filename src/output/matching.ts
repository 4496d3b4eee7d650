// The display filter for outputs without a screen: what a snapshot says of everything, it says of what matches.

import type { Snapshot, Traffic } from '../model/snapshot.ts';

/** The snapshot of what the filter matches; all of it where there is none. */
export function filteredSnapshot(snapshot: Snapshot): Snapshot {
  if (snapshot.matching === null) return snapshot;
  const { total, apps, hosts, categories, interfaces, flows, flowCount } = snapshot.matching;
  return { ...snapshot, total, apps, hosts, categories, interfaces, flows, flowCount, matching: null };
}

// One sample for a whole run: its rates are means from the start to the end. The last tick's would be those of the moment since the tick
// before, which tells nothing of a run that is shown once.

/** The last snapshot of a run with the whole run as its interval. In a replay that is what it has already. */
export function runAverage(snapshot: Snapshot): Snapshot {
  const intervalMs = Math.max(0, Math.round(snapshot.time - snapshot.started));
  const seconds = Math.max(1, intervalMs) / 1000;
  const mean = <Row extends Traffic>(row: Row): Row => ({ ...row, rxRate: row.rxBytes / seconds, txRate: row.txBytes / seconds });
  const { total, apps, hosts, categories, interfaces, flows } = snapshot;
  return {
    ...snapshot,
    seq: 0,
    intervalMs,
    total: mean(total),
    apps: apps.map(mean),
    hosts: hosts.map(mean),
    categories: categories.map(mean),
    interfaces: interfaces.map(mean),
    flows: flows.map(mean),
  };
}

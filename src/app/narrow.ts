// The display filter for outputs without a screen: what a snapshot says of everything, it says of what matches.

import type { Snapshot } from '../aggregate/snapshot.ts';

/** The snapshot of what the filter matches; all of it where there is none. */
export function narrowed(snapshot: Snapshot): Snapshot {
  if (snapshot.matching === null) return snapshot;
  const { total, apps, hosts, categories, interfaces, flows, flowCount } = snapshot.matching;
  return { ...snapshot, total, apps, hosts, categories, interfaces, flows, flowCount, matching: null };
}

// The display filter for outputs without a screen: a snapshot of what matches, totals included.

import type { LastTick } from '../aggregate/aggregator.ts';
import type { FlowRow, Snapshot } from '../aggregate/snapshot.ts';
import type { Filter } from '../filter/filter.ts';
import { narrowSnapshot } from '../view/derive.ts';

/** How an output narrows what it is told; without a filter everything passes as it is. */
export interface Narrower {
  snapshot(snapshot: Snapshot): Snapshot;
  /** The last tick of a run. What a filter leaves of the totals is a sum of flows: all are looked at, and those that match are kept. */
  last(last: LastTick): LastTick;
  passes(flow: FlowRow): boolean;
}

/** A narrower for a filter. */
export function narrower(filter: Filter | null): Narrower {
  if (filter === null) return { snapshot: (snapshot) => snapshot, last: (last) => last, passes: () => true };
  return {
    snapshot: (snapshot) => narrowSnapshot(snapshot, filter),
    last: ({ snapshot, hosts, flows }) => {
      const narrowed = narrowSnapshot({ ...snapshot, hosts: [...hosts] }, filter, flows);
      return { snapshot: narrowed, hosts: narrowed.hosts, flows: narrowed.flows };
    },
    passes: (flow) => filter.matches(flow, flow.lastSeen),
  };
}

// The display filter for outputs without a screen: a snapshot of what matches, totals included.

import type { FlowRow, Snapshot } from '../aggregate/snapshot.ts';
import type { Filter } from '../filter/filter.ts';
import { narrowSnapshot } from '../view/derive.ts';

/** How an output narrows what it is told; without a filter everything passes as it is. */
export interface Narrower {
  /** True without a filter. */
  readonly passesAll: boolean;
  snapshot(snapshot: Snapshot): Snapshot;
  passes(flow: FlowRow): boolean;
}

/** A narrower for a filter. */
export function narrower(filter: Filter | null): Narrower {
  if (filter === null) return { passesAll: true, snapshot: (snapshot) => snapshot, passes: () => true };
  return {
    passesAll: false,
    snapshot: (snapshot) => narrowSnapshot(snapshot, filter),
    passes: (flow) => filter.matches(flow, flow.lastSeen),
  };
}

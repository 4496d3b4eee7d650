// Where a run's snapshots go: the JSON stream, a table, or the screen. One interface, so that the sessions know none of them.

import type { FlowRow, Gap, Snapshot } from '../aggregate/snapshot.ts';

/** What a session tells its output. Never throws; an output that can take no more calls `stop` of the session. */
export interface Output {
  /** True where flows that open and close are wanted one by one. */
  readonly wantsEvents: boolean;
  sample(snapshot: Snapshot): void;
  opened(flow: FlowRow): void;
  closed(flow: FlowRow): void;
  gap(gap: Gap): void;
  /** The totals of the run; nothing comes after it. */
  end(snapshot: Snapshot): Promise<void>;
}

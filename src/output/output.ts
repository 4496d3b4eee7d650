// Where a run's snapshots go: the JSON stream, a table, or the screen. One interface, so that the sessions know none of them.

import type { LastTick, SnapshotLimits } from '../aggregate/aggregator.ts';
import type { PacketSource } from '../capture/source.ts';
import type { HistoryStatus } from '../model/history.ts';
import type { FlowRow, Gap, Snapshot } from '../model/snapshot.ts';

/** What a run that records begins with. */
export interface RecordStart {
  readonly source: PacketSource;
  readonly attribution: string;
  readonly history: HistoryStatus;
}

/** What a session tells its output. Never throws; an output that can take no more calls `stop` of the session. */
export interface Output {
  /** True where flows that open and close are wanted one by one. */
  readonly wantsEvents: boolean;
  /** How many rows of a sample it can use; absent: as many as a screen. */
  readonly limits?: SnapshotLimits;
  /** Recording has begun, or is not going to; before the first sample. */
  begin?(start: RecordStart): void;
  sample(snapshot: Snapshot): void;
  opened(flow: FlowRow): void;
  closed(flow: FlowRow): void;
  gap(gap: Gap): void;
  /** The totals of the run; nothing comes after it. */
  end(snapshot: Snapshot): Promise<void>;
  /** `end` with all rows there are, taken one by one, so that they need not all be made at once; absent where that can't be. */
  endWithRows?(last: LastTick): Promise<void>;
}

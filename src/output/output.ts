// Where a run's snapshots go: the JSON stream, a table, a recording's messages, or the screen. Sessions know only this interface. The folder
// is for what is not a screen: it writes text and files, and decides nothing about what is in a snapshot.

import type { LastTick, SnapshotLimits } from '../aggregate/aggregator.ts';
import type { PacketSource } from '../capture/source.ts';
import type { HistoryStatus } from '../model/history.ts';
import type { FlowRow, Gap, Snapshot } from '../model/snapshot.ts';

/** How a run that records begins. */
export interface RecordStart {
  readonly source: PacketSource;
  readonly attribution: string;
  readonly history: HistoryStatus;
}

/** Lets everything else have its turn: frames, keys, timers. Resolves when the work may go on. */
export type Turn = () => Promise<void>;

/** Takes what a session produces. Never throws; an output that can't write any more says so to whoever made it. */
export interface Output {
  /** True if flows that open and close are wanted one by one. */
  readonly wantsEvents: boolean;
  /** How many rows of a sample it can use; as many as a screen by default. */
  readonly limits?: SnapshotLimits;
  /** Recording has begun, or has failed to. Comes before the first sample. */
  begin?(start: RecordStart): void;
  /** @param turn to be awaited after each few milliseconds of work @returns nothing, or when the sample is written */
  sample(snapshot: Snapshot, turn: Turn): void | Promise<void>;
  opened(flow: FlowRow): void;
  closed(flow: FlowRow): void;
  gap(gap: Gap): void;
  /** The totals of the run. Nothing comes after it. */
  end(snapshot: Snapshot): Promise<void>;
  /** `end` with every row, each made only when it is taken; absent from outputs that need them all at once. */
  endWithRows?(last: LastTick): Promise<void>;
}

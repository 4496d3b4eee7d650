// ExportBatch: rows of history on their way to an engine. Plain data that goes to another process.

import type { Alert } from './alert.ts';
import type { PushEngine } from './export.ts';
import type { HistoryEntry, LoggedFlow } from './history-batch.ts';

/** Traffic of one minute with one combination of facts, as it stood when the minute was settled. */
export interface MinuteRow extends HistoryEntry {
  /** Start of the minute, epoch ms. */
  readonly time: number;
  /** It corrects a minute that was settled before; its numbers may be below zero. */
  readonly isLate: boolean;
}

/** Rows for one engine, which it takes as a whole. Personal fields are as the plan has them. */
export interface ExportBatch {
  readonly engine: PushEngine;
  /** Host id, run and sequence: the same for each repetition of the same rows, and for nothing else. */
  readonly token: string;
  /** Random number of this machine, hexadecimal. */
  readonly hostId: string;
  /** Name of this machine; null unless asked for. */
  readonly hostName: string | null;
  /** End of the settled time that the batch belongs to, epoch ms. */
  readonly until: number;
  readonly minutes: readonly MinuteRow[];
  readonly flows: readonly LoggedFlow[];
  readonly alerts: readonly Alert[];
}

/** A part of history is settled: nothing that is recorded afterwards changes it, and it is sent as one unit, in one batch or a few. */
export interface ExportCut {
  /** Random number of the run, below 2^48. */
  readonly run: number;
  /** The last minute that is settled, since the epoch (UTC). */
  readonly minute: number;
}

/** What an engine has acknowledged: all of the cuts before `cut`, and `parts` batches of that one. */
export interface ExportMark {
  readonly engine: PushEngine;
  readonly cut: number;
  readonly parts: number;
}

/** What exports have history keep. */
export interface ExportRecords {
  /** null if nothing more is settled. */
  readonly cut: ExportCut | null;
  readonly marks: readonly ExportMark[];
}

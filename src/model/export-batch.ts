// ExportBatch: rows of history on their way to an engine. Plain data that goes to another process.

import type { Alert } from './alert.ts';
import type { Deleted, ExportCursor, ExportCut, ExportMark, PushEngine } from './export.ts';
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

/** Rows of one cut in the order in which they are sent, as many as were asked for or as there are. */
export interface UnsentPage {
  readonly cut: ExportCut;
  readonly minutes: readonly MinuteRow[];
  readonly flows: readonly LoggedFlow[];
  readonly alerts: readonly Alert[];
  /** What the file no longer has of the places that the page passes. */
  readonly deleted: Deleted;
  /** Where the next page begins. */
  readonly next: ExportCursor;
}

/** How the queue stands. */
export interface ExportQueue {
  /** Number of the newest cut; 0 before the first. */
  readonly newest: number;
  /** The last settled minute, since the epoch; null before the first cut. */
  readonly minute: number | null;
  readonly marks: readonly QueuedMark[];
  /** The first cut of the run that asks, and its minute; null if it has none. */
  readonly began: { readonly cut: number; readonly minute: number } | null;
}

/** A mark with the last minute that the engine has all of, since the epoch; null if that isn't known. */
export interface QueuedMark extends ExportMark {
  readonly minute: number | null;
}

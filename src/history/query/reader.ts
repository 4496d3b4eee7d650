// HistoryReader: read access to recorded history for commands and the screen. Types only; `openHistory` makes one.

import type { HistoryQuery, HistoryResult, SqlResult } from '../../model/history.ts';
import type { LoggedFlow } from '../../model/history-batch.ts';
import type { SentError } from '../thread-turn.ts';

/** Bounds of a statement of the user's. */
export interface SqlLimits {
  readonly timeoutMs: number;
  readonly rows: number;
}

/** One record as it is kept, for exports: a connections row without its split by direction of bytes. Time epoch ms. */
export interface HistoryRecord {
  readonly time: number;
  /** What the record sums: a minute, an hour or a day, ms. */
  readonly spanMs: number;
  readonly app: string | null;
  readonly exe: string | null;
  readonly host: string | null;
  readonly domain: string | null;
  readonly category: string | null;
  readonly interface: string;
  readonly protocol: string;
  readonly direction: string;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly flows: number;
}

/** When an app first reached a domain. Epoch ms. */
export interface FirstSeen {
  readonly app: string;
  readonly domain: string;
  readonly time: number;
}

/** Which first contacts are asked for: within [from, to), epoch ms, of one app or of all (null), the `most` first ones. */
export interface FirstSeenQuery {
  readonly from: number;
  readonly to: number;
  readonly app: string | null;
  readonly most: number;
}

/** Names that history knows. */
export interface MetNames {
  readonly apps: readonly string[];
  readonly domains: readonly string[];
}

/**
 * Sees the file and what is not yet in it, as they were at `openHistory` or the last `refresh`. Works in a thread of its own and never
 * writes. Every call rejects with NetmonError `history` (exit status 7) where the file cannot be used.
 */
export interface HistoryReader {
  readonly path: string;
  query(query: HistoryQuery): Promise<HistoryResult>;
  /** One statement, read-only by construction: it runs on a copy in memory. */
  sql(text: string, limits: SqlLimits): Promise<SqlResult>;
  /** Records of a stretch in order of time, in pages of at most `rows`; null at the end. */
  records(from: number, to: number, rows: number): AsyncIterable<readonly HistoryRecord[]>;
  flows(from: number, to: number, rows: number): AsyncIterable<readonly LoggedFlow[]>;
  /** In order of time. */
  firstSeen(query: FirstSeenQuery): Promise<readonly FirstSeen[]>;
  /** All apps and registrable domains that were ever recorded and not erased, `most` of each. */
  met(most: number): Promise<MetNames>;
  /** The whole as an SQLite file, with what is not yet flushed. */
  image(): Promise<Uint8Array>;
  /** Reads anew what was written since. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

// What is said between a reader and its thread. Types only.

/** A page of records or flows that is asked for. */
export interface PageCall {
  readonly name: 'records' | 'flows';
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly cursor: HistoryCursor | null;
}

/** One call; no call depends on one before it, so that all may be asked of another thread again. */
export type ReaderCall =
  | { readonly name: 'query'; readonly query: HistoryQuery }
  | { readonly name: 'sql'; readonly text: string; readonly limits: SqlLimits }
  | PageCall
  | { readonly name: 'firstSeen'; readonly query: FirstSeenQuery }
  | { readonly name: 'met'; readonly most: number }
  | { readonly name: 'image' }
  | { readonly name: 'refresh' };

/** A call with the number that its answer bears. */
export interface ReaderRequest {
  readonly id: number;
  readonly call: ReaderCall;
}

/** Answers come in the order of the requests. */
export interface ReaderReply {
  readonly id: number;
  readonly value?: unknown;
  readonly failure?: SentError;
}

/** The other end: a worker thread, or in tests none. */
export interface ReaderThread {
  post(request: ReaderRequest): void;
  onReply(listener: (reply: ReaderReply) => void): void;
  /** Told once, when it ended; with the error where it failed. */
  onEnd(listener: (error: Error | null) => void): void;
  /** Told where it had better end as soon as nothing is asked of it. */
  onWanted(listener: () => void): void;
  /** Ends it in the middle of whatever it does. */
  end(): Promise<void>;
}

/** Makes the thread for a file. */
export type StartReader = (path: string) => ReaderThread;

/** Where the next page begins; opaque. */
export interface HistoryCursor {
  readonly table: string;
  readonly after: number;
}

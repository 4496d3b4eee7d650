// What is said between a reader and its thread. Types only.

import type { HistoryQuery } from '../net/history.ts';
import type { HistoryCursor } from './history-pages.ts';
import type { FirstSeenQuery, SqlLimits } from './history-reader.ts';
import type { SentError } from './thread-error.ts';

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

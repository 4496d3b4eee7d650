// What is said between a reader and its thread. Types only.

import type { SentError } from './thread-error.ts';

/** `records` and `flows` open a list under a number of the caller's; `next` gives its pages, null at the end; `end` leaves it. */
export type CallName = 'query' | 'sql' | 'firstSeen' | 'image' | 'refresh' | 'records' | 'flows' | 'next' | 'end';

export interface ReaderRequest {
  readonly id: number;
  readonly name: CallName;
  readonly args: readonly unknown[];
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
  /** Told once, when it ended or failed; null where it ended by itself. */
  onEnd(listener: (error: Error | null) => void): void;
  /** Ends it in the middle of whatever it does. */
  end(): Promise<void>;
}

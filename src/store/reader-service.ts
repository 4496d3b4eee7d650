// The reading side of a history, as it runs in its thread: loads the files once, answers calls in order. Writes nothing.

import type { SqlJsStatic } from 'sql.js';
import { type HistoryState, loadHistory, refreshHistory } from './history-load.ts';
import type { ReaderCall, ReaderReply, ReaderRequest } from './reader-calls.ts';
import { sentError } from './thread-error.ts';

/** Answers requests about one history. */
export class ReaderService {
  readonly #sql: SqlJsStatic;
  readonly #path: string;
  #state: HistoryState | null = null;

  constructor(sql: SqlJsStatic, path: string) {
    this.#sql = sql;
    this.#path = path;
  }

  /** Never throws. */
  answer({ id, call }: ReaderRequest): ReaderReply {
    try {
      return { id, value: this.#answer(call) };
    } catch (thrown) {
      return { id, failure: sentError(thrown) };
    }
  }

  #answer(call: ReaderCall): unknown {
    const loaded = this.#state;
    this.#state ??= loadHistory(this.#sql, this.#path);
    const { database } = this.#state;
    switch (call.name) {
      case 'query':
        return database.query(call.query);
      case 'sql':
        return database.sql(call.text, call.limits);
      case 'records':
      case 'flows':
        return database[call.name](call.from, call.to, call.rows, call.cursor);
      case 'firstSeen':
        return database.firstSeen(call.from, call.to);
      case 'met':
        return database.met(call.most);
      case 'image':
        return database.image();
      case 'refresh':
        if (loaded !== null) this.#state = refreshHistory(this.#sql, this.#path, loaded);
        return null;
    }
  }
}

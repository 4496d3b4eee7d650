// The reading side of a history, as it runs in its thread: opens the files once, answers calls in order. Writes nothing.

import { type HistoryState, loadHistory, refreshHistory } from './history-load.ts';
import type { ReaderCall, ReaderReply, ReaderRequest } from './reader-calls.ts';
import type { SqlEngine } from './sql-engine.ts';
import { sentError } from './thread-error.ts';

/** Where another program writes into the file again and again, the last answer has to do. */
const TRIES = 3;

/** Answers requests about one history. */
export class ReaderService {
  readonly #sql: SqlEngine;
  readonly #path: string;
  #state: HistoryState | null = null;

  constructor(sql: SqlEngine, path: string) {
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
    for (let tried = 1; ; tried++) {
      const state = this.#loaded(call.name === 'refresh' || tried > 1);
      const isLast = () => tried === TRIES || state.isWhole;
      // Where another program has written into the file, what was read of it may be half the old and half the new.
      try {
        const answer = answerOf(state, call);
        if (isLast()) return answer;
      } catch (thrown) {
        if (isLast()) throw thrown;
      }
    }
  }

  #loaded(isFresh: boolean): HistoryState {
    const state = this.#state;
    if (state !== null && !isFresh) return state;
    this.#state = null;
    this.#state = state === null ? loadHistory(this.#sql, this.#path) : refreshHistory(this.#sql, this.#path, state);
    return this.#state;
  }
}

function answerOf({ database }: HistoryState, call: ReaderCall): unknown {
  switch (call.name) {
    case 'query':
      return database.query(call.query);
    case 'sql':
      return database.sql(call.text, call.limits);
    case 'records':
    case 'flows':
      return database[call.name](call.from, call.to, call.rows, call.cursor);
    case 'firstSeen':
      return database.firstSeen(call.query);
    case 'met':
      return database.met(call.most);
    case 'image':
      return database.image();
    case 'refresh':
      return null;
  }
}

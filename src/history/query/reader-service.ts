// The reading side of a history, as it runs in its thread: opens the files once, answers calls in order. Writes nothing.

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type HistoryState, loadHistory, refreshHistory } from '../load.ts';
import type { SqlEngine } from '../sqljs/engine.ts';
import { sentError } from '../thread-turn.ts';
import type { ReaderCall, ReaderReply, ReaderRequest } from './reader.ts';

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

// What a thread made for an answer goes back when the answer is out: V8 lets a thread pile up 60 MiB of it before it clears up by itself.

/** Above what a reader needs between two answers (6 MB); clearing up takes it 5 to 15 ms. */
const LEFT_ALONE = 12e6;
/** V8's own function, which it gives away under a flag alone; null where it doesn't. */
const collect = collector();

/** Has V8 clear up now, where there is much. */
export function clearUp(): void {
  if (getHeapStatistics().used_heap_size > LEFT_ALONE) collect?.();
}

function collector(): (() => void) | null {
  try {
    setFlagsFromString('--expose-gc');
    return runInNewContext('gc') as () => void;
  } catch {
    return null; // then V8 clears up when it likes
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

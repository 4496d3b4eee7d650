// What runs in a reader's thread: opens the files once and answers calls in order. Writes nothing.

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { AlertQuery } from '../../model/alert.ts';
import type { DnsQuery } from '../../model/dns.ts';
import type { ExportCursor } from '../../model/export.ts';
import type { BaselineQuery, HistoryQuery, TimeRange } from '../../model/history.ts';
import type { SqlLimits } from '../database.ts';
import { type HistoryState, loadHistory, refreshHistory } from '../load.ts';
import type { SqlEngine } from '../sqljs/engine.ts';
import { type SentError, sentError } from '../threads.ts';
import type { FirstSeenQuery, HistoryCursor } from './pages.ts';

/** A call for one page of records or flows. */
export interface PageCall {
  readonly name: 'records' | 'flows';
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly cursor: HistoryCursor | null;
}

/** One call. None depends on an earlier one, which lets another thread answer it instead. */
export type ReaderCall =
  | { readonly name: 'query'; readonly query: HistoryQuery }
  | { readonly name: 'sql'; readonly text: string; readonly limits: SqlLimits }
  | PageCall
  | { readonly name: 'firstSeen'; readonly query: FirstSeenQuery }
  | { readonly name: 'knownNames'; readonly most: number }
  | { readonly name: 'reached'; readonly range: TimeRange }
  | { readonly name: 'alerts'; readonly query: AlertQuery }
  | { readonly name: 'dns'; readonly query: DnsQuery }
  | { readonly name: 'baseline'; readonly query: BaselineQuery }
  | { readonly name: 'exportQueue'; readonly run: number }
  | { readonly name: 'unsent'; readonly cursor: ExportCursor; readonly most: number }
  | { readonly name: 'image' }
  | { readonly name: 'refresh' };

/** A call and its number. */
export interface ReaderRequest {
  readonly id: number;
  readonly call: ReaderCall;
}

/** The answer to the request of the same number. Answers come in the order of the requests. */
export interface ReaderReply {
  readonly id: number;
  readonly value?: unknown;
  readonly failure?: SentError;
}

/** How often a call is repeated while another program writes into the file; after that, the last answer has to do. */
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
      // If another program has written into the file, what was read may be half old and half new.
      const isFinal = () => tried === TRIES || state.isWhole;
      try {
        const answer = answerOf(this.#sql, state, call);
        if (isFinal()) return answer;
      } catch (thrown) {
        if (isFinal()) throw thrown;
      }
    }
  }

  #loaded(readsAnew: boolean): HistoryState {
    const state = this.#state;
    if (state !== null && !readsAnew) return state;
    this.#state = null;
    this.#state = state === null ? loadHistory(this.#sql, this.#path) : refreshHistory(this.#sql, this.#path, state);
    return this.#state;
  }
}

function answerOf(sql: SqlEngine, { database }: HistoryState, call: ReaderCall): unknown {
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
    case 'knownNames':
      return database.knownNames(call.most);
    case 'reached':
      return database.reached(call.range);
    case 'alerts':
      return database.alerts(call.query);
    case 'dns':
      return database.dns(call.query);
    case 'baseline':
      return database.baseline(call.query);
    case 'exportQueue':
      return database.exportQueue(call.run);
    case 'unsent':
      return database.unsent(call.cursor, call.most);
    case 'image':
      return database.image();
    case 'refresh':
      return sql.notice;
  }
}

/** Bytes; a reader needs 6 MB between two answers, and collecting takes it 5 to 15 ms. */
const SMALL_HEAP = 12e6;
/** V8's own collector, which it exposes only under a flag; null if it doesn't. */
const collect = exposedCollector();

/** Collects garbage if there is much of it: V8 by itself lets 60 MiB pile up in a thread. Call it after an answer was sent. */
export function collectGarbage(): void {
  if (getHeapStatistics().used_heap_size > SMALL_HEAP) collect?.();
}

function exposedCollector(): (() => void) | null {
  try {
    setFlagsFromString('--expose-gc');
    return runInNewContext('gc') as () => void;
  } catch {
    return null;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

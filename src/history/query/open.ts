// Opens recorded history for reading, in a thread of its own: nothing that is asked for stalls the caller, and a statement that takes too
// long is ended with its thread. The thread goes when nobody asked for a while or another wants its turn; the next call starts another.

import { NetmonError } from '../../model/errors.ts';
import type { HistoryQuery, HistoryResult, SqlResult } from '../../model/history.ts';
import type { LoggedFlow } from '../../model/history-batch.ts';
import { receivedError } from '../thread-turn.ts';
import type { HistoryPage } from './pages.ts';
import type {
  FirstSeen,
  FirstSeenQuery,
  HistoryReader,
  HistoryRecord,
  MetNames,
  PageCall,
  ReaderCall,
  ReaderReply,
  ReaderThread,
  SqlLimits,
  StartReader,
} from './reader.ts';
import { readerThreads } from './reader-thread.ts';

/** History in memory is given back this long after the last call; longer than the minute in which the screen asks again. */
const IDLE_MS = 75_000;

interface Waiting {
  readonly call: ReaderCall;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Opens the history in a file, with what its journals hold beyond it.
 *
 * @param start makes the thread; another in tests
 * @returns rejects with NetmonError `history` where there is none, or none that can be read
 */
export async function openHistory(path: string, start: StartReader = readerThreads()): Promise<HistoryReader> {
  const reader = new ThreadReader(path, start);
  try {
    await reader.refresh();
    return reader;
  } catch (thrown) {
    await reader.close();
    throw thrown;
  }
}

class ThreadReader implements HistoryReader {
  readonly path: string;
  readonly #start: StartReader;
  readonly #waiting = new Map<number, Waiting>();
  #thread: ReaderThread | null = null;
  #ids = 0;
  #idle: NodeJS.Timeout | null = null;
  /** Another thread waits until this one is gone. */
  #isWanted = false;
  #closed = false;

  constructor(path: string, start: StartReader) {
    this.path = path;
    this.#start = start;
  }

  query(query: HistoryQuery): Promise<HistoryResult> {
    return this.#ask<HistoryResult>({ name: 'query', query }).answer;
  }

  async sql(text: string, limits: SqlLimits): Promise<SqlResult> {
    const { id, answer } = this.#ask<SqlResult>({ name: 'sql', text, limits });
    const timer = setTimeout(() => {
      const hint = 'ask for less (WHERE ...), or give it longer: --timeout 60s';
      this.#take(id)?.reject(new NetmonError('usage', `the statement took longer than ${limits.timeoutMs / 1000} s`, hint));
      void this.#restart();
    }, limits.timeoutMs);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }

  records(from: number, to: number, rows: number): AsyncIterable<readonly HistoryRecord[]> {
    return this.#pages<HistoryRecord>({ name: 'records', from, to, rows, cursor: null });
  }

  flows(from: number, to: number, rows: number): AsyncIterable<readonly LoggedFlow[]> {
    return this.#pages<LoggedFlow>({ name: 'flows', from, to, rows, cursor: null });
  }

  firstSeen(query: FirstSeenQuery): Promise<readonly FirstSeen[]> {
    return this.#ask<readonly FirstSeen[]>({ name: 'firstSeen', query }).answer;
  }

  met(most: number): Promise<MetNames> {
    return this.#ask<MetNames>({ name: 'met', most }).answer;
  }

  image(): Promise<Uint8Array> {
    return this.#ask<Uint8Array>({ name: 'image' }).answer;
  }

  async refresh(): Promise<void> {
    await this.#ask({ name: 'refresh' }).answer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#endThread();
    this.#rejectAll(ended());
  }

  async *#pages<Row>(first: PageCall): AsyncGenerator<readonly Row[]> {
    for (let call = first; ; ) {
      const { rows, next } = await this.#ask<HistoryPage<Row>>(call).answer;
      if (rows.length > 0) yield rows;
      if (next === null) return;
      call = { ...call, cursor: next };
    }
  }

  #ask<Value>(call: ReaderCall): { readonly id: number; readonly answer: Promise<Value> } {
    const id = ++this.#ids;
    const answer = new Promise<Value>((resolve, reject) => {
      if (this.#closed) {
        reject(ended());
        return;
      }
      this.#waiting.set(id, { call, resolve: resolve as (value: unknown) => void, reject });
      this.#threadNow().post({ id, call });
    });
    return { id, answer };
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #threadNow(): ReaderThread {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    if (this.#thread !== null) return this.#thread;
    const thread = this.#start(this.path);
    this.#thread = thread;
    this.#isWanted = false;
    thread.onWanted(() => {
      this.#isWanted = true;
      if (this.#waiting.size === 0) void this.#endThread();
    });
    thread.onReply((reply) => this.#settle(reply));
    thread.onEnd((error) => {
      if (this.#thread !== thread) return;
      this.#thread = null;
      this.#rejectAll(error ?? new Error('the thread that reads history ended'));
    });
    return thread;
  }

  #settle({ id, value, failure }: ReaderReply): void {
    const waiting = this.#take(id);
    if (failure === undefined) waiting?.resolve(value);
    else waiting?.reject(receivedError(failure));
    if (this.#waiting.size > 0 || this.#closed) return;
    if (this.#isWanted) {
      void this.#endThread();
      return;
    }
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.#endThread(), IDLE_MS);
    this.#idle.unref();
  }

  /** Ends the thread with the statement in it; what waited behind that is asked of the next one. */
  async #restart(): Promise<void> {
    await this.#endThread();
    for (const [id, { call }] of this.#waiting) this.#threadNow().post({ id, call });
  }

  async #endThread(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    await thread?.end();
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function ended(): NetmonError {
  return new NetmonError('history', 'reading history was ended');
}

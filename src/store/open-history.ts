// Opens recorded history for reading, in a thread of its own: nothing that is asked for stalls the caller, and a statement that takes too
// long is ended with its thread. The thread goes when nobody asked for a while; the next call starts another.

import { Worker } from 'node:worker_threads';
import type { LoggedFlow } from '../aggregate/history-batch.ts';
import { NetmonError } from '../errors.ts';
import type { HistoryQuery, HistoryResult, SqlResult } from '../net/history.ts';
import type { FirstSeen, HistoryReader, HistoryRecord, SqlLimits } from './history-reader.ts';
import type { CallName, ReaderReply, ReaderThread } from './reader-calls.ts';
import { receivedError } from './thread-error.ts';

/** History in memory is given back this long after the last call. */
const IDLE_MS = 30_000;
/** The compiled worker. */
const SCRIPT = new URL('./reader-worker.js', import.meta.url);

interface Waiting {
  readonly name: CallName;
  readonly args: readonly unknown[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Opens the history in a file, with what its journals hold beyond it.
 *
 * @param start makes the thread; another in tests
 * @returns rejects with NetmonError `history` where there is none, or none that can be read
 */
export async function openHistory(path: string, start: (path: string) => ReaderThread = startThread): Promise<HistoryReader> {
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
  readonly #start: (path: string) => ReaderThread;
  readonly #waiting = new Map<number, Waiting>();
  #thread: ReaderThread | null = null;
  #ids = 0;
  #lists = 0;
  #idle: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(path: string, start: (path: string) => ReaderThread) {
    this.path = path;
    this.#start = start;
  }

  query(query: HistoryQuery): Promise<HistoryResult> {
    return this.#call<HistoryResult>('query', [query]);
  }

  async sql(text: string, limits: SqlLimits): Promise<SqlResult> {
    let timer: NodeJS.Timeout | null = null;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(
          new NetmonError('history', `the statement took longer than ${limits.timeoutMs / 1000} s`, 'ask for less: WHERE, LIMIT'),
        );
        void this.#restart();
      }, limits.timeoutMs);
    });
    try {
      return await Promise.race([this.#call<SqlResult>('sql', [text, limits]), late]);
    } finally {
      clearTimeout(timer ?? undefined);
    }
  }

  records(from: number, to: number, rows: number): AsyncIterable<readonly HistoryRecord[]> {
    return this.#pages<HistoryRecord>('records', from, to, rows);
  }

  flows(from: number, to: number, rows: number): AsyncIterable<readonly LoggedFlow[]> {
    return this.#pages<LoggedFlow>('flows', from, to, rows);
  }

  firstSeen(from: number, to: number): Promise<readonly FirstSeen[]> {
    return this.#call<readonly FirstSeen[]>('firstSeen', [from, to]);
  }

  image(): Promise<Uint8Array> {
    return this.#call<Uint8Array>('image', []);
  }

  async refresh(): Promise<void> {
    await this.#call('refresh', []);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#endThread();
    this.#rejectAll(new NetmonError('history', 'reading history was ended'));
  }

  async *#pages<T>(name: 'records' | 'flows', from: number, to: number, rows: number): AsyncGenerator<readonly T[]> {
    const list = ++this.#lists;
    await this.#call(name, [list, from, to, rows]);
    let isOver = false;
    try {
      for (;;) {
        const page = await this.#call<readonly T[] | null>('next', [list]);
        isOver = page === null;
        if (page === null) return;
        yield page;
      }
    } finally {
      if (!isOver && !this.#closed) await this.#call('end', [list]).catch(() => undefined);
    }
  }

  #call<T>(name: CallName, args: readonly unknown[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) {
        reject(new NetmonError('history', 'reading history was ended'));
        return;
      }
      const id = ++this.#ids;
      this.#waiting.set(id, { name, args, resolve: resolve as (value: unknown) => void, reject });
      this.#threadNow().post({ id, name, args });
    });
  }

  #threadNow(): ReaderThread {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    if (this.#thread !== null) return this.#thread;
    const thread = this.#start(this.path);
    this.#thread = thread;
    thread.onReply((reply) => this.#settle(reply));
    thread.onEnd((error) => {
      if (this.#thread !== thread) return;
      this.#thread = null;
      this.#rejectAll(error ?? new Error('the thread that reads history ended'));
    });
    return thread;
  }

  #settle({ id, value, failure }: ReaderReply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (failure === undefined) waiting?.resolve(value);
    else waiting?.reject(receivedError(failure));
    if (this.#waiting.size > 0 || this.#closed) return;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.#endThread(), IDLE_MS);
    this.#idle.unref();
  }

  /** Ends the thread with the statement in it; what was asked beside that is asked of the next one. */
  async #restart(): Promise<void> {
    await this.#endThread();
    for (const [id, { name, args, reject }] of this.#waiting) {
      if (name === 'sql' || name === 'next') {
        this.#waiting.delete(id);
        reject(new NetmonError('history', 'a statement that took too long has ended this too', 'ask again'));
      } else this.#threadNow().post({ id, name, args });
    }
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

function startThread(path: string): ReaderThread {
  const worker = new Worker(SCRIPT, { workerData: { path } });
  worker.unref();
  let asked = 0;
  let failure: Error | null = null;
  worker.on('error', (error) => {
    failure = error;
  });
  return {
    post: (request) => {
      if (asked++ === 0) worker.ref(); // the process waits for answers, not for a thread that has nothing to do
      worker.postMessage(request);
    },
    onReply: (listener) => {
      worker.on('message', (reply: ReaderReply) => {
        if (--asked === 0) worker.unref();
        listener(reply);
      });
    },
    onEnd: (listener) => {
      worker.on('exit', () => listener(failure));
    },
    end: async () => {
      await worker.terminate();
    },
  };
}

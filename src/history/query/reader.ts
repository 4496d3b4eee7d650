// Read access to recorded history, for commands and the screen. The files are read in a thread: no question blocks the caller, and a
// statement that takes too long ends together with its thread. The thread also ends when nobody asks for a while or when another thread
// of history waits; the next call starts a new one. Writes nothing.

import type { Worker } from 'node:worker_threads';
import type { AlertQuery, RecordedAlert } from '../../model/alert.ts';
import type { DnsQuery, RecordedDns } from '../../model/dns.ts';
import { NetmonError } from '../../model/errors.ts';
import type { ExportCursor } from '../../model/export.ts';
import type { ExportQueue, UnsentPage } from '../../model/export-batch.ts';
import type { BaselineQuery, HistoryQuery, HistoryResult, ReachedHost, SqlResult, TimeRange } from '../../model/history.ts';
import type { LoggedFlow } from '../../model/history-batch.ts';
import type { KnownBaseline } from '../../model/watch.ts';
import { startThread } from '../../system/thread.ts';
import type { SqlLimits } from '../database.ts';
import { type ReleaseSlot, receivedError, THREAD_LIMITS, threadSlot } from '../threads.ts';
import type { FirstSeen, FirstSeenQuery, HistoryPage, HistoryRecord, KnownNames } from './pages.ts';
import type { PageCall, ReaderCall, ReaderReply, ReaderRequest } from './reader-thread.ts';

/** The thread and its memory go this long after the last call; the screen asks every minute. */
const IDLE_MS = 75_000;

/**
 * Sees the image and its journals as they were at `openHistory` or at the last `refresh`. Every call rejects with NetmonError `history`
 * (exit status 7) if the file can't be used.
 */
export interface HistoryReader {
  readonly path: string;
  /** What the user should know about how the file is read; null for nothing. */
  readonly notice: string | null;
  query(query: HistoryQuery): Promise<HistoryResult>;
  /** Runs one statement that only reads. It works on a copy in memory, which makes writing impossible. */
  sql(text: string, limits: SqlLimits): Promise<SqlResult>;
  /** Records of [from, to), epoch ms, in order of time, in pages of at most `rows`. */
  records(from: number, to: number, rows: number): AsyncIterable<readonly HistoryRecord[]>;
  /** Logged flows that were open at some time of [from, to), in the order in which they closed. */
  flows(from: number, to: number, rows: number): AsyncIterable<readonly LoggedFlow[]>;
  /** In order of time. */
  firstSeen(query: FirstSeenQuery): Promise<readonly FirstSeen[]>;
  /** All apps and registrable domains that were ever recorded and not erased, `most` of each. */
  knownNames(most: number): Promise<KnownNames>;
  /** What apps reached on their own call within a range, in no order. */
  reached(range: TimeRange): Promise<readonly ReachedHost[]>;
  /** The newest alerts of a range, oldest first. */
  alerts(query: AlertQuery): Promise<readonly RecordedAlert[]>;
  /** What was asked of DNS in a range. */
  dns(query: DnsQuery): Promise<RecordedDns>;
  /** What each app has reached, and the most that it sent in an hour. */
  baseline(query: BaselineQuery): Promise<KnownBaseline>;
  /** How the queue of exports stands. @param run that asks; 0 for none */
  exportQueue(run: number): Promise<ExportQueue>;
  /** At most `most` rows of a cut; null if that cut isn't there. */
  unsent(cursor: ExportCursor, most: number): Promise<UnsentPage | null>;
  /** Image and journals together as one SQLite file. */
  image(): Promise<Uint8Array>;
  /** Reads what was written since. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** What a reader's thread tells it; never during `StartReader` itself. */
export interface ReaderEvents {
  /** The thread takes calls from now on, through `post`. */
  readonly onReady: (post: (request: ReaderRequest) => void) => void;
  readonly onReply: (reply: ReaderReply) => void;
  /** It has ended, with an error if it failed. */
  readonly onEnd: (error: Error | null) => void;
  /** Another thread of history waits until this one is gone. */
  readonly onContended: () => void;
}

/** A thread that was started; a worker, or in tests none. */
export interface ReaderThread {
  /** Ends it in the middle of whatever it does. */
  end(): Promise<void>;
}

/** Starts a thread that reads a file. */
export type StartReader = (path: string, events: ReaderEvents) => ReaderThread;

/**
 * Opens the history in a file, with what its journals hold beyond it.
 *
 * @param start starts the thread
 * @returns rejects with NetmonError `history` if there is nothing that can be read
 */
export async function openHistory(path: string, start: StartReader = readerThreads()): Promise<HistoryReader> {
  const reader = new QueuedReader(path, start);
  try {
    await reader.refresh();
    return reader;
  } catch (thrown) {
    await reader.close();
    throw thrown;
  }
}

interface QueuedCall {
  readonly call: ReaderCall;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

class QueuedReader implements HistoryReader {
  readonly path: string;
  readonly #start: StartReader;
  /** Calls without an answer, by id, oldest first. A new thread is asked all of them. */
  readonly #queue = new Map<number, QueuedCall>();
  #thread: ReaderThread | null = null;
  /** null until the thread takes calls. */
  #post: ((request: ReaderRequest) => void) | null = null;
  #lastId = 0;
  #notice: string | null = null;
  #idleTimer: NodeJS.Timeout | undefined;
  #isContended = false;
  #isClosed = false;

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

  knownNames(most: number): Promise<KnownNames> {
    return this.#ask<KnownNames>({ name: 'knownNames', most }).answer;
  }

  reached(range: TimeRange): Promise<readonly ReachedHost[]> {
    return this.#ask<readonly ReachedHost[]>({ name: 'reached', range }).answer;
  }

  alerts(query: AlertQuery): Promise<readonly RecordedAlert[]> {
    return this.#ask<readonly RecordedAlert[]>({ name: 'alerts', query }).answer;
  }

  dns(query: DnsQuery): Promise<RecordedDns> {
    return this.#ask<RecordedDns>({ name: 'dns', query }).answer;
  }

  baseline(query: BaselineQuery): Promise<KnownBaseline> {
    return this.#ask<KnownBaseline>({ name: 'baseline', query }).answer;
  }

  exportQueue(run: number): Promise<ExportQueue> {
    return this.#ask<ExportQueue>({ name: 'exportQueue', run }).answer;
  }

  unsent(cursor: ExportCursor, most: number): Promise<UnsentPage | null> {
    return this.#ask<UnsentPage | null>({ name: 'unsent', cursor, most }).answer;
  }

  image(): Promise<Uint8Array> {
    return this.#ask<Uint8Array>({ name: 'image' }).answer;
  }

  get notice(): string | null {
    return this.#notice;
  }

  async refresh(): Promise<void> {
    this.#notice = await this.#ask<string | null>({ name: 'refresh' }).answer;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#endThread();
    this.#rejectAll(closedError());
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
    const id = ++this.#lastId;
    const answer = new Promise<Value>((resolve, reject) => {
      if (this.#isClosed) {
        reject(closedError());
        return;
      }
      this.#queue.set(id, { call, resolve: resolve as (value: unknown) => void, reject });
      clearTimeout(this.#idleTimer);
      if (this.#thread === null) this.#startThread();
      else this.#post?.({ id, call });
    });
    return { id, answer };
  }

  #startThread(): void {
    this.#isContended = false;
    const thread = this.#start(this.path, {
      onReady: (post) => {
        if (this.#thread !== thread) return;
        this.#post = post;
        for (const [id, { call }] of this.#queue) post({ id, call });
      },
      onReply: (reply) => this.#settle(reply),
      onEnd: (error) => {
        if (this.#thread !== thread) return;
        this.#thread = null;
        this.#post = null;
        this.#rejectAll(error ?? new Error('the thread that reads history ended'));
      },
      onContended: () => {
        if (this.#thread !== thread) return;
        this.#isContended = true;
        if (this.#queue.size === 0) void this.#endThread();
      },
    });
    this.#thread = thread;
  }

  #settle({ id, value, failure }: ReaderReply): void {
    const queued = this.#take(id);
    if (failure === undefined) queued?.resolve(value);
    else queued?.reject(receivedError(failure));
    if (this.#queue.size > 0 || this.#isClosed) return;
    if (this.#isContended) {
      void this.#endThread();
      return;
    }
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => void this.#endThread(), IDLE_MS);
    this.#idleTimer.unref();
  }

  #take(id: number): QueuedCall | undefined {
    const queued = this.#queue.get(id);
    this.#queue.delete(id);
    return queued;
  }

  /** Ends the thread with the statement in it, and asks a new one for what is queued. */
  async #restart(): Promise<void> {
    await this.#endThread();
    if (this.#queue.size > 0 && this.#thread === null) this.#startThread();
  }

  async #endThread(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    this.#post = null;
    clearTimeout(this.#idleTimer);
    await thread?.end();
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#queue.values()) reject(error);
    this.#queue.clear();
  }
}

function closedError(): NetmonError {
  return new NetmonError('history', 'reading history was ended');
}

/** How threads are started. */
export interface ReaderThreadOptions {
  /** The thread gives up its rights and fences itself in the folder of the history before it reads. */
  readonly dropsRights?: boolean;
  /** Called when a thread has ended. */
  readonly onEnd?: () => void;
}

/** What the thread is started with. */
export interface ReaderThreadData {
  readonly path: string;
  readonly dropsRights: boolean;
}

/** Starts worker threads, each once `threadSlot` is free. */
export function readerThreads({ dropsRights = false, onEnd = () => {} }: ReaderThreadOptions = {}): StartReader {
  return (path, events) => {
    let worker: Worker | null = null;
    let isEnded = false;
    const begin = (release: ReleaseSlot) => {
      const ended = (error: Error | null) => {
        release();
        onEnd();
        events.onEnd(error);
      };
      if (isEnded) {
        release();
        return;
      }
      const workerData: ReaderThreadData = { path, dropsRights };
      try {
        worker = startThread('reader-worker', { workerData, resourceLimits: THREAD_LIMITS });
      } catch (thrown) {
        ended(thrown as Error);
        return;
      }
      connect(worker, { ...events, onEnd: ended });
    };
    void threadSlot.acquire(events.onContended).then(begin);
    return {
      async end() {
        isEnded = true;
        await worker?.terminate();
      },
    };
  };
}

function connect(worker: Worker, events: ReaderEvents): void {
  let unanswered = 0;
  let failure: Error | null = null;
  worker.unref(); // the process waits for answers, and not for an idle thread
  worker.on('error', (error) => {
    failure = error;
  });
  worker.on('message', (reply: ReaderReply) => {
    if (--unanswered === 0) worker.unref();
    events.onReply(reply);
  });
  worker.on('exit', () => events.onEnd(failure));
  events.onReady((request) => {
    if (unanswered++ === 0) worker.ref();
    worker.postMessage(request);
  });
}

// The thread of a reader, from outside: begun when its turn has come, asked in order, ended in the middle of whatever it does.

import type { Worker } from 'node:worker_threads';
import { startThread } from '../../system/thread.ts';
import { type GiveBack, THREAD_LIMITS, threadTurn } from '../thread-turn.ts';
import type { ReaderReply, ReaderRequest, ReaderThread, StartReader } from './reader.ts';

/** The compiled worker. */
const SCRIPT = new URL('./reader-worker.js', import.meta.url);

/**
 * Threads that read.
 *
 * @param before URL of the module that each calls before it reads (`beforeWork`)
 * @param gone called when one has ended
 */
export function readerThreads(before: string | null = null, gone: () => void = () => {}): StartReader {
  return (path) => new TurnedThread(path, before, gone);
}

class TurnedThread implements ReaderThread {
  #worker: Worker | null = null;
  /** Asked while it waits for its turn. */
  #early: ReaderRequest[] = [];
  #asked = 0;
  #isEnded = false;
  #reply: (reply: ReaderReply) => void = () => {};
  #end: (error: Error | null) => void = () => {};
  #wanted: () => void = () => {};

  constructor(path: string, before: string | null, gone: () => void) {
    const leave = (giveBack: GiveBack) => () => {
      giveBack();
      gone();
    };
    void threadTurn.take(() => this.#wanted()).then((giveBack) => this.#begin(path, before, leave(giveBack)));
  }

  post(request: ReaderRequest): void {
    if (this.#worker === null) {
      this.#early.push(request);
      return;
    }
    if (this.#asked++ === 0) this.#worker.ref(); // the process waits for answers, not for a thread that has nothing to do
    this.#worker.postMessage(request);
  }

  onReply(listener: (reply: ReaderReply) => void): void {
    this.#reply = listener;
  }

  onEnd(listener: (error: Error | null) => void): void {
    this.#end = listener;
  }

  onWanted(listener: () => void): void {
    this.#wanted = listener;
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#worker?.terminate();
  }

  #begin(path: string, before: string | null, giveBack: GiveBack): void {
    if (this.#isEnded) {
      giveBack();
      return;
    }
    let worker: Worker;
    try {
      worker = startThread(SCRIPT, { workerData: { path, before }, resourceLimits: THREAD_LIMITS });
    } catch (thrown) {
      giveBack();
      this.#end(thrown as Error);
      return;
    }
    this.#worker = worker;
    worker.unref();
    let failure: Error | null = null;
    worker.on('error', (error) => {
      failure = error;
    });
    worker.on('message', (reply: ReaderReply) => {
      if (--this.#asked === 0) worker.unref();
      this.#reply(reply);
    });
    worker.on('exit', () => {
      giveBack();
      this.#end(failure);
    });
    for (const request of this.#early.splice(0)) this.post(request);
  }
}

// What processes are, told as they begin: the main thread's side of the exec worker. Falls back to /proc for those that began before.

import { closeSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import koffi from 'koffi';
import { LRUCache } from 'lru-cache';
import { EXEC_STATE, ExecFacts, SHARED_BYTES } from './exec-facts.ts';
import type { ProcessFacts } from './process-facts.ts';

/** Processes remembered after they began; those that have sockets are in the directory soon. */
const REMEMBERED = 4096;
const EFD_CLOEXEC = 0o2000000;
/** What eventfd(2) takes: a 64-bit 1 in the machine's order. */
const ONE = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

/** Facts by pid of processes that began while we watched. */
export class ExecWatch {
  readonly #facts: ExecFacts;
  readonly #worker: Worker;
  readonly #recent = new LRUCache<number, ProcessFacts>({ max: REMEMBERED });
  readonly #wake: number;
  readonly #stop = () => this.close();
  #closed = false;
  #failure = '';

  /**
   * @param proc `/proc`
   * @param script the worker's file; another in tests that run the sources
   */
  constructor(proc: string, script: URL = new URL('./exec-worker.js', import.meta.url)) {
    const shared = new SharedArrayBuffer(SHARED_BYTES);
    const eventfd = koffi.load('libc.so.6').func('int eventfd(unsigned int, int)');
    this.#wake = eventfd(0, EFD_CLOEXEC) as number;
    if (this.#wake < 0) throw new Error(`eventfd: errno ${koffi.errno()}`);
    this.#facts = new ExecFacts(shared);
    this.#worker = new Worker(script, {
      workerData: { shared, proc, wake: this.#wake },
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
    });
    this.#worker.on('error', (error) => {
      this.#failure = error.message;
    });
    this.#worker.unref();
    // Node joins its threads when the process ends, and one that blocks in the kernel would never come.
    process.once('exit', this.#stop);
  }

  /** Why executables are learnt late, or empty. */
  get note(): string {
    if (this.#failure !== '') return `exec events: ${this.#failure}`;
    return this.#facts.state === EXEC_STATE.FAILED ? `exec events can't be had (errno ${this.#facts.error})` : '';
  }

  /** Takes in what the worker learnt since the last call. */
  refresh(): void {
    this.#facts.drain((facts) => this.#recent.set(facts.pid, facts));
  }

  /** What the newest process with this pid is; undefined where it began before we watched. */
  facts(pid: number): ProcessFacts | undefined {
    return this.#recent.get(pid);
  }

  /** Wakes the worker, which then ends. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    process.removeListener('exit', this.#stop);
    writeSync(this.#wake, ONE);
    this.#worker.once('exit', () => closeSync(this.#wake));
  }
}

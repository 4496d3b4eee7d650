// What processes are, told as they begin: the main thread's side of the exec worker. Falls back to /proc for those that began before.

import { closeSync, writeSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import koffi from 'koffi';
import { LRUCache } from 'lru-cache';
import { startThread } from '../../../system/thread.ts';
import type { Execs } from '../owner-checks.ts';
import type { OwnThread } from '../owner-source.ts';
import type { ProcessFacts } from '../process-facts.ts';
import {
  ANSWER_AT,
  ANSWER_BYTES,
  EXEC_COMMAND,
  EXEC_STATE,
  ExecFacts,
  NO_ANSWER,
  SHARED_BYTES,
  WORD,
  WORDS,
} from './exec-facts.ts';
import { type Proc, procAt } from './procfs/proc.ts';

/** Processes remembered after they began; those that have sockets are in the directory soon. */
const REMEMBERED = 4096;
/** A thread starts in some 50 ms; on a machine that is very busy in more. */
const START_MS = 2000;
const LOOK_MS = 2;
const LOWER_MS = 500;
/** A question takes some 50 microseconds; on a machine that is very busy far longer. */
const ANSWER_MS = 2000;
const EFD_CLOEXEC = 0o2000000;
/** What eventfd(2) takes: a 64-bit 1 in the machine's order. */
const ONE = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

/** Facts by pid of processes that began while we watched; and /proc as far as it takes rights, read by the thread that keeps them. */
export class ExecWatch implements OwnThread, Proc, Execs {
  readonly path: string;
  readonly #facts: ExecFacts;
  readonly #words: Int32Array;
  readonly #worker: Worker;
  readonly #recent = new LRUCache<number, ProcessFacts>({ max: REMEMBERED });
  readonly #wake: number;
  readonly #answer: Buffer;
  /** As this thread may read it: until root is given up, and when there is no other thread. */
  readonly #own: Proc;
  /** Root was given up, and the thread has rights that this one lacks. */
  #isAsked = false;
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
    this.#words = new Int32Array(shared, 0, WORDS);
    this.#answer = Buffer.from(shared, ANSWER_AT, ANSWER_BYTES);
    this.path = proc;
    this.#own = procAt(proc);
    this.#worker = startThread(script, {
      workerData: { shared, proc, wake: this.#wake },
      trackUnmanagedFds: false, // its socket is opened by libc and closed by Node, which would warn
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
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

  /** Hands out the pids that began or became another program since the last call; an event that was lost is not told. */
  execs(take: (pid: number) => void): void {
    this.#facts.pids(take);
  }

  /** What the newest process with this pid is; undefined where it began before we watched. */
  facts(pid: number): ProcessFacts | undefined {
    return this.#recent.get(pid);
  }

  /** Settles when the worker has got what takes rights, or can't get it. */
  async opened(): Promise<void> {
    for (
      let waited = 0;
      waited < START_MS && this.#facts.state === EXEC_STATE.STARTING && this.#failure === '';
      waited += LOOK_MS
    )
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  /** After root was given up: the worker keeps these capabilities and no others. It ends if it can't. @param keep set of bits */
  lower(keep: bigint): void {
    if (this.#facts.state === EXEC_STATE.STARTING) this.close();
    if (this.#closed) return;
    this.#words[WORD.KEEP_LOW] = Number(BigInt.asIntN(32, keep));
    this.#words[WORD.KEEP_HIGH] = Number(BigInt.asIntN(32, keep >> 32n));
    Atomics.store(this.#words, WORD.COMMAND, EXEC_COMMAND.LOWER);
    writeSync(this.#wake, ONE);
    if (Atomics.wait(this.#words, WORD.COMMAND, EXEC_COMMAND.LOWER, LOWER_MS) === 'timed-out') {
      this.#failure = 'the thread did not give up its rights';
      this.close();
    } else this.#isAsked = keep !== 0n;
  }

  exe(pid: number): string | null {
    if (!this.#isAsked) return this.#own.exe(pid);
    return this.#ask(EXEC_COMMAND.EXE, pid, 0) > 0 ? this.#text() : null;
  }

  *sockets(pid: number): Generator<number> {
    if (!this.#isAsked) {
      yield* this.#own.sockets(pid);
      return;
    }
    for (let from = 0; ; ) {
      const length = this.#ask(EXEC_COMMAND.SOCKETS, pid, from);
      if (length < 0)
        throw Object.assign(new Error('gone, or hidden'), { code: length === NO_ANSWER.HIDDEN ? 'EACCES' : 'ENOENT' });
      const next = this.#words[WORD.NEXT] as number;
      // Copied: another question may be asked before the next is taken.
      const inodes: number[] = [];
      for (let at = 0; at + 4 <= Math.min(length, ANSWER_BYTES); at += 4) inodes.push(this.#answer.readUInt32LE(at));
      yield* inodes;
      if (next === 0 || next === from) return;
      yield 0;
      from = next;
    }
  }

  namespace(pid: number): string {
    if (!this.#isAsked) return this.#own.namespace(pid);
    return this.#ask(EXEC_COMMAND.NAMESPACE, pid, 0) > 0 ? this.#text() : '';
  }

  /** Asks the thread, and waits. @returns length of the answer, or NO_ANSWER */
  #ask(command: number, pid: number, from: number): number {
    if (this.#closed) return NO_ANSWER.HIDDEN;
    this.#words[WORD.PID] = pid;
    this.#words[WORD.FROM] = from;
    Atomics.store(this.#words, WORD.COMMAND, command);
    writeSync(this.#wake, ONE);
    if (Atomics.wait(this.#words, WORD.COMMAND, command, ANSWER_MS) !== 'timed-out') return this.#words[WORD.LENGTH] as number;
    this.#failure = 'the thread that reads /proc does not answer';
    this.close();
    return NO_ANSWER.HIDDEN;
  }

  #text(): string {
    return this.#answer.toString('utf8', 0, Math.min(this.#words[WORD.LENGTH] as number, ANSWER_BYTES));
  }

  /** Wakes the worker, which then ends. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    process.removeListener('exit', this.#stop);
    Atomics.store(this.#words, WORD.COMMAND, EXEC_COMMAND.END);
    writeSync(this.#wake, ONE);
    this.#worker.once('exit', () => closeSync(this.#wake));
  }
}

// The main thread's side of the exec worker: learns what processes are as they start, and reads /proc through the worker once root is dropped.

import { closeSync, writeSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import koffi from 'koffi';
import { LRUCache } from 'lru-cache';
import { startThread } from '../../../system/thread.ts';
import type { Execs } from '../owner-checks.ts';
import type { OwnThread } from '../owner-source.ts';
import type { ContainerRef, ProcessFacts } from '../process-facts.ts';
import type { ContainerAnswer } from './containers/containers.ts';
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
import type { Beginnings } from './lineage.ts';
import { type Proc, procAt } from './procfs/proc.ts';

/** Most recent processes to remember. Those with sockets soon move to the directory. */
const REMEMBERED = 4096;
/** How long to wait for the thread to start. It takes about 50 ms, longer on a very busy machine. */
const START_MS = 2000;
const LOOK_MS = 2;
const LOWER_MS = 500;
/** How long to wait for an answer. It takes about 50 µs, far longer on a very busy machine. */
const ANSWER_MS = 2000;
const EFD_CLOEXEC = 0o2000000;
/** A 64-bit 1 in machine byte order, as eventfd(2) expects. */
const ONE = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

/** Facts about processes that started while we watched, by pid; and the parts of /proc that need rights, read by the thread that has them. */
export class ExecWatch implements OwnThread, Proc, Execs {
  readonly path: string;
  readonly #facts: ExecFacts;
  readonly #words: Int32Array;
  readonly #worker: Worker;
  readonly #recent = new LRUCache<number, ProcessFacts>({ max: REMEMBERED });
  readonly #wake: number;
  readonly #answer: Buffer;
  /** /proc as this thread may read it. Used until root is dropped. */
  readonly #own: Proc;
  readonly #readState: (ref: ContainerRef) => ContainerAnswer;
  /** Root was dropped, so the worker has rights that this thread lacks. */
  #usesWorker = false;
  readonly #stop = () => this.close();
  #closed = false;
  #failure = '';
  readonly #heard: Beginnings;

  /**
   * @param proc `/proc`
   * @param passwd `/etc/passwd`
   * @param lineage hears of every process that begins
   * @param readState reads engines' files as this thread may; used until root is dropped
   */
  constructor(
    proc: string,
    passwd: string,
    lineage: Beginnings | null,
    readState: (ref: ContainerRef) => ContainerAnswer = () => 'missing',
  ) {
    this.#readState = readState;
    this.#heard = {
      born: (pid, parent, start) => lineage?.born(pid, parent, start),
      became: (facts, more) => {
        this.#recent.set(facts.pid, facts);
        lineage?.became(facts, more);
      },
      rest: () => lineage?.rest(),
    };
    const shared = new SharedArrayBuffer(SHARED_BYTES);
    const eventfd = koffi.load('libc.so.6').func('int eventfd(unsigned int, int)');
    this.#wake = eventfd(0, EFD_CLOEXEC) as number;
    if (this.#wake < 0) throw new Error(`eventfd: errno ${koffi.errno()}`);
    this.#facts = new ExecFacts(shared);
    this.#words = new Int32Array(shared, 0, WORDS);
    this.#answer = Buffer.from(shared, ANSWER_AT, ANSWER_BYTES);
    this.path = proc;
    this.#own = procAt(proc);
    this.#worker = startThread('exec-worker', {
      workerData: { shared, proc, passwd, wake: this.#wake },
      trackUnmanagedFds: false, // its socket is opened by libc and closed by Node, which would warn
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
    });
    this.#worker.on('error', (error) => {
      this.#failure = error.message;
    });
    this.#worker.unref();
    // Node joins its threads when the process exits, and would wait forever for one that blocks in the kernel.
    process.once('exit', this.#stop);
  }

  /** Why executables are learnt late; empty if they aren't. */
  get note(): string {
    if (this.#failure !== '') return `exec events: ${this.#failure}`;
    return this.#facts.state === EXEC_STATE.FAILED ? `no exec events (errno ${this.#facts.error})` : '';
  }

  /** Takes what the worker learnt since the last call. */
  refresh(): void {
    this.#facts.drain(this.#heard);
    this.#heard.rest();
  }

  /** Calls `take` with each pid that called exec since the last call. Events may be lost. */
  execs(take: (pid: number) => void): void {
    this.#facts.pids(take);
  }

  /** Facts about the newest process with this pid; undefined if it started before we watched. */
  facts(pid: number): ProcessFacts | undefined {
    return this.#recent.get(pid);
  }

  /** Resolves when the worker has opened what needs rights, or has failed to. */
  async opened(): Promise<void> {
    for (
      let waited = 0;
      waited < START_MS && this.#facts.state === EXEC_STATE.STARTING && this.#failure === '';
      waited += LOOK_MS
    )
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  /** After root was dropped: makes the worker keep only these capabilities. If it can't, it exits. @param keep bit mask */
  lower(keep: bigint): void {
    if (this.#facts.state === EXEC_STATE.STARTING) this.close();
    if (this.#closed) return;
    this.#words[WORD.KEEP_LOW] = Number(BigInt.asIntN(32, keep));
    this.#words[WORD.KEEP_HIGH] = Number(BigInt.asIntN(32, keep >> 32n));
    Atomics.store(this.#words, WORD.COMMAND, EXEC_COMMAND.LOWER);
    writeSync(this.#wake, ONE);
    if (Atomics.wait(this.#words, WORD.COMMAND, EXEC_COMMAND.LOWER, LOWER_MS) === 'timed-out') {
      this.#failure = 'the thread did not drop its rights';
      this.close();
    } else this.#usesWorker = keep !== 0n;
  }

  exe(pid: number): string | null {
    if (!this.#usesWorker) return this.#own.exe(pid);
    return this.#ask(EXEC_COMMAND.EXE, pid, 0) > 0 ? this.#text() : null;
  }

  /** The worker asks even before root is dropped, because it knows a way that can't block. */
  file(pid: number): string {
    return this.#ask(EXEC_COMMAND.FILE, pid, 0) > 0 ? this.#text() : '';
  }

  *sockets(pid: number): Generator<number> {
    if (!this.#usesWorker) {
      yield* this.#own.sockets(pid);
      return;
    }
    for (let from = 0; ; ) {
      const length = this.#ask(EXEC_COMMAND.SOCKETS, pid, from);
      if (length < 0)
        throw Object.assign(new Error('gone, or hidden'), { code: length === NO_ANSWER.HIDDEN ? 'EACCES' : 'ENOENT' });
      const next = this.#words[WORD.NEXT] as number;
      // Copied, because the caller may make another request between two values.
      const inodes: number[] = [];
      for (let at = 0; at + 4 <= Math.min(length, ANSWER_BYTES); at += 4) inodes.push(this.#answer.readUInt32LE(at));
      yield* inodes;
      if (next === 0 || next === from) return;
      yield 0;
      from = next;
    }
  }

  namespace(pid: number): string {
    if (!this.#usesWorker) return this.#own.namespace(pid);
    return this.#ask(EXEC_COMMAND.NAMESPACE, pid, 0) > 0 ? this.#text() : '';
  }

  /** What engines' files call a container, or why that isn't known. */
  container(ref: ContainerRef): ContainerAnswer {
    if (!this.#usesWorker) return this.#readState(ref);
    if (this.#closed) return 'silent';
    const length = this.#answer.write(`${ref.engine} ${ref.id} ${ref.owner ?? ''}`, 'latin1');
    return this.#ask(EXEC_COMMAND.CONTAINER, length, 0) > 0 ? (JSON.parse(this.#text()) as ContainerAnswer) : 'silent';
  }

  /** Sends a request to the worker and blocks until it answers. @returns length of the answer, or NO_ANSWER */
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

  /** Wakes the worker and makes it exit. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    process.removeListener('exit', this.#stop);
    Atomics.store(this.#words, WORD.COMMAND, EXEC_COMMAND.END);
    writeSync(this.#wake, ONE);
    this.#worker.once('exit', () => closeSync(this.#wake));
  }
}

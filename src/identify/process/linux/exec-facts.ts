// The memory that the exec worker and the main thread share: a ring of facts about programs that began, a ring of processes that forked, and one
// request to the worker with its answer. It uses atomics only, no locks and no messages.

import { sanitizeBytes } from '../../../net/text.ts';
import type { ProcessFacts } from '../process-facts.ts';
import { containerOf, unitOf } from './containers/cgroup.ts';
import { type Beginnings, terminalName } from './lineage.ts';
import { scriptOf } from './procfs/process.ts';

/**
 * Layout, in bytes:
 *
 *     0 entries written so far u32 | 4 state u32 (EXEC_STATE) | 8 error number i32 | 12 command u32 (EXEC_COMMAND), 0 once it is done
 *     16 capabilities to keep, low and high u32 | 24 requested pid, or length of a question in place of the answer u32 | 28 offset in its descriptor list to start at u32
 *     32 length of the answer i32, -1 gone, -2 access denied | 36 offset to continue at u32, 0 at the end | 40 forks written so far u32
 *     64 entries, SLOTS of SLOT_BYTES; after them the answer: a path, or socket inodes u32; then forks, FORK_SLOTS of FORK_BYTES
 *     entry: 0 pid i32 | 4 parent i32 | 8 uid i32, -1 unknown | 12 length of exe u16 | 14 of arguments u16 | 16 of cgroup u16
 *            20 forks written before it u32 | 24 start time f64, ticks | 32 exe[384] | 416 arguments[512] | 928 cgroup[352] | 1280 comm[16]
 *            1296 session i32 | 1300 terminal's device number i32
 *     fork: 0 pid i32 | 4 parent i32 | 8 start time f64, ticks, 0 unknown
 *
 * The worker fills an entry or fork, then increments the count. If the reader is more than SLOTS entries or FORK_SLOTS forks behind, the oldest
 * are overwritten and lost.
 */
export const SLOTS = 1024;
export const SLOT_BYTES = 1312;
export const FIRST_SLOT = 64;
export const ANSWER_AT = FIRST_SLOT + SLOTS * SLOT_BYTES;
/** PATH_MAX; the same bytes hold 1024 inodes, or a question about a container: `ENGINE ID OWNER`, latin1. */
export const ANSWER_BYTES = 4096;
export const FORK_SLOTS = 8192;
export const FORK_BYTES = 16;
export const FIRST_FORK = ANSWER_AT + ANSWER_BYTES;
export const SHARED_BYTES = FIRST_FORK + FORK_SLOTS * FORK_BYTES;
export const EXEC_STATE = { STARTING: 0, RUNNING: 1, FAILED: 2 } as const;
export const EXEC_COMMAND = { NONE: 0, END: 1, LOWER: 2, EXE: 3, SOCKETS: 4, NAMESPACE: 5, FILE: 6, CONTAINER: 7 } as const;
/** Lengths that stand for failure. */
export const NO_ANSWER = { GONE: -1, HIDDEN: -2 } as const;
/** Indices of the 32-bit words at the start of the shared memory. */
export const WORD = {
  WRITTEN: 0,
  STATE: 1,
  ERROR: 2,
  COMMAND: 3,
  KEEP_LOW: 4,
  KEEP_HIGH: 5,
  PID: 6,
  FROM: 7,
  LENGTH: 8,
  NEXT: 9,
  FORKS: 10,
} as const;
export const WORDS = 11;
export const ENTRY = {
  PID: 0,
  PARENT: 4,
  UID: 8,
  EXE_LENGTH: 12,
  ARGUMENTS_LENGTH: 14,
  CGROUP_LENGTH: 16,
  FORKS: 20,
  START: 24,
  EXE: 32,
  ARGUMENTS: 416,
  CGROUP: 928,
  COMM: 1280,
  SESSION: 1296,
  TERMINAL: 1300,
} as const;
export const FORK = { PID: 0, PARENT: 4, START: 8 } as const;
export const EXE_BYTES = ENTRY.ARGUMENTS - ENTRY.EXE;
export const ARGUMENTS_BYTES = ENTRY.CGROUP - ENTRY.ARGUMENTS;
export const CGROUP_BYTES = ENTRY.COMM - ENTRY.CGROUP;
export const COMM_BYTES = 16;

/** The reader's side of the shared memory. */
export class ExecFacts {
  readonly #counters: Uint32Array;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #read = 0;
  #forksRead = 0;
  /** Entries that `pids` has passed. */
  #pidsRead = 0;
  /** Entries overwritten before `drain` read them. */
  missed = 0;

  constructor(shared: SharedArrayBuffer) {
    this.#counters = new Uint32Array(shared, 0, WORDS);
    this.#view = new DataView(shared);
    this.#bytes = new Uint8Array(shared);
  }

  get state(): number {
    return Atomics.load(this.#counters, WORD.STATE);
  }

  /** errno of the worker's failure. */
  get error(): number {
    return Atomics.load(this.#counters, WORD.ERROR);
  }

  /** Passes on forks and execs in the order in which they happened. */
  drain({ born, became }: Omit<Beginnings, 'rest'>): void {
    const written = Atomics.load(this.#counters, WORD.WRITTEN);
    let waiting = (written - this.#read) >>> 0;
    if (waiting > SLOTS) {
      this.missed += waiting - SLOTS;
      this.#read = (written - SLOTS) >>> 0;
      waiting = SLOTS;
    }
    for (; waiting > 0; waiting--) {
      const at = FIRST_SLOT + (this.#read % SLOTS) * SLOT_BYTES;
      this.#drainForks(this.#view.getUint32(at + ENTRY.FORKS, true), born);
      became(this.#entry(at), this.#more(at));
      this.#read = (this.#read + 1) >>> 0;
    }
    this.#drainForks(Atomics.load(this.#counters, WORD.FORKS), born);
  }

  /** @param until how many had been written */
  #drainForks(until: number, born: Beginnings['born']): void {
    const view = this.#view;
    const waiting = (Atomics.load(this.#counters, WORD.FORKS) - this.#forksRead) >>> 0;
    if (waiting > FORK_SLOTS) this.#forksRead = (this.#forksRead + waiting - FORK_SLOTS) >>> 0;
    for (let left = (until - this.#forksRead) | 0; left > 0; left--) {
      const at = FIRST_FORK + (this.#forksRead % FORK_SLOTS) * FORK_BYTES;
      const start = view.getFloat64(at + FORK.START, true);
      born(view.getInt32(at + FORK.PID, true), view.getInt32(at + FORK.PARENT, true), start > 0 ? start : null);
      this.#forksRead = (this.#forksRead + 1) >>> 0;
    }
  }

  /** Calls `take` with the pid of each entry added since the last call of this method, independently of `drain`. */
  pids(take: (pid: number) => void): void {
    const written = Atomics.load(this.#counters, WORD.WRITTEN);
    if ((written - this.#pidsRead) >>> 0 > SLOTS) this.#pidsRead = (written - SLOTS) >>> 0;
    for (; this.#pidsRead !== written >>> 0; this.#pidsRead = (this.#pidsRead + 1) >>> 0)
      take(this.#view.getInt32(FIRST_SLOT + (this.#pidsRead % SLOTS) * SLOT_BYTES + ENTRY.PID, true));
  }

  #entry(at: number): ProcessFacts {
    const view = this.#view;
    const uid = view.getInt32(at + ENTRY.UID, true);
    const exe = this.#text(at + ENTRY.EXE, view.getUint16(at + ENTRY.EXE_LENGTH, true), EXE_BYTES).replace(/ \(deleted\)$/, '');
    const comm = this.#text(at + ENTRY.COMM, COMM_BYTES, COMM_BYTES);
    const base = exe.slice(exe.lastIndexOf('/') + 1);
    const start = view.getFloat64(at + ENTRY.START, true);
    const cgroup = this.#lines(at + ENTRY.CGROUP, view.getUint16(at + ENTRY.CGROUP_LENGTH, true));
    return {
      pid: view.getInt32(at + ENTRY.PID, true),
      name: base === '' ? comm : base,
      exe: exe === '' ? null : exe,
      uid: uid < 0 ? null : uid,
      parentPid: view.getInt32(at + ENTRY.PARENT, true) || null,
      startTime: start > 0 ? start : null,
      script: scriptOf(exe === '' ? comm : exe, this.#words(at)),
      unit: unitOf(cgroup),
      container: containerOf(cgroup),
    };
  }

  #more(at: number): Parameters<Beginnings['became']>[1] {
    const session = this.#view.getInt32(at + ENTRY.SESSION, true);
    const terminal = terminalName(this.#view.getInt32(at + ENTRY.TERMINAL, true));
    return { session: session > 0 ? session : null, terminal, words: this.#words(at) };
  }

  #words(at: number): string {
    const length = Math.min(this.#view.getUint16(at + ENTRY.ARGUMENTS_LENGTH, true), ARGUMENTS_BYTES);
    return Buffer.from(this.#bytes.slice(at + ENTRY.ARGUMENTS, at + ENTRY.ARGUMENTS + length)).toString('utf8');
  }

  #text(at: number, length: number, most: number): string {
    const bytes = this.#bytes.slice(at, at + Math.min(length, most));
    return sanitizeBytes(bytes, 0, bytes.length);
  }

  #lines(at: number, length: number): string {
    return Buffer.from(this.#bytes.slice(at, at + Math.min(length, CGROUP_BYTES))).toString('latin1');
  }
}

// Who holds reported sockets: pid, user and short name as the kernel told them, and the process they turned out to be.

import { u32le } from '../../../net/bytes.ts';
import { sanitizeBytes } from '../../../net/text.ts';
import type { Directory } from '../directory.ts';
import type { ProcessFacts } from '../process-facts.ts';
import { REPORT } from './ebpf/socket-programs.ts';
import type { ExecWatch } from './exec-watch.ts';
import type { Proc } from './procfs/proc.ts';
import { readProcess } from './procfs/process.ts';

/** How long a process that is gone may still be told of by the exec worker, ms. */
const PATIENCE_MS = 250;
/**
 * Owners kept, those met last. Sockets that were reported refer to them by number: of these fewer are kept, so that a owner is there for
 * as long as one of its sockets is.
 */
const MOST = 98_304;
const COMM_LENGTH = 15;

/** Instead of a process: a thread of the kernel's, as that of an NFS mount, which is no process. */
export const KERNEL_THREAD = -2;
/** The parent of all kernel threads. */
const KTHREADD = 2;

/** One owner. */
interface SocketOwner {
  readonly key: string;
  readonly pid: number;
  readonly uid: number;
  /** Of the thread that made the socket: not always the program's. */
  readonly comm: string;
  readonly isThread: boolean;
  process: number;
  startTime: number | null;
  /** What the exec watch knew of its pid when the process was learnt. */
  begun: ProcessFacts | undefined;
  /** Monotonic ms by which it is settled with what is known. */
  deadline: number;
}

/** Owners by number, beginning at 1; none is used again. */
export class SocketOwners {
  readonly #directory: Directory;
  readonly #proc: Proc;
  readonly #watch: ExecWatch | null;
  readonly #most: number;
  /** The one met longest ago first. */
  readonly #owners = new Map<number, SocketOwner>();
  readonly #byKey = new Map<string, number>();
  #end = 1;
  /** Marks of the owner that was met last, as its report had them: most reports in a row are of one process. */
  readonly #lastMarks = new Uint8Array(REPORT.WAY - REPORT.OWNER);
  #last = 0;

  /** @param watch null where exec events can't be had. @param most fewer in tests */
  constructor(directory: Directory, proc: Proc, watch: ExecWatch | null, most = MOST) {
    this.#most = most;
    this.#directory = directory;
    this.#proc = proc;
    this.#watch = watch;
  }

  /** Number of the owner that a report names. @param at where the report lies in `bytes` @param now monotonic ms */
  ofReport(bytes: Uint8Array, at: number, now: number): number {
    const from = at + REPORT.OWNER;
    const marks = this.#lastMarks;
    let same = 0;
    while (same < marks.length && bytes[from + same] === marks[same]) same++;
    if (same === marks.length) {
      const owner = this.#owners.get(this.#last);
      if (owner !== undefined && !this.#isOther(owner)) return this.#last; // met last: it is in its place
    }
    const comm = sanitizeBytes(bytes, at + REPORT.COMM, at + REPORT.COMM + 16);
    this.#last = this.intern(u32le(bytes, from + 4), u32le(bytes, from), u32le(bytes, at + REPORT.IDS), comm, now);
    for (let i = 0; i < marks.length; i++) marks[i] = bytes[from + i] as number;
    return this.#last;
  }

  /** Number of the owner with these marks; a pid that began anew since is another one. */
  intern(pid: number, tid: number, uid: number, comm: string, now: number): number {
    const key = `${pid} ${uid} ${comm}`;
    const known = this.#byKey.get(key);
    const owner = known === undefined ? undefined : this.#owners.get(known);
    if (known !== undefined && owner !== undefined && !this.#isOther(owner)) {
      this.#owners.delete(known);
      this.#owners.set(known, owner);
      return known;
    }
    if (this.#owners.size >= this.#most) this.#dropOldest();
    const number = this.#end++;
    const isThread = tid !== pid;
    const deadline = now + PATIENCE_MS;
    this.#owners.set(number, { key, pid, uid, comm, isThread, process: -1, startTime: null, begun: undefined, deadline });
    this.#byKey.set(key, number);
    return number;
  }

  /** True while a owner's process can be told, now or later. */
  has(number: number): boolean {
    return this.#owners.has(number);
  }

  /** Process of a owner, or KERNEL_THREAD; -1 while it is still being found out, and where the owner is not kept any more. @param now monotonic ms */
  process(number: number, now: number): number {
    const owner = this.#owners.get(number);
    if (owner === undefined) return -1;
    // The directory forgets processes that no flow has: asked for again, one is learnt again.
    if (owner.process >= 0 && this.#directory.process(owner.process) !== undefined) return owner.process;
    const late = now >= owner.deadline;
    const facts = this.#facts(owner, late) ?? (late ? bare(owner) : null);
    if (facts === null) return -1;
    if (facts.exe === null && (facts.pid === KTHREADD || facts.parentPid === KTHREADD)) return KERNEL_THREAD;
    owner.startTime = facts.startTime;
    owner.begun = this.#watch?.facts(owner.pid);
    owner.process = this.#directory.learn(facts.uid === null ? { ...facts, uid: owner.uid } : facts);
    return owner.process;
  }

  /** A quarter, so that it is done seldom. */
  #dropOldest(): void {
    let left = Math.ceil(this.#most / 4);
    for (const [number, { key }] of this.#owners) {
      if (left-- === 0) break;
      this.#owners.delete(number);
      if (this.#byKey.get(key) === number) this.#byKey.delete(key);
    }
  }

  /**
   * The living process, or what was read when it began; when both are there and differ, the one of that name. One that is gone may have
   * changed its image since what we know, or be called otherwise than its executable: `late` is when waiting has told which.
   */
  #facts(owner: SocketOwner, late: boolean): ProcessFacts | null {
    const begun = this.#watch?.facts(owner.pid) ?? null;
    const living = readProcess(this.#proc, owner.pid);
    if (living !== null && living.exe !== null) {
      const same = begun === null || begun.startTime === null || begun.startTime === living.startTime;
      return !same && fits(begun, owner) && !fits(living, owner) ? begun : living;
    }
    // Gone, or a zombie, which has no executable any more; a kernel thread has none either.
    if (begun !== null && (late || fits(begun, owner))) return begun.exe === null ? { ...begun, name: owner.comm } : begun;
    return late ? living : null;
  }

  /** True when the pid began anew, or became another program by exec, since the owner's process was learnt. */
  #isOther(owner: SocketOwner): boolean {
    const begun = this.#watch?.facts(owner.pid);
    if (begun === undefined || begun === owner.begun || owner.startTime === null || begun.startTime === null) return false;
    if (begun.startTime !== owner.startTime) return true;
    // A socket that outlives an exec keeps the short name that its maker had.
    return begun.exe !== null && begun.exe !== this.#directory.process(owner.process)?.exe;
  }
}

/** What the kernel's report alone tells. */
function bare({ pid, comm, uid }: SocketOwner): ProcessFacts {
  return { pid, name: comm, exe: null, uid, parentPid: null, startTime: null, script: null, unit: null };
}

/** A thread may be called anything; a program's first thread has its name, cut at 15 bytes. */
function fits(facts: ProcessFacts, owner: SocketOwner): boolean {
  return (
    owner.isThread ||
    facts.name.slice(0, COMM_LENGTH) === owner.comm ||
    facts.script?.slice(0, COMM_LENGTH) === owner.comm ||
    facts.exe === null
  );
}

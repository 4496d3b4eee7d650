// Owners of reported sockets: pid, user and short name from the kernel's report, and the process that they resolve to.

import { LRUCache } from 'lru-cache';
import { u32le } from '../../../net/bytes.ts';
import { sanitizeBytes } from '../../../net/text.ts';
import type { CommandTree } from '../command-tree.ts';
import type { Directory } from '../directory.ts';
import type { ProcessFacts } from '../process-facts.ts';
import { REPORT } from './ebpf/socket-programs.ts';
import type { ExecWatch } from './exec-watch.ts';
import type { Proc } from './procfs/proc.ts';
import { readProcess } from './procfs/process.ts';

/** How long to wait for the exec worker's facts about a process that is gone, ms. */
const PATIENCE_MS = 250;
/**
 * Most owners kept, evicting the least recently seen. Reported sockets refer to owners by number. We keep fewer sockets than owners, so an
 * owner outlives its sockets.
 */
const MAX_OWNERS = 98_304;
const COMM_LENGTH = 15;
/** Most pids whose process is remembered for their other threads, and for how long, ms. */
const MAX_RESOLVED = 4096;
const SAME_PROCESS_MS = 10_000;

/** In place of a process: a kernel thread, such as an NFS mount's. */
export const KERNEL_THREAD = -2;
/** The parent of all kernel threads. */
const KTHREADD = 2;

/** One owner. */
interface SocketOwner {
  readonly key: string;
  readonly pid: number;
  readonly uid: number;
  /** Name of the process's main thread; on kernels that refuse to tell it, of the thread that created the socket, which may be any. */
  readonly comm: string;
  readonly isThread: boolean;
  /** Its process is in the cgroup of the run's command. */
  readonly isMember: boolean;
  process: number;
  startTime: number | null;
  /** What the exec watch knew about the pid when the process was resolved. */
  begun: ProcessFacts | undefined;
  /** Monotonic ms from which the owner resolves with whatever is known. */
  deadline: number;
}

/** Owners by number. Numbers start at 1 and are never reused. */
export class SocketOwners {
  readonly #directory: Directory;
  readonly #proc: Proc;
  readonly #watch: ExecWatch | null;
  readonly #tree: Pick<CommandTree, 'marked'> | null;
  readonly #capacity: number;
  /** Least recently seen first. */
  readonly #owners = new Map<number, SocketOwner>();
  readonly #byKey = new Map<string, number>();
  /** By pid: what an owner with it resolved to last, and when. */
  readonly #resolved = new LRUCache<number, { readonly process: number; readonly at: number }>({ max: MAX_RESOLVED });
  #end = 1;
  /** The last report's owner bytes: consecutive reports mostly come from one process. */
  readonly #lastMarks = new Uint8Array(REPORT.DIRECTION - REPORT.OWNER);
  #last = 0;
  #lastIsMember = false;

  /** @param watch null without exec events @param tree hears of processes in its cgroup; null without one @param capacity smaller in tests */
  constructor(
    directory: Directory,
    proc: Proc,
    watch: ExecWatch | null,
    tree: Pick<CommandTree, 'marked'> | null = null,
    capacity = MAX_OWNERS,
  ) {
    this.#tree = tree;
    this.#capacity = capacity;
    this.#directory = directory;
    this.#proc = proc;
    this.#watch = watch;
  }

  /** Number of the owner that a report names. @param at offset of the report in `bytes` @param now monotonic ms */
  ofReport(bytes: Uint8Array, at: number, now: number): number {
    const from = at + REPORT.OWNER;
    const marks = this.#lastMarks;
    let same = 0;
    while (same < marks.length && bytes[from + same] === marks[same]) same++;
    const isMember = bytes[at + REPORT.MEMBER] === 1;
    if (same === marks.length && isMember === this.#lastIsMember) {
      const owner = this.#owners.get(this.#last);
      if (owner !== undefined && !this.#isOther(owner)) return this.#last; // already the most recent
    }
    const comm = sanitizeBytes(bytes, at + REPORT.COMM, at + REPORT.COMM + 16);
    this.#last = this.intern(u32le(bytes, from + 4), u32le(bytes, from), u32le(bytes, at + REPORT.IDS), comm, now, isMember);
    this.#lastIsMember = isMember;
    for (let i = 0; i < marks.length; i++) marks[i] = bytes[from + i] as number;
    return this.#last;
  }

  /** Number of the owner with this pid, user and name. If the pid was reused or called exec since, that is a new owner. */
  intern(pid: number, tid: number, uid: number, comm: string, now: number, isMember = false): number {
    const key = `${pid} ${uid} ${isMember} ${comm}`;
    const known = this.#byKey.get(key);
    const owner = known === undefined ? undefined : this.#owners.get(known);
    if (known !== undefined && owner !== undefined && !this.#isOther(owner)) {
      this.#owners.delete(known);
      this.#owners.set(known, owner);
      return known;
    }
    if (this.#owners.size >= this.#capacity) this.#dropOldest();
    const number = this.#end++;
    const isThread = tid !== pid;
    const deadline = now + PATIENCE_MS;
    this.#owners.set(number, {
      key,
      pid,
      uid,
      comm,
      isThread,
      isMember,
      process: -1,
      startTime: null,
      begun: undefined,
      deadline,
    });
    this.#byKey.set(key, number);
    return number;
  }

  /** Whether the owner is still kept, so its process is known or may be later. */
  has(number: number): boolean {
    return this.#owners.has(number);
  }

  /** Process of an owner, or KERNEL_THREAD; -1 while it is unresolved, or if the owner was evicted. @param now monotonic ms */
  process(number: number, now: number): number {
    const owner = this.#owners.get(number);
    if (owner === undefined) return -1;
    // The directory forgets processes without flows, so we may have to add this one again.
    if (owner.process >= 0 && this.#directory.process(owner.process) !== undefined) return owner.process;
    const late = now >= owner.deadline;
    const facts = this.#facts(owner, late);
    if (facts === null && !late) return -1;
    const sibling = facts === null && owner.isThread ? this.#processOf(owner.pid, now) : -1;
    if (sibling >= 0) return this.#own(owner, sibling);
    return this.#resolve(owner, facts ?? bare(owner), now);
  }

  /** Gives an owner its process. @returns that, or KERNEL_THREAD */
  #resolve(owner: SocketOwner, facts: ProcessFacts, now: number): number {
    if (facts.exe === null && (facts.pid === KTHREADD || facts.parentPid === KTHREADD)) return KERNEL_THREAD;
    owner.startTime = facts.startTime;
    owner.begun = this.#watch?.facts(owner.pid);
    const process = this.#directory.learn(facts.uid === null ? { ...facts, uid: owner.uid } : facts);
    this.#resolved.set(owner.pid, { process, at: now });
    return this.#own(owner, process);
  }

  #own(owner: SocketOwner, process: number): number {
    owner.process = process;
    if (owner.isMember) this.#tree?.marked(process);
    return process;
  }

  /** The process that another thread of this pid resolved to just before; -1 if none. Much later the pid may be another process's. */
  #processOf(pid: number, now: number): number {
    const resolved = this.#resolved.get(pid);
    if (resolved === undefined || now - resolved.at > SAME_PROCESS_MS) return -1;
    return this.#directory.process(resolved.process) === undefined ? -1 : resolved.process;
  }

  /** Drops a quarter at once, to do it rarely. */
  #dropOldest(): void {
    let left = Math.ceil(this.#capacity / 4);
    for (const [number, { key }] of this.#owners) {
      if (left-- === 0) break;
      this.#owners.delete(number);
      if (this.#byKey.get(key) === number) this.#byKey.delete(key);
    }
  }

  /**
   * Facts from the living process, or those read when it started. If both exist and differ, the one with the owner's name wins. A process that
   * is gone may have called exec since, or have a name unlike its executable; `late` says that we waited long enough to accept that.
   */
  #facts(owner: SocketOwner, late: boolean): ProcessFacts | null {
    const begun = this.#watch?.facts(owner.pid) ?? null;
    const living = readProcess(this.#proc, owner.pid);
    if (living !== null && living.exe !== null) {
      const same = begun === null || begun.startTime === null || begun.startTime === living.startTime;
      return !same && fits(begun, owner) && !fits(living, owner) ? begun : living;
    }
    // It is gone, a zombie (which has no executable left), or a kernel thread (which never had one).
    if (begun !== null && (late || fits(begun, owner)))
      return begun.exe === null ? { ...begun, name: nameOf(owner, begun) } : begun;
    return late ? living : null;
  }

  /** Whether the pid was reused, or became another program through exec, since the owner's process was resolved. */
  #isOther(owner: SocketOwner): boolean {
    const begun = this.#watch?.facts(owner.pid);
    if (begun === undefined || begun === owner.begun || owner.startTime === null || begun.startTime === null) return false;
    if (begun.startTime !== owner.startTime) return true;
    // A socket that outlives an exec keeps its creator's short name.
    return begun.exe !== null && begun.exe !== this.#directory.process(owner.process)?.exe;
  }
}

/** Name of a program whose executable is unknown. A thread's own name says nothing about the program: BIND calls those of `dig` isc-net-0000. */
function nameOf(owner: SocketOwner, begun: ProcessFacts): string {
  return owner.isThread && begun.name !== '' ? begun.name : owner.comm;
}

/** Facts from the kernel's report alone. */
function bare({ pid, comm, uid }: SocketOwner): ProcessFacts {
  return { pid, name: comm, exe: null, uid, parentPid: null, startTime: null, script: null, unit: null };
}

/** Whether the name matches. A program's main thread has its name, cut at 15 bytes; other threads may have any name. */
function fits(facts: ProcessFacts, owner: SocketOwner): boolean {
  return (
    owner.isThread ||
    facts.name.slice(0, COMM_LENGTH) === owner.comm ||
    facts.script?.slice(0, COMM_LENGTH) === owner.comm ||
    facts.exe === null
  );
}

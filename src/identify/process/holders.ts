// Who holds reported sockets: pid, user and short name as the kernel told them, and the process they turned out to be.

import type { Directory } from './directory.ts';
import type { ExecWatch } from './exec-watch.ts';
import { readProcess } from './proc-process.ts';
import type { ProcessFacts } from './process-facts.ts';

/** How long a process that is gone may still be told of by the exec worker, ms. */
const PATIENCE_MS = 250;
const MOST = 16_384;
const COMM_LENGTH = 15;

/** One holder. */
interface Holder {
  readonly pid: number;
  readonly uid: number;
  /** Of the thread that made the socket: not always the program's. */
  readonly comm: string;
  readonly isThread: boolean;
  process: number;
  startTime: number | null;
  /** Monotonic ms by which it is settled with what is known. */
  deadline: number;
}

/** Holders by dense number, beginning at 1. */
export class Holders {
  readonly #directory: Directory;
  readonly #proc: string;
  readonly #watch: ExecWatch | null;
  readonly #holders: Holder[] = [];
  #byKey = new Map<string, number>();

  /** @param watch null where exec events can't be had */
  constructor(directory: Directory, proc: string, watch: ExecWatch | null) {
    this.#directory = directory;
    this.#proc = proc;
    this.#watch = watch;
  }

  /** Number of the holder with these marks; a pid that began anew since is another one. */
  intern(pid: number, tid: number, uid: number, comm: string, now: number): number {
    const key = `${pid} ${uid} ${comm}`;
    const known = this.#byKey.get(key);
    if (known !== undefined && !this.#isOther(this.#holders[known - 1] as Holder)) return known;
    // Numbers stay valid for as long as flows may ask; only the index is forgotten.
    if (this.#byKey.size >= MOST) this.#byKey = new Map();
    const number = this.#holders.push({
      pid,
      uid,
      comm,
      isThread: tid !== pid,
      process: -1,
      startTime: null,
      deadline: now + PATIENCE_MS,
    });
    this.#byKey.set(key, number);
    return number;
  }

  /** Process of a holder; -1 while it is still being found out. @param now monotonic ms */
  process(number: number, now: number): number {
    const holder = this.#holders[number - 1] as Holder;
    if (holder.process >= 0) return holder.process;
    const late = now >= holder.deadline;
    const facts = this.#facts(holder, late) ?? (late ? bare(holder) : null);
    if (facts === null) return -1;
    holder.startTime = facts.startTime;
    holder.process = this.#directory.learn(facts.uid === null ? { ...facts, uid: holder.uid } : facts);
    return holder.process;
  }

  /**
   * The living process, or what was read when it began; when both are there and differ, the one of that name. One that is gone may have
   * changed its image since what we know, or be called otherwise than its executable: `late` is when waiting has told which.
   */
  #facts(holder: Holder, late: boolean): ProcessFacts | null {
    const begun = this.#watch?.facts(holder.pid) ?? null;
    const living = readProcess(this.#proc, holder.pid);
    if (living !== null && living.exe !== null) {
      const same = begun === null || begun.startTime === null || begun.startTime === living.startTime;
      return !same && fits(begun, holder) && !fits(living, holder) ? begun : living;
    }
    // Gone, or a zombie, which has no executable any more; a kernel thread has none either.
    if (begun !== null && (late || fits(begun, holder))) return begun.exe === null ? { ...begun, name: holder.comm } : begun;
    return late ? living : null;
  }

  #isOther(holder: Holder): boolean {
    const begun = this.#watch?.facts(holder.pid);
    return begun !== undefined && holder.startTime !== null && begun.startTime !== null && begun.startTime !== holder.startTime;
  }
}

/** What the kernel's report alone tells. */
function bare({ pid, comm, uid }: Holder): ProcessFacts {
  return { pid, name: comm, exe: null, uid, parentPid: null, startTime: null, script: null, unit: null };
}

/** A thread may be called anything; a program's first thread has its name, cut at 15 bytes. */
function fits(facts: ProcessFacts, holder: Holder): boolean {
  return (
    holder.isThread ||
    facts.name.slice(0, COMM_LENGTH) === holder.comm ||
    facts.script?.slice(0, COMM_LENGTH) === holder.comm ||
    facts.exe === null
  );
}

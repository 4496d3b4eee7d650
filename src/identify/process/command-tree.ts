// The processes of a command that the program runs, or of a session that it follows: itself and all that it started, also those that left it. A process belongs to the tree from
// birth: whoever adopts it later, whatever it becomes, and whichever user, session or namespace it moves to. Where the command has a cgroup of its
// own, the kernel says it of each socket; who was moved out of it is known by birth.

import type { ReceiptProcess } from '../../model/receipt.ts';
import type { Process } from '../../model/terms.ts';

/** Most processes whose membership is remembered; of more, the oldest are known by their ancestors alone. */
const MOST = 131_072;

/** A process of the tree, by what is known of its start: epoch ms, to the second; null if unknown. */
type Start = number | null;

/** A cgroup whose sockets the kernel's reports mark. */
export interface CgroupMark {
  readonly id: bigint;
  /** Cgroups above it, with which those below it are told; null if unknown. */
  readonly level: number | null;
}

/** Knows who belongs to the command. */
export class CommandTree {
  /** The newest process with a pid, if it is of the tree. */
  readonly #living = new Map<number, Start>();
  /** All of the tree, by pid, the newest last. */
  readonly #members = new Map<number, Start[]>();
  /** Others that got a pid of the tree. */
  readonly #strangers = new Map<number, Start>();
  /** Numbers of the processes that the kernel's reports marked, the newest last. */
  readonly #marked = new Set<number>();
  /** The command's cgroup; null if it has none. */
  readonly mark: CgroupMark | null;
  /** Processes that began, the command among them. */
  begun = 0;
  /** Whether the kernel tells of each process as it begins: set by whoever hears it. */
  isTold = false;
  /** Whether the kernel's reports mark the sockets of the cgroup: set by whoever reads them. */
  isMarked = false;

  constructor(mark: CgroupMark | null = null) {
    this.mark = mark;
  }

  /** The command itself, or a process that a followed session has already. */
  begin(pid: number, start: Start = null): void {
    if (!this.#knows(pid, start)) this.#add(pid, start);
  }

  /** A process began. @param start epoch ms, to the second; null if unknown */
  born(pid: number, parent: number, start: Start): void {
    if (this.#living.has(parent)) this.#add(pid, start);
    else {
      this.#living.delete(pid); // the pid is another process's now
      if (this.#members.has(pid)) this.#strangers.set(pid, start);
    }
  }

  /** The kernel's report of a socket said that its process is in the cgroup. @param process its number */
  marked(process: number): void {
    this.#marked.add(process);
    if (this.#marked.size <= MOST) return;
    for (const oldest of this.#marked) {
      this.#marked.delete(oldest);
      return;
    }
  }

  /** How it is known that a process is of the tree; null if it isn't. */
  membership({
    id,
    pid,
    startedAt,
    ancestors,
  }: Pick<Process, 'id' | 'pid' | 'startedAt' | 'ancestors'>): ReceiptProcess['membership'] | null {
    if (this.#marked.has(id)) return 'cgroup';
    // Of two that had the pid within a second only those above them tell which this is.
    const isEither = this.#strangers.has(pid) && isSame(this.#strangers.get(pid) ?? null, startedAt);
    const isBorn = !isEither && this.#knows(pid, startedAt);
    return isBorn || ancestors.some((above) => this.#knows(above.pid, above.startedAt)) ? 'lineage' : null;
  }

  /** Whether the newest process with this pid is of the tree. */
  hasPid(pid: number): boolean {
    return this.#living.has(pid);
  }

  /** Pids of which the newest process is of the tree; it may have ended. */
  get pids(): Iterable<number> {
    return this.#living.keys();
  }

  #knows(pid: number, startedAt: Start): boolean {
    return this.#members.get(pid)?.some((start) => isSame(start, startedAt)) ?? false;
  }

  #add(pid: number, start: Start): void {
    this.begun++;
    this.#living.set(pid, start);
    const starts = this.#members.get(pid) ?? [];
    this.#members.delete(pid);
    this.#members.set(pid, [...starts, start]);
    if (this.#members.size <= MOST) return;
    for (const oldest of this.#members.keys()) {
      this.#members.delete(oldest);
      this.#living.delete(oldest);
      this.#strangers.delete(oldest);
      return;
    }
  }
}

/** Two clocks may round the start to neighbouring seconds. */
function isSame(a: Start, b: Start): boolean {
  return a === null || b === null || Math.abs(a - b) <= 1000;
}

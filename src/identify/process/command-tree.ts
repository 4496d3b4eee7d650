// The processes of a command that the program runs: itself and all that it started, also those that left it. A process belongs to the tree from
// birth: whoever adopts it later, whatever it becomes, and whichever user, session or namespace it moves to.

import type { Process } from '../../model/terms.ts';

/** Most processes whose membership is remembered; of more, the oldest are known by their ancestors alone. */
const MOST = 131_072;

/** A process of the tree, by what is known of its start: epoch ms, to the second; null if unknown. */
type Start = number | null;

/** Knows who belongs to the command. */
export class CommandTree {
  /** The newest process with a pid, if it is of the tree. */
  readonly #living = new Map<number, Start>();
  /** All of the tree, by pid, the newest last. */
  readonly #members = new Map<number, Start[]>();
  /** Processes that began, the command among them. */
  begun = 0;
  /** Whether the kernel tells of each process as it begins: set by whoever hears it. */
  isTold = false;

  /** The command itself. */
  begin(pid: number): void {
    this.#add(pid, null);
  }

  /** A process began. @param start epoch ms, to the second; null if unknown */
  born(pid: number, parent: number, start: Start): void {
    if (this.#living.has(parent)) this.#add(pid, start);
    else this.#living.delete(pid); // the pid is another process's now
  }

  /** Whether a process is of the tree. */
  has({ pid, startedAt, ancestors }: Pick<Process, 'pid' | 'startedAt' | 'ancestors'>): boolean {
    if (this.#knows(pid, startedAt)) return true;
    return ancestors.some((above) => this.#knows(above.pid, above.startedAt));
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
      return;
    }
  }
}

/** Two clocks may round the start to neighbouring seconds. */
function isSame(a: Start, b: Start): boolean {
  return a === null || b === null || Math.abs(a - b) <= 1000;
}

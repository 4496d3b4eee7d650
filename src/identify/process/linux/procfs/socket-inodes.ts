// Which process holds a socket: /proc/PID/fd walked a few milliseconds at a time, likely owners first. Synchronous reads, bounded
// turns: also within a process, which may hold thousands.

import { readdirSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { linkOf, type Proc } from './proc.ts';

const MAX_SOCKETS = 65_536;
const MAX_HOT = 64;
/** Newest processes that a short walk asks, besides those that held sockets before. */
const NEWEST = 32;
/** Descriptors read between two looks at the clock: some 0.1 ms. */
const AT_ONCE = 32;
/** A process may have half a million descriptors, which take more than a second to read. */
const HELD_MS = 100;
/** PROC_PID_INIT_INO (include/linux/proc_ns.h). */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';

/**
 * Finds the owners of socket inodes. `want` what is sought, then `step` until it returns true; `owner` answers.
 *
 * Every socket met on the way is remembered. A process that was forked or passed a socket also holds it: the first holder met is told,
 * and recent owners are asked first.
 */
export class SocketInodes {
  readonly #proc: Proc;
  /** Bounded by size, each counting 1: lru-cache fills its columns for `max` entries at once, 1.5 MiB that stay empty on most machines. */
  readonly #owners = new LRUCache<number, number>({ maxSize: MAX_SOCKETS, sizeCalculation: () => 1 });
  readonly #wanted = new Set<number>();
  readonly #hot: number[] = [];
  #queue: number[] = [];
  #next = 0;
  #walking = false;
  /** The walk's list has every process of the machine. */
  #listsAll = false;
  /** The process that is being asked, and what of its sockets was not looked at yet. */
  #asked: { readonly pid: number; readonly sockets: Iterator<number> } | null = null;
  /** Processes whose descriptors may not be read, in the last whole walk. */
  hidden = 0;
  /** The last whole walk asked every process of the machine: a socket that it didn't find is the kernel's own. */
  sawAll = false;

  constructor(proc: Proc) {
    this.#proc = proc;
  }

  get walking(): boolean {
    return this.#walking;
  }

  owner(inode: number): number | undefined {
    return this.#owners.get(inode);
  }

  /** What was known of a socket turned out to be past: its process is gone, but another may hold it. */
  forget(inode: number): void {
    this.#owners.delete(inode);
  }

  want(inode: number): void {
    this.#wanted.add(inode);
  }

  /** Sockets that the process holds now, none when it is gone; null when it may not be asked, or has more descriptors than there is time for. */
  heldBy(pid: number): Set<number> | null {
    const held = new Set<number>();
    const until = performance.now() + HELD_MS;
    try {
      for (const inode of this.#proc.sockets(pid)) {
        if (inode !== 0) held.add(inode);
        if (performance.now() >= until) return null;
      }
      return held;
    } catch (thrown) {
      return (thrown as NodeJS.ErrnoException).code === 'EACCES' ? null : held;
    }
  }

  /**
   * Walks for at most `budgetMs`.
   *
   * @param isShort asks, of a walk that begins, only those that held sockets before, and the newest
   * @returns true when all that is wanted is found or every process was asked
   */
  step(budgetMs: number, isShort = false): boolean {
    const until = performance.now() + budgetMs;
    if (!this.#walking) this.#begin(isShort);
    while (this.#wanted.size > 0) {
      if (this.#asked === null) {
        const pid = this.#queue[this.#next++];
        if (pid === undefined) break;
        this.#asked = { pid, sockets: this.#proc.sockets(pid)[Symbol.iterator]() };
      }
      if (this.#look(this.#asked)) this.#asked = null;
      if (performance.now() >= until) break;
    }
    if (this.#wanted.size > 0 && (this.#asked !== null || this.#next < this.#queue.length)) return false;
    this.sawAll = this.#listsAll && this.hidden === 0;
    this.#walking = false;
    this.#asked = null;
    this.#wanted.clear();
    return true;
  }

  #begin(isShort: boolean): void {
    this.#walking = true;
    this.#asked = null;
    this.hidden = 0;
    this.sawAll = false;
    this.#next = 0;
    let names: string[];
    try {
      names = readdirSync(this.#proc.path);
    } catch {
      names = [];
    }
    // From within a container, or where procfs hides other users' processes, the first of all is another or is missing.
    this.#listsAll = !isShort && names.includes('1') && linkOf(`${this.#proc.path}/self/ns/pid`) === FIRST_PID_NAMESPACE;
    const hot = new Set(this.#hot);
    // Newest first: a flow that is new belongs to a process that is new more often than not.
    const others = names.filter((name) => name.charCodeAt(0) <= 0x39 && name.charCodeAt(0) >= 0x31).map(Number);
    others.sort((a, b) => b - a);
    const cold = others.filter((pid) => !hot.has(pid));
    this.#queue = [...this.#hot, ...(isShort ? cold.slice(0, NEWEST) : cold)];
  }

  /** Looks at some descriptors of a process. @returns whether there are no more of use */
  #look({ pid, sockets }: { readonly pid: number; readonly sockets: Iterator<number> }): boolean {
    try {
      for (let left = AT_ONCE; left > 0; left--) {
        const { value: inode, done } = sockets.next();
        if (done === true) return true;
        if (this.#wanted.delete(inode)) {
          this.#owners.set(inode, pid);
          this.#heat(pid);
        } else if (inode !== 0 && !this.#owners.has(inode)) this.#owners.set(inode, pid);
      }
      return false;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EACCES') this.hidden++;
      return true;
    }
  }

  #heat(pid: number): void {
    if (this.#hot[0] === pid) return;
    const at = this.#hot.indexOf(pid);
    if (at >= 0) this.#hot.splice(at, 1);
    this.#hot.unshift(pid);
    if (this.#hot.length > MAX_HOT) this.#hot.pop();
  }
}

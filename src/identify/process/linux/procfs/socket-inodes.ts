// Finds which process holds a socket by walking /proc/PID/fd, likely owners first. It reads synchronously for a few milliseconds at a time
// and may pause inside a process, which may hold thousands of descriptors.

import { readdirSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { linkOf, type Proc } from './proc.ts';

const MAX_SOCKETS = 65_536;
const MAX_HOT = 64;
/** Newest processes that a short walk visits, besides those that held sockets before. */
const NEWEST = 32;
/** Descriptors read between two looks at the clock: about 0.1 ms. */
const AT_ONCE = 32;
/** Longest `heldBy`: half a million descriptors would take more than a second. */
const HELD_MS = 100;
/** PROC_PID_INIT_INO (include/linux/proc_ns.h). */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';

/**
 * Finds the owners of socket inodes. Call `want` for each inode, then `step` until it returns true, then `owner`.
 *
 * It remembers every socket that it passes. Several processes may hold a socket after a fork or a transfer: the first one found counts as the
 * owner. Processes that owned sockets recently are visited first.
 */
export class SocketInodes {
  readonly #proc: Proc;
  /** Bounded by `maxSize` with entries of size 1: with `max`, lru-cache would allocate 1.5 MiB at once, mostly unused. */
  readonly #owners = new LRUCache<number, number>({ maxSize: MAX_SOCKETS, sizeCalculation: () => 1 });
  readonly #wanted = new Set<number>();
  readonly #hot: number[] = [];
  #queue: number[] = [];
  #next = 0;
  #walking = false;
  /** The walk's list contains every process of the machine. */
  #listsAll = false;
  /** The process being read, and its remaining sockets. */
  #current: { readonly pid: number; readonly sockets: Iterator<number> } | null = null;
  /** Processes whose descriptors the last whole walk was not allowed to read. */
  hidden = 0;
  /** The last whole walk read every process of the machine, so a socket that it didn't find is the kernel's own. */
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

  /** Forgets an owner that is gone. Another process may hold the socket now. */
  forget(inode: number): void {
    this.#owners.delete(inode);
  }

  want(inode: number): void {
    this.#wanted.add(inode);
  }

  /** Sockets that the process holds now; none if it is gone; null if access is denied or reading them all takes too long. */
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
   * @param isShort if this call starts a walk, visit only processes that held sockets before, and the newest
   * @returns true once everything wanted is found or every process was visited
   */
  step(budgetMs: number, isShort = false): boolean {
    const until = performance.now() + budgetMs;
    if (!this.#walking) this.#begin(isShort);
    while (this.#wanted.size > 0) {
      if (this.#current === null) {
        const pid = this.#queue[this.#next++];
        if (pid === undefined) break;
        this.#current = { pid, sockets: this.#proc.sockets(pid)[Symbol.iterator]() };
      }
      if (this.#look(this.#current)) this.#current = null;
      if (performance.now() >= until) break;
    }
    if (this.#wanted.size > 0 && (this.#current !== null || this.#next < this.#queue.length)) return false;
    this.sawAll = this.#listsAll && this.hidden === 0;
    this.#walking = false;
    this.#current = null;
    this.#wanted.clear();
    return true;
  }

  #begin(isShort: boolean): void {
    this.#walking = true;
    this.#current = null;
    this.hidden = 0;
    this.sawAll = false;
    this.#next = 0;
    let names: string[];
    try {
      names = readdirSync(this.#proc.path);
    } catch {
      names = [];
    }
    // In a container pid 1 is a different process; with hidepid it is missing.
    this.#listsAll = !isShort && names.includes('1') && linkOf(`${this.#proc.path}/self/ns/pid`) === FIRST_PID_NAMESPACE;
    const hot = new Set(this.#hot);
    // Newest first: a new flow usually belongs to a new process.
    const others = names.filter((name) => name.charCodeAt(0) <= 0x39 && name.charCodeAt(0) >= 0x31).map(Number);
    others.sort((a, b) => b - a);
    const cold = others.filter((pid) => !hot.has(pid));
    this.#queue = [...this.#hot, ...(isShort ? cold.slice(0, NEWEST) : cold)];
  }

  /** Reads some descriptors of a process. @returns whether it is done with the process */
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

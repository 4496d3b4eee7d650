// Which process holds a socket: /proc/PID/fd walked a few milliseconds at a time, likely owners first. Synchronous reads, bounded turns.

import { readdirSync, readlinkSync } from 'node:fs';
import { LRUCache } from 'lru-cache';

const MOST_SOCKETS = 65_536;
const MOST_HOT = 64;

/**
 * Finds the owners of socket inodes. `want` what is sought, then `step` until it returns true; `owner` answers.
 *
 * Every socket met on the way is remembered. A process that was forked or passed a socket also holds it: the first holder met is told,
 * and recent owners are asked first.
 */
export class SocketInodes {
  readonly #proc: string;
  /** Bounded by size, each counting 1: lru-cache fills its columns for `max` entries at once, 1.5 MiB that stay empty on most machines. */
  readonly #owners = new LRUCache<number, number>({ maxSize: MOST_SOCKETS, sizeCalculation: () => 1 });
  readonly #wanted = new Set<number>();
  readonly #hot: number[] = [];
  #queue: number[] = [];
  #next = 0;
  #walking = false;
  /** Processes whose descriptors may not be read, in the last whole walk. */
  hidden = 0;

  /** @param proc `/proc` */
  constructor(proc: string) {
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

  /** Sockets that the process holds now, none when it is gone; null when it may not be asked. */
  heldBy(pid: number): Set<number> | null {
    const held = new Set<number>();
    try {
      for (const inode of this.#sockets(pid)) held.add(inode);
      return held;
    } catch (thrown) {
      return (thrown as NodeJS.ErrnoException).code === 'EACCES' ? null : held;
    }
  }

  /** Walks for at most `budgetMs`. @returns true when all that is wanted is found or every process was asked */
  step(budgetMs: number): boolean {
    const until = performance.now() + budgetMs;
    if (!this.#walking) this.#begin();
    while (this.#next < this.#queue.length && this.#wanted.size > 0) {
      this.#look(this.#queue[this.#next++] as number);
      if (performance.now() >= until) break;
    }
    if (this.#next < this.#queue.length && this.#wanted.size > 0) return false;
    this.#walking = false;
    this.#wanted.clear();
    return true;
  }

  #begin(): void {
    this.#walking = true;
    this.hidden = 0;
    this.#next = 0;
    let names: string[];
    try {
      names = readdirSync(this.#proc);
    } catch {
      names = [];
    }
    const hot = new Set(this.#hot);
    // Newest first: a flow that is new belongs to a process that is new more often than not.
    const others = names.filter((name) => name.charCodeAt(0) <= 0x39 && name.charCodeAt(0) >= 0x31).map(Number);
    others.sort((a, b) => b - a);
    this.#queue = [...this.#hot, ...others.filter((pid) => !hot.has(pid))];
  }

  #look(pid: number): void {
    try {
      for (const inode of this.#sockets(pid)) {
        if (this.#wanted.delete(inode)) {
          this.#owners.set(inode, pid);
          this.#heat(pid);
        } else if (!this.#owners.has(inode)) this.#owners.set(inode, pid);
      }
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EACCES') this.hidden++;
    }
  }

  /** Throws where the process is gone or may not be asked. */
  *#sockets(pid: number): Generator<number> {
    const folder = `${this.#proc}/${pid}/fd`;
    for (const name of readdirSync(folder)) {
      const link = linkOf(`${folder}/${name}`);
      if (link.startsWith('socket:[')) yield Number(link.slice(8, -1));
    }
  }

  #heat(pid: number): void {
    const at = this.#hot.indexOf(pid);
    if (at >= 0) this.#hot.splice(at, 1);
    this.#hot.unshift(pid);
    if (this.#hot.length > MOST_HOT) this.#hot.pop();
  }
}

/** Where a descriptor leads; empty when it was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

// Network namespaces of other processes (containers, ip netns): one process of each, through which its socket tables can be read.

import { readdirSync, readlinkSync } from 'node:fs';

/** Most namespaces that are looked into. */
const MOST = 64;
const REFRESH_MS = 10_000;
/** Most processes whose namespace is asked for in one refresh. */
const MOST_PROCESSES = 32_768;

/** Folders of socket tables outside our own namespace; listed anew every ten seconds at the most, and only when asked. */
export class NetNamespaces {
  readonly #proc: string;
  #folders: readonly string[] = [];
  #nextRefresh = Number.NEGATIVE_INFINITY;

  /** @param proc `/proc` */
  constructor(proc: string) {
    this.#proc = proc;
  }

  /** `/proc/PID/net` of one process of each other namespace. @param now monotonic ms */
  folders(now: number): readonly string[] {
    if (now >= this.#nextRefresh) {
      this.#folders = this.#list();
      this.#nextRefresh = now + REFRESH_MS;
    }
    return this.#folders;
  }

  #list(): string[] {
    const own = this.#namespace('self');
    const seen = new Set([own]);
    const folders: string[] = [];
    let names: string[];
    try {
      names = readdirSync(this.#proc);
    } catch {
      return folders;
    }
    for (const pid of names.filter((name) => /^\d+$/.test(name)).slice(0, MOST_PROCESSES)) {
      const namespace = this.#namespace(pid);
      if (namespace === '' || seen.has(namespace)) continue;
      seen.add(namespace);
      folders.push(`${this.#proc}/${pid}/net`);
      if (folders.length >= MOST) break;
    }
    return folders;
  }

  #namespace(pid: string): string {
    try {
      return readlinkSync(`${this.#proc}/${pid}/ns/net`);
    } catch {
      return ''; // gone, or another user's and we are not root
    }
  }
}

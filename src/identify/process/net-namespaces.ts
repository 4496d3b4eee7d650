// Network namespaces of other processes (containers, ip netns): one process of each, through which its socket tables can be read.

import { readdirSync } from 'node:fs';
import { linkOf, type Proc } from './proc.ts';

/** Most namespaces that are looked into. */
const MOST = 64;
const REFRESH_MS = 10_000;
/** Most processes whose namespace is asked for in one refresh. */
const MOST_PROCESSES = 32_768;

/** Folders of socket tables outside our own namespace; listed anew every ten seconds at the most, and only when asked. */
export class NetNamespaces {
  readonly #proc: Proc;
  #folders: readonly string[] = [];
  #nextRefresh = Number.NEGATIVE_INFINITY;

  constructor(proc: Proc) {
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
    const own = linkOf(`${this.#proc.path}/self/ns/net`);
    const seen = new Set([own]);
    const folders: string[] = [];
    let names: string[];
    try {
      names = readdirSync(this.#proc.path);
    } catch {
      return folders;
    }
    for (const pid of names.filter((name) => /^\d+$/.test(name)).slice(0, MOST_PROCESSES)) {
      const namespace = this.#proc.namespace(Number(pid));
      if (namespace === '' || seen.has(namespace)) continue;
      seen.add(namespace);
      folders.push(`${this.#proc.path}/${pid}/net`);
      if (folders.length >= MOST) break;
    }
    return folders;
  }
}

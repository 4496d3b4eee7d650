// What /proc tells of a process beyond its identity, read once when the process is met: its command line and its ancestors. Anybody may read
// both, unless /proc hides other users' processes (hidepid); then they are unknown.

import { readFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import type { Ancestor } from '../../../../model/terms.ts';
import { sanitize } from '../../../../net/text.ts';
import { argumentsOf } from '../../arguments.ts';
import { commandLine } from '../../command-line.ts';
import type { ProcessDetails } from '../../directory.ts';

/** Most ancestors of a process, the nearest. */
const MAX_ANCESTORS = 6;
/** Parents whose ancestors are remembered, and for how long: a shell starts many programs. */
const REMEMBERED = 256;
const REMEMBER_MS = 2000;

/** Reads details of live processes. */
export class ProcfsDetails implements ProcessDetails {
  readonly #path: string;
  readonly #ancestors = new LRUCache<number, readonly Ancestor[]>({ max: REMEMBERED, ttl: REMEMBER_MS });

  /** @param path `/proc` */
  constructor(path: string) {
    this.#path = path;
  }

  command(pid: number, startTime: number | null): string | null {
    const stat = this.#stat(pid);
    if (stat === null || startTime === null || stat.startTime !== startTime) return null; // gone, or its pid is another's
    return commandLine(argumentsOf(`${this.#path}/${pid}`));
  }

  ancestors(parent: number): readonly Ancestor[] {
    const known = this.#ancestors.get(parent);
    if (known !== undefined) return known;
    const found: Ancestor[] = [];
    for (let pid = parent; pid > 0 && found.length < MAX_ANCESTORS; ) {
      const stat = this.#stat(pid);
      if (stat === null) break;
      found.unshift({ pid, name: stat.name });
      pid = stat.parent;
    }
    this.#ancestors.set(parent, found);
    return found;
  }

  #stat(pid: number): { readonly name: string; readonly parent: number; readonly startTime: number } | null {
    try {
      const text = readFileSync(`${this.#path}/${pid}/stat`, 'utf8');
      const close = text.lastIndexOf(')');
      const fields = text.slice(close + 2).split(' ');
      const name = sanitize(text.slice(text.indexOf('(') + 1, close));
      return { name, parent: Number(fields[1] ?? 0), startTime: Number(fields[19] ?? 0) };
    } catch {
      return null;
    }
  }
}

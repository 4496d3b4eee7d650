// The rights of each thread of a process, as /proc tells them.

import { readdirSync, readFileSync } from 'node:fs';
import { namesOf } from '../../src/privilege/capabilities.ts';

/** One thread (proc_pid_status(5)). */
export interface ThreadRights {
  readonly tid: number;
  /** Real, effective, saved and file-system user. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly groups: readonly number[];
  readonly permitted: readonly string[];
  readonly effective: readonly string[];
  readonly inheritable: readonly string[];
  readonly ambient: readonly string[];
  readonly bounding: readonly string[];
  readonly noNewPrivs: boolean;
  /** 2 is a filter. */
  readonly seccomp: number;
}

/** All threads, the main one first; those that end meanwhile are left out. @param except threads that are not asked */
export function threadRights(pid: number, except: readonly string[] = []): ThreadRights[] {
  const tids = readdirSync(`/proc/${pid}/task`).filter((tid) => !except.includes(tid));
  return tids
    .map(Number)
    .sort((a, b) => a - b)
    .flatMap((tid) => {
      const text = statusOf(pid, tid);
      if (text === null) return [];
      const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
      const numbers = (name: string) =>
        field(name)
          .split(/\s+/)
          .filter((word) => word !== '')
          .map(Number);
      const set = (name: string) => namesOf(BigInt(`0x${field(name)}`));
      return {
        tid,
        uids: numbers('Uid'),
        gids: numbers('Gid'),
        groups: numbers('Groups'),
        permitted: set('CapPrm'),
        effective: set('CapEff'),
        inheritable: set('CapInh'),
        ambient: set('CapAmb'),
        bounding: set('CapBnd'),
        noNewPrivs: field('NoNewPrivs') === '1',
        seccomp: Number(field('Seccomp')),
      };
    });
}

function statusOf(pid: number, tid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8');
  } catch {
    return null;
  }
}

// The environment of the user's command: the one that the user had when calling sudo, not the one that sudo made of it.

import { closeSync, openSync, readSync } from 'node:fs';
import { procAt } from '../identify/process/linux/procfs/proc.ts';
import { readProcess } from '../identify/process/linux/procfs/process.ts';
import { accountHome, type Identity } from '../system/accounts.ts';
import type { Edges } from '../system/edges.ts';
import { readSystemFile } from '../system/small-file.ts';

/** Most bytes of an environment; execve takes 2 MiB with the arguments. */
const MOST_BYTES = 1 << 20;
/** How far above this process sudo may be: it may have a child that watches the terminal. */
const MOST_STEPS = 4;

/**
 * Variables for a command, `NAME=value` as bytes, one a character.
 *
 * Under sudo on Linux they are those that sudo was called with; elsewhere sudo's own, with the user's home and name put right.
 *
 * @param user whom the command becomes; null if it stays what this process is
 */
export function commandEnvironment(edges: Edges, user: Pick<Identity, 'name' | 'by'> | null): string[] {
  const own = Object.entries(process.env).map(([name, value = '']) => Buffer.from(`${name}=${value}`, 'utf8').toString('latin1'));
  if (user === null) return own;
  const called = user.by === 'sudo' && edges.platform === 'linux' ? calledWith(edges) : null;
  if (called !== null) return called;
  const passwd = readSystemFile(edges.paths.passwd, 1 << 20) ?? '';
  const home = accountHome(passwd, user.name) ?? (edges.platform === 'darwin' ? `/Users/${user.name}` : null);
  const corrected = new Map([['USER', user.name], ['LOGNAME', user.name], ...(home === null ? [] : [['HOME', home] as const])]);
  const kept = own.filter((each) => {
    const name = each.slice(0, each.indexOf('='));
    return !name.startsWith('SUDO_') && !corrected.has(name);
  });
  return [...kept, ...[...corrected].map(([name, value]) => `${name}=${value}`)];
}

/** What sudo was called with; null if no sudo is above this process, or it may not be read. */
function calledWith({ paths }: Edges): string[] | null {
  const proc = procAt(paths.proc);
  let pid = process.ppid;
  let found: number | null = null;
  for (let step = 0; step < MOST_STEPS && pid > 1; step++) {
    const facts = readProcess(proc, pid);
    if (facts === null || facts.name !== 'sudo') break;
    found = pid; // the one that was called is the topmost
    pid = facts.parentPid ?? 0;
  }
  return found === null ? null : environmentOf(`${paths.proc}/${found}/environ`);
}

function environmentOf(path: string): string[] | null {
  const bytes = Buffer.alloc(MOST_BYTES);
  let length = 0;
  try {
    const file = openSync(path, 'r');
    try {
      for (let got = -1; got !== 0 && length < bytes.length; length += got)
        got = readSync(file, bytes, length, bytes.length - length, null);
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
  const variables = bytes.toString('latin1', 0, length).split('\0');
  return variables.filter((each) => each.includes('='));
}

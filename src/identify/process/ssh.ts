// Whether whoever sits at the terminal came over SSH: by the environment, and where sudo cleared that, by an SSH server among the ancestors.

import type { Edges } from '../../system/edges.ts';
import { procAt } from './linux/procfs/proc.ts';
import { readProcess } from './linux/procfs/process.ts';
import { PS_ARGUMENTS, parsePs } from './macos/ps.ts';

/** sudo drops all of these. */
const VARIABLES = ['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY'];
/** OpenSSH's server and its session, also where it changed its title, and dropbear. */
const SERVERS = /^(?:sshd|dropbear)\b/;
const PS_LIMITS = { timeoutMs: 2000, maxBytes: 16 << 20 };
const MAX_ANCESTORS = 64;

/** True if the environment says that this process was started over SSH. */
export function saysSsh(env: NodeJS.ProcessEnv): boolean {
  return VARIABLES.some((name) => env[name] !== undefined);
}

/** Whether a process was started over SSH. Takes a run of ps on a Mac. Never rejects: what can't be known is no. */
export async function isOverSsh(edges: Edges, env: NodeJS.ProcessEnv, pid: number = process.pid): Promise<boolean> {
  if (saysSsh(env)) return true;
  try {
    const parentOf = edges.platform === 'linux' ? linuxParents(edges) : await macParents(edges);
    let at = parentOf(pid);
    for (let step = 0; at !== null && step < MAX_ANCESTORS; step++) {
      if (SERVERS.test(at.name)) return true;
      at = at.parentPid === null ? null : parentOf(at.parentPid);
    }
  } catch {
    // no ps, no /proc
  }
  return false;
}

type Lookup = (pid: number) => { readonly name: string; readonly parentPid: number | null } | null;

function linuxParents({ paths }: Edges): Lookup {
  const proc = procAt(paths.proc);
  return (pid) => (pid > 1 ? readProcess(proc, pid) : null);
}

async function macParents(edges: Edges): Promise<Lookup> {
  const { stdout } = await edges.run(edges.paths.ps, PS_ARGUMENTS, PS_LIMITS);
  const known = new Map(parsePs(stdout).map((record) => [record.pid, record]));
  return (pid) => {
    const record = known.get(pid);
    return record === undefined ? null : { name: record.name, parentPid: record.ppid === pid ? null : record.ppid };
  };
}

// Opens the source of listening sockets that this system has.

import type { Edges } from '../../../system/edges.ts';
import type { ContainerSource, Users } from '../directory.ts';
import type { Proc } from '../linux/procfs/proc.ts';
import { StartClock } from '../start-clock.ts';
import { type KernelListening, LinuxListening } from './linux.ts';
import { LinuxListeningSource } from './linux-source.ts';
import { Listeners } from './listeners.ts';
import { LsofListeningSource } from './lsof-source.ts';

/** What the sources need. */
interface ListeningParts {
  readonly users: Users;
  /** Knows containers by name; null leaves their ids. */
  readonly containers: ContainerSource | null;
  /** How to read /proc on Linux. */
  readonly proc: Proc;
  /** Path of a process's executable on a Mac; null if unknown. */
  readonly pathOf: (pid: number) => string | null;
  /** Linux: the kernel's own list; null where koffi has no build, or the kernel lacks sock_diag. */
  readonly kernel: KernelListening | null;
  /** Longest search for processes in one turn; Infinity to find all at once. */
  readonly walkMs?: number;
}

/** Opens the listeners of this machine. */
export function openListeners(edges: Edges, { users, containers, proc, pathOf, kernel, walkMs }: ListeningParts): Listeners {
  if (edges.platform === 'darwin') return new Listeners(new LsofListeningSource(edges, pathOf), users, null);
  const source = new LinuxListeningSource(proc, new LinuxListening(proc, kernel), walkMs);
  return new Listeners(source, users, new StartClock(edges.paths.proc), containers);
}

// What needs koffi to tell owners on Linux: eBPF, and questions for single sockets. It has a library for most machines, but not for all.

import { reasonOf } from '../errors.ts';
import type { ExecWatch } from '../identify/process/exec-watch.ts';
import type { SingleSockets } from '../identify/process/procfs-tables.ts';

/** The functions that open it, or why there are none. */
export const ebpf = await import('../identify/process/ebpf/open.ts').catch((thrown: unknown) => ({
  missing: `koffi could not be loaded: ${reasonOf(thrown)}`,
}));

const query = await import('../identify/process/socket-query.ts').catch(() => null);
const watching = await import('../identify/process/exec-watch.ts').catch(() => null);

/** The thread that hears of new processes and reads what takes rights in /proc; null where it can't be had. */
export function watchExecs(proc: string): ExecWatch | null {
  try {
    return watching === null ? null : new watching.ExecWatch(proc);
  } catch {
    return null;
  }
}

/** Asks the kernel for single sockets; null where it can't be asked: tables tell, too. */
export function socketQuery(): SingleSockets | null {
  try {
    return query === null ? null : new query.SocketQuery();
  } catch {
    return null;
  }
}

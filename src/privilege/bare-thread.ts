// Drops the rights of a thread that works only on the files of a history. On Linux a thread begins with the capabilities of the thread that
// started it; it gives these up, then fences itself in the folder of the history.

import { readFileSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { becomeOwner, type Owner } from '../system/as-owner.ts';

/** What such a thread works on. */
interface ThreadWork {
  /** Path of the history. */
  readonly path: string;
  readonly mayWrite: boolean;
  /** Owner of the files if the process stays root and writes them for a user; else null. */
  readonly owner: Owner;
}

/**
 * Gives up all capabilities of the calling thread. A process that stays root keeps them, for root owns too much anyway; for another user it writes
 * with that user's rights over files. Load all that the thread runs before: its own code may lie where only root may read.
 *
 * @returns rejects if they could not be given up: then the thread must not go on
 */
export async function dropThreadRights({ path, mayWrite, owner }: ThreadWork): Promise<void> {
  if (owner !== null) becomeOwner(owner, dirname(path));
  if (process.platform !== 'linux') return;
  if (process.geteuid?.() !== 0 && holdsAny()) {
    const { loadLibcCalls } = await import('./libc-calls.ts');
    if (!loadLibcCalls('linux').setCapabilities(0n, 0n)) throw new Error('a thread could not give its capabilities up');
  }
  await fenceIn(path, mayWrite);
}

/** A second defence: where it can't be had, the first holds. */
async function fenceIn(path: string, mayWrite: boolean): Promise<void> {
  try {
    const folders = new Set([dirname(path), dirname(realOf(path))]); // a history that is read may be a link
    const { fence } = await import('./landlock.ts');
    fence([...folders].map((folder) => ({ path: folder, mayWrite })));
  } catch {
    // no koffi for this machine, or no folder
  }
}

/** Where a path leads; itself where nothing is there yet. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Whether it has any; so it seems where that can't be read. */
function holdsAny(): boolean {
  try {
    return !/^CapPrm:\s*0+$/m.test(readFileSync('/proc/thread-self/status', 'latin1'));
  } catch {
    return true;
  }
}

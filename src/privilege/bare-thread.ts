// Drops the rights of a thread that works only on files of a few folders. On Linux a thread inherits its creator's capabilities. This gives them
// up, then confines the thread to those folders.

import { readFileSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { becomeOwner, type Owner } from '../system/as-owner.ts';

/** What the thread works on. */
interface ThreadWork {
  /** Path of the history file. */
  readonly path: string;
  readonly mayWrite: boolean;
  /** Owner of the files if the process stays root and writes for a user; else null. */
  readonly owner: Owner;
}

/**
 * Drops all capabilities of the calling thread. A process that stays root keeps them, since root owns so much anyway; if it writes for another user,
 * it uses that user's file rights. Load all code that the thread needs first, because later it may be unable to read it.
 *
 * Rejects if the capabilities can't be dropped; the thread must then not continue.
 */
export async function dropThreadRights({ path, mayWrite, owner }: ThreadWork): Promise<void> {
  if (owner !== null) becomeOwner(owner, dirname(path));
  await dropCapabilities();
  await fenceIn([dirname(path), dirname(realOf(path))], mayWrite); // the path may be a symbolic link
}

/** As `dropThreadRights`, for a thread that only reads, in these folders. */
export async function dropToReading(folders: readonly string[]): Promise<void> {
  await dropCapabilities();
  await fenceIn(folders, false);
}

async function dropCapabilities(): Promise<void> {
  if (process.platform !== 'linux' || process.geteuid?.() === 0 || !holdsAny()) return;
  const { loadLibcCalls } = await import('./libc-calls.ts');
  if (!loadLibcCalls('linux').setCapabilities(0n, 0n)) throw new Error('a thread could not drop its capabilities');
}

/** Adds Landlock as a second defence. Without it the dropped capabilities must suffice. */
async function fenceIn(folders: readonly string[], mayWrite: boolean): Promise<void> {
  if (process.platform !== 'linux') return;
  try {
    const { fence } = await import('./landlock.ts');
    fence([...new Set(folders)].map((path) => ({ path, mayWrite })));
  } catch {
    // koffi has no build for this machine, or a folder doesn't exist
  }
}

/** Resolves links in a path; returns it unchanged if nothing is there yet. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Whether the thread has any capabilities; true if that is unreadable. */
function holdsAny(): boolean {
  try {
    return !/^CapPrm:\s*0+$/m.test(readFileSync('/proc/thread-self/status', 'latin1'));
  } catch {
    return true;
  }
}

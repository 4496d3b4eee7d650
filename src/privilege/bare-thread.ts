// For a thread that works on the files of a history alone. On Linux it begins with what the thread that started it has left, and gives that up
// as its first act; then it fences itself in the history's folder.

import { readFileSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { becomeOwner, type Owner } from '../system/as-owner.ts';

/** What such a thread is told. */
interface Work {
  /** Path of the history. */
  readonly path: string;
  readonly mayWrite: boolean;
  /** Whose the files are where the process stays root and writes them. */
  readonly owner: Owner;
}

/** This module, as a thread is told of it. */
export function bareThread(path: string, mayWrite: boolean, owner: Owner = null): string {
  const work: Work = { path, mayWrite, owner };
  return `${new URL('./bare-thread.js', import.meta.url).href}?${new URLSearchParams({ work: JSON.stringify(work) })}`;
}

/**
 * Gives up all capabilities of the calling thread. A process that stays root keeps them, as its user alone may do everything; what it writes
 * for another user it writes with his rights over files.
 *
 * @returns rejects where they could not be given up
 */
export async function giveUp(): Promise<void> {
  const { path, mayWrite, owner } = JSON.parse(new URL(import.meta.url).searchParams.get('work') ?? '') as Work;
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

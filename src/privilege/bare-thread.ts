// For a thread that needs no rights at all: on Linux it begins with what the thread that started it has left, and gives that up as its first act.

import { readFileSync } from 'node:fs';
import { becomeOwner, type Owner } from './as-owner.ts';

/** This module for a thread that writes files for their owner, where the process stays root. */
export function ownersThread(owner: Owner, folder: string): string {
  return owner === null ? BARE_THREAD : `${BARE_THREAD}?${new URLSearchParams({ owner: JSON.stringify(owner), folder })}`;
}

/** This module, as a thread is told of it. */
export const BARE_THREAD: string = new URL('./bare-thread.js', import.meta.url).href;

/**
 * Gives up all capabilities of the calling thread. A process that stays root keeps them, as its user alone may do everything; what it writes
 * for another user it writes with his rights over files.
 *
 * @returns rejects where they could not be given up
 */
export async function giveUp(): Promise<void> {
  const { searchParams } = new URL(import.meta.url);
  const owner = searchParams.get('owner');
  if (owner !== null) becomeOwner(JSON.parse(owner) as Owner, searchParams.get('folder') ?? '/');
  if (process.platform !== 'linux' || process.geteuid?.() === 0 || !holdsAny()) return;
  const { loadLibcCalls } = await import('./libc-calls.ts');
  if (!loadLibcCalls('linux').setCapabilities(0n, 0n)) throw new Error('a thread could not give its capabilities up');
}

/** Whether it has any; so it seems where that can't be read. */
function holdsAny(): boolean {
  try {
    return !/^CapPrm:\s*0+$/m.test(readFileSync('/proc/thread-self/status', 'latin1'));
  } catch {
    return true;
  }
}

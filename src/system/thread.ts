// Starts threads, and limits the memory that V8 reserves. By default it reserves much for short-lived objects, of which we make few.

import { setFlagsFromString } from 'node:v8';
import { isMainThread, Worker, type WorkerOptions } from 'node:worker_threads';
import { type Role, threadEntry } from './own-files.ts';

/**
 * Keeps V8's new space at its initial size (twice 1 MiB), and makes V8 collect the old space once it has grown by 60 %.
 *
 * V8 would double the new space after a burst, up to twice 16 MiB, and shrink it only when idle, which a moving screen never is (measured: 30 of 90
 * MiB). It would let the old space quadruple: 100 to 149 MiB resident at 400 new flows a second, now 98 to 114 for a tenth more CPU time.
 */
export function keepHeapSmall(): void {
  for (const flag of ['--semi-space-growth-factor=1', '--heap-growing-percent=60']) setFlagsFromString(flag);
}

/** Lets the new space grow after all: many machines make a screen's worth of rows a second each, and collecting those took half of the CPU time. */
export function letNewSpaceGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}

/** Starts a thread. @param role or, in tests that run from source, a file. Each new isolate makes V8 reset the first flag (Heap::ConfigureHeap, heap.cc), so we set it again. */
export function startThread(role: Role | URL, options: WorkerOptions): Worker {
  leaveRemovedFolder();
  const entry = role instanceof URL ? role : threadEntry(role);
  const worker = new Worker(entry, { ...options, eval: typeof entry === 'string' });
  worker.once('online', keepHeapSmall);
  return worker;
}

/**
 * Leaves a removed working folder. A starting thread reads it and would fail. By then all paths are absolute.
 *
 * `process.cwd()` is cached until the folder changes, hence the chdir to itself.
 */
function leaveRemovedFolder(): void {
  if (!isMainThread) return;
  try {
    process.chdir('.');
    process.cwd();
  } catch {
    process.chdir('/');
  }
}

// Threads of the program, and what V8 keeps of memory for them: it holds much for objects that are made and thrown away, which we hardly make.

import { setFlagsFromString } from 'node:v8';
import { isMainThread, Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Keeps the space for new objects as large as it begins (1 MiB twice), and has V8 clear up the other when it is 60 % larger than it was.
 *
 * V8 doubles the first after a burst, to 16 MiB twice, and keeps that until nothing goes on at all, which on a screen that moves never comes
 * (measured: 30 of 90 MiB). It lets the second become four times as large: between 100 and 149 MiB resident with 400 new flows a
 * second, now between 98 and 114 for a tenth more of processor time.
 */
export function keepHeapSmall(): void {
  for (const flag of ['--semi-space-growth-factor=1', '--heap-growing-percent=60']) setFlagsFromString(flag);
}

/** Begins a thread. For each that it makes V8 sets the first of these back (Heap::ConfigureHeap, heap.cc), so it is set again. */
export function startThread(script: URL, options: WorkerOptions): Worker {
  leaveRemovedFolder();
  const worker = new Worker(script, options);
  worker.once('online', keepHeapSmall);
  return worker;
}

/**
 * Node's threads ask for the working folder when they begin, and fail where it was removed. What is named by then is absolute.
 *
 * `process.cwd()` answers from memory until the folder changes, so it is changed to itself first.
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

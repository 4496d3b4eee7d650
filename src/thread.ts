// Threads of the program, and what V8 keeps of memory for them: it holds much for objects that are made and thrown away, which we hardly make.

import { setFlagsFromString } from 'node:v8';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Keeps the space for new objects as large as it begins (1 MiB twice). V8 doubles it after a burst, to 16 MiB twice, and keeps that until
 * nothing goes on at all, which on a screen that moves never comes (measured: 30 of 90 MiB).
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Begins a thread. For each that it makes V8 sets that factor back (Heap::ConfigureHeap, heap.cc), so it is set again. */
export function startThread(script: URL, options: WorkerOptions): Worker {
  const worker = new Worker(script, options);
  worker.once('online', keepHeapSmall);
  return worker;
}

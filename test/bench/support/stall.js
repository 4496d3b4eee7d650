// How long the main thread can't answer, and why: because it works, or because the kernel lets other threads run first.

import { closeSync, openSync, readSync } from 'node:fs';

/** Between two looks, ms; a timer is no finer. */
const EVERY_MS = 1;

/**
 * Watches the thread that calls it.
 *
 * @returns {() => { longest: number, own: number }} ends it: the longest time between two looks, ms, and the longest without what the kernel
 * let the thread wait for a processor; where the kernel does not say (schedstat), both are the same
 */
export function watchStall() {
  const waitedMs = waiting();
  let longest = 0;
  let own = 0;
  let last = performance.now();
  let lastWaited = waitedMs.now();
  let timer = setTimeout(look, EVERY_MS);
  function look() {
    const gap = performance.now() - last - EVERY_MS;
    const waited = waitedMs.now() - lastWaited;
    longest = Math.max(longest, gap);
    own = Math.max(own, gap - waited);
    lastWaited = waitedMs.now();
    last = performance.now();
    timer = setTimeout(look, EVERY_MS);
  }
  return () => {
    clearTimeout(timer);
    waitedMs.close();
    return { longest, own };
  };
}

/** Time that this thread could have run and had no processor, ms: the second number of schedstat, ns. */
function waiting() {
  let file;
  try {
    file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  } catch {
    return { now: () => 0, close: () => {} };
  }
  const text = Buffer.alloc(80);
  return {
    now: () => Number(text.latin1Slice(0, readSync(file, text, 0, text.length, 0)).split(' ')[1]) / 1e6,
    close: () => closeSync(file),
  };
}

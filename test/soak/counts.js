// Loaded before the program in a live soak: says every two seconds, on descriptor 3, what only the process itself can count.

import { writeSync } from 'node:fs';

setInterval(() => {
  const listeners = [process, process.stdout, process.stderr].reduce(
    (sum, each) => sum + each.eventNames().reduce((count, name) => count + each.listenerCount(name), 0),
    0,
  );
  const handles = process.getActiveResourcesInfo().filter((name) => !/Immediate/.test(name)).length;
  const { heapUsed, external } = process.memoryUsage();
  try {
    writeSync(3, `${JSON.stringify({ listeners, handles, heap: heapUsed + external })}\n`);
  } catch {
    // whoever listened is gone
  }
}, 2000).unref();

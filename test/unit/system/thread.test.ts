import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { keepHeapSmall, startThread } from '../../../src/system/thread.ts';

const MB = 1e6;
/** On request, makes 60 MB of objects that live for a while, and reports the size of the young generation. */
const BURST = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    import { getHeapSpaceStatistics } from 'node:v8';
    parentPort.once('message', () => {
      let kept = [];
      for (let i = 0; i < 1_000_000; i++) {
        kept.push({ i });
        if (kept.length > 60_000) kept = [];
      }
      parentPort.postMessage(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size);
    });
  `)}`,
);

describe('a thread', () => {
  it('keeps the size of its young generation', async () => {
    keepHeapSmall();
    const worker = startThread(BURST, {});
    await once(worker, 'online');
    worker.postMessage('go');
    const [size] = await once(worker, 'message');
    expect(size).toBeLessThan(5 * MB); // without it 33 MB
  });
});

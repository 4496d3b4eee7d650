import { getHeapStatistics } from 'node:v8';
import { expect, it } from 'vitest';
import { collectGarbage } from '../../../../src/history/query/reader-thread.ts';

const MB = 1e6;

it('collects garbage before V8 would', () => {
  let kept: object[] | null = Array.from({ length: 500_000 }, (_, i) => ({ i, text: [i] }));
  const full = getHeapStatistics().used_heap_size;
  expect(kept.length).toBe(500_000);
  kept = null;
  collectGarbage();
  expect(full - getHeapStatistics().used_heap_size).toBeGreaterThan(20 * MB);
});

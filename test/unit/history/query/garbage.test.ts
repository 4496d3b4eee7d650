import { getHeapStatistics } from 'node:v8';
import { expect, it } from 'vitest';
import { clearUp } from '../../../../src/history/query/reader-service.ts';

const MB = 1e6;

it('gives back what was made and is no longer needed', () => {
  let kept: object[] | null = Array.from({ length: 500_000 }, (_, i) => ({ i, text: [i] }));
  const full = getHeapStatistics().used_heap_size;
  expect(kept.length).toBe(500_000);
  kept = null;
  clearUp();
  expect(full - getHeapStatistics().used_heap_size).toBeGreaterThan(20 * MB);
});

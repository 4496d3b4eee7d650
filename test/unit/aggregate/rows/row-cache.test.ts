// Remembered rows: those shown stay, and however many are met, what is kept has a bound.

import { describe, expect, it } from 'vitest';
import { RowCache } from '../../../../src/aggregate/rows/entity-rows.ts';

describe('RowCache', () => {
  it('keeps what is shown and lets go of what is not', () => {
    const cache = new RowCache<string>();
    cache.set(0, 'shown');
    for (let tick = 0; tick < 1000; tick++) {
      for (let i = 1; i < 10; i++) cache.set(tick * 10 + i, 'once');
      const shown = [0, ...Array.from({ length: 9 }, (_, i) => tick * 10 + i + 1)];
      cache.retain(shown);
      expect(cache.size).toBeLessThanOrEqual(2 * shown.length + 64);
      expect(shown.every((id) => cache.get(id) !== undefined)).toBe(true);
    }
    expect(cache.get(1)).toBeUndefined();
    cache.delete(0);
    expect(cache.get(0)).toBeUndefined();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectTop } from '../../../src/aggregate/top.ts';

describe('selectTop', () => {
  it('agrees with a sort', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.nat(12), (keys, limit) => {
        const candidates = keys.map((_, i) => i);
        const key = (i: number) => keys[i] as number;
        const top = selectTop(candidates, limit, key);
        const sorted = [...candidates].sort((a, b) => key(b) - key(a)).slice(0, limit);
        expect(top.map(key)).toEqual(sorted.map(key));
        expect(new Set(top).size).toBe(top.length);
      }),
    );
  });

  it('puts equals in the order of their numbers', () => {
    expect(selectTop([3, 1, 2], 3, () => 7)).toEqual([1, 2, 3]);
  });
});

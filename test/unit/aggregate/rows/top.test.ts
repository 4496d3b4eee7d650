import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Top } from '../../../../src/aggregate/rows/selection.ts';

describe('Top', () => {
  it('agrees with a sort, equals in the order of their numbers, also when it is used again', () => {
    const top = new Top();
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.nat(12), (keys, limit) => {
        const ids = keys.map((_, i) => i);
        top.begin(limit);
        for (const id of ids) top.offer(id, keys[id] as number);
        const sorted = ids.sort((a, b) => (keys[b] as number) - (keys[a] as number) || a - b).slice(0, limit);
        expect(top.take()).toEqual(sorted);
        expect(top.take()).toEqual([]);
      }),
    );
  });

  it('takes equals in any order', () => {
    const top = new Top();
    top.begin(2);
    for (const id of [3, 1, 2]) top.offer(id, 7);
    expect(top.take()).toEqual([1, 2]);
  });
});

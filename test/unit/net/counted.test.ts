// Counts in prose.

import { expect, test } from 'vitest';
import { counted } from '../../../src/net/counted.ts';

test('one is singular, everything else plural, and digits stand in groups', () => {
  const flows = [0, 1, 2, 12_345].map((count) => counted(count, 'flow'));
  expect(flows).toEqual(['0 flows', '1 flow', '2 flows', '12 345 flows']);
  expect([1, 2].map((count) => counted(count, 'process', 'processes'))).toEqual(['1 process', '2 processes']);
});

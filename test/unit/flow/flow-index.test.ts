// The flow index, filled to the last row that it allows before it grows.

import { describe, expect, it } from 'vitest';
import { FlowIndex } from '../../../src/flow/flow-index.ts';
import { INTS, PORTS, PROTOCOL_INTERFACE, REMOTE } from '../../../src/flow/layout.ts';

const ROWS = 1 << 16;
const PROTOCOL = 6;

/** Spreads the rows, so that slots collide as those of real flows do. */
function hashOf(row: number): number {
  return Math.imul(row + 1, 0x9e3779b1);
}

function arena(): Int32Array {
  const ints = new Int32Array(ROWS * INTS);
  for (let row = 0; row < ROWS; row++) {
    ints[row * INTS + REMOTE + 3] = row;
    ints[row * INTS + PORTS] = 1;
    ints[row * INTS + PROTOCOL_INTERFACE] = PROTOCOL;
  }
  return ints;
}

describe('FlowIndex', () => {
  it('takes a power of two of flows into twice as many places, and finds each', () => {
    const index = new FlowIndex(arena());
    for (let row = 0; row < ROWS - 1; row++) index.insert(hashOf(row), row);
    const before = process.memoryUsage().arrayBuffers;
    index.insert(hashOf(ROWS - 1), ROWS - 1);
    expect(process.memoryUsage().arrayBuffers).toBeLessThanOrEqual(before);

    const words = new Int32Array(8);
    for (let row = 0; row < ROWS; row++) {
      words[7] = row;
      expect(index.find(words, 0, 1, PROTOCOL, hashOf(row))).toBe(row);
    }
    words[7] = ROWS;
    expect(index.find(words, 0, 1, PROTOCOL, hashOf(ROWS))).toBe(-1);
  });
});

// A small share of the fuzz job, and every case that ever broke something. `npm run fuzz` runs ten million and more.

import { describe, expect, test } from 'vitest';
import { campaign, keptCases } from '../support/fuzz/campaign.ts';
import { textTargets } from '../support/fuzz/text-targets.ts';
import { wireTargets } from '../support/fuzz/wire-targets.ts';

const CASES = 1500;

describe.each([...wireTargets(), ...textTargets()])('$name', (target) => {
  test('holds for cases that are made up', () => {
    const broke = campaign(target, CASES, 20_261);
    expect(broke === null ? null : { hex: Buffer.from(broke.bytes).toString('hex'), error: broke.error }).toBeNull();
  });

  test.each(keptCases(target.name))('holds for $name', ({ bytes }) => {
    target.run(bytes, 0, bytes.length);
    target.check?.();
  });
});

test('a target that breaks is told, with the case that broke it', () => {
  const weak = {
    name: 'weak',
    seeds: [Uint8Array.of(1, 2, 3)],
    weight: 1,
    run: (bytes: Uint8Array, from: number, to: number) => {
      if (to - from > 2 && bytes[from + 1] === 0xff) throw new Error('ff');
    },
  };
  const broke = campaign(weak, 10_000, 1);
  expect(broke?.bytes[1]).toBe(0xff);
});

// The cases of `npm run fuzz`, shared out by the targets' weights; it says how many there were in a second, and what memory did.

import { expect, test } from 'vitest';
import { campaign, keep } from '../support/fuzz/campaign.ts';
import { textTargets } from '../support/fuzz/text-targets.ts';
import { wireTargets } from '../support/fuzz/wire-targets.ts';

const CASES = Number(process.env['FUZZ_CASES']);
const SEED = Number(process.env['FUZZ_SEED']);
const ONLY = process.env['FUZZ_ONLY'] ?? '';
/** A case that takes longer hangs, whatever the machine. */
const SLOW_MS = 1000;
/** What may be there after the last half of the cases that was not there before it: by then all tables are full. */
const MOST_GROWTH = 24 << 20;

const targets = [...wireTargets(), ...textTargets()].filter(({ name }) => name.includes(ONLY));
const weights = targets.reduce((sum, { weight }) => sum + weight, 0);

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

console.log(`seed ${SEED}, ${CASES} cases`);
for (const target of targets) {
  const cases = Math.ceil((CASES * target.weight) / weights);
  test(`${target.name}, ${cases} cases`, () => {
    const slow: string[] = [];
    const watch = {
      ms: SLOW_MS,
      tell: (bytes: Uint8Array) => void slow.push(keep({ target: target.name, bytes, error: 'slow' })),
    };
    const began = performance.now();
    const half = Math.ceil(cases / 2);
    let broke = campaign(target, half, SEED, watch);
    const before = heap();
    broke ??= campaign(target, half, SEED + 1, watch);
    const grown = heap() - before;
    const rate = Math.round((cases * 1000) / (performance.now() - began));
    console.log(
      `${target.name.padEnd(14)} ${String(rate).padStart(9)} cases/s   memory ${(grown / 2 ** 20).toFixed(1)} MiB more`,
    );
    if (broke !== null) throw new Error(`${keep(broke)}: ${String(broke.error)}`, { cause: broke.error });
    expect(slow, `cases of more than ${SLOW_MS} ms`).toEqual([]);
    expect(grown, 'memory after the last half').toBeLessThan(MOST_GROWTH);
  });
}

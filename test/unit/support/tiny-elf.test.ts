import { describe, expect, it } from 'vitest';
import { tinyElf } from '../../support/traffic/tiny-elf.ts';

/** A file of the benches, which are not compiled. */
const bench = new URL('../../bench/support/tiny.js', import.meta.url).href;

describe('tinyElf', () => {
  it.each(['x64', 'arm64'] as const)('is what the bench runs, %s', async (architecture) => {
    const { TINY_HEX } = (await import(bench)) as { TINY_HEX: Record<string, string> };
    expect(TINY_HEX[architecture]).toBe(tinyElf(architecture, '192.0.2.2', 9).toString('hex'));
  });
});

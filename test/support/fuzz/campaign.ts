// Runs a target over many cases, and keeps those that broke it.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MAX_BYTES, Mutator } from './mutator.ts';
import type { FuzzTarget } from './target.ts';

/** A case that broke a target. */
export interface Counterexample {
  readonly target: string;
  readonly bytes: Uint8Array;
  readonly error: unknown;
}

const MARGIN = 64;
const CHECK_EVERY = 4096;
const KEPT = fileURLToPath(new URL('../../fuzz/corpus/', import.meta.url));

/**
 * Runs `cases` cases.
 *
 * @param slow told of a case that took longer than this many milliseconds; null where nobody looks at the clock
 * @returns the first case that broke it, null for none
 */
export function campaign(
  target: FuzzTarget,
  cases: number,
  seed: number,
  slow: { readonly ms: number; tell(bytes: Uint8Array): void } | null = null,
): Counterexample | null {
  const mutator = new Mutator(seed);
  const bytes = new Uint8Array(MAX_BYTES + 2 * MARGIN);
  for (let i = 0; i < cases; i++) {
    mutator.make(target.seeds);
    const { length } = mutator;
    bytes.fill(i & 255, 0, MARGIN);
    bytes.set(mutator.bytes.subarray(0, length), MARGIN);
    bytes.fill(i & 255, MARGIN + length, MARGIN + length + MARGIN);
    try {
      if (slow === null) target.run(bytes, MARGIN, MARGIN + length);
      // once more where it was: a busy machine makes one run slow, a hang makes all of them
      else if (timeOf(target, bytes, length) > slow.ms && timeOf(target, bytes, length) > slow.ms)
        slow.tell(bytes.slice(MARGIN, MARGIN + length));
      if (i % CHECK_EVERY === CHECK_EVERY - 1) target.check?.();
    } catch (error) {
      return { target: target.name, bytes: bytes.slice(MARGIN, MARGIN + length), error };
    }
  }
  target.check?.();
  return null;
}

function timeOf(target: FuzzTarget, bytes: Uint8Array, length: number): number {
  const before = performance.now();
  target.run(bytes, MARGIN, MARGIN + length);
  return performance.now() - before;
}

/** Writes a case down so that every later run of the tests begins with it. @returns the path */
export function keep({ target, bytes }: Counterexample): string {
  mkdirSync(`${KEPT}${target}`, { recursive: true });
  const hex = Buffer.from(bytes).toString('hex');
  const path = `${KEPT}${target}/${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.hex`;
  writeFileSync(path, `${hex.replace(/.{1,128}/g, '$&\n')}`);
  return path;
}

/** The cases that once broke a target. */
export function keptCases(target: string): { readonly name: string; readonly bytes: Uint8Array }[] {
  const folder = `${KEPT}${target}`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.hex'))
    .sort()
    .map((name) => ({
      name,
      bytes: Uint8Array.from(Buffer.from(readFileSync(`${folder}/${name}`, 'utf8').replace(/\s/g, ''), 'hex')),
    }));
}

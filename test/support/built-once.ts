// Builds the program once, before all tests that run it: with a build in each file, a slow machine spends minutes on the same files.

import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type BuiltProgram, buildProgram } from './traffic/built-program.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The program under test. No test changes it. */
    readonly program: Pick<BuiltProgram, 'bin' | 'modules'>;
  }
}

/** Vitest's global setup; what it returns ends it. */
export default function setup(project: TestProject): () => void {
  const { bin, modules, close } = buildProgram();
  chmodSync(dirname(dirname(bin)), 0o755); // another user runs it, too
  project.provide('program', { bin, modules });
  return close;
}

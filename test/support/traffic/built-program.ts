// The program built from these sources into a folder of its own, so that a test never runs what was built from others.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = dirname(dirname(dirname(import.meta.dirname)));

/** A build. */
export interface BuiltProgram {
  /** Path of bin/netmon-tui.js. */
  readonly bin: string;
  /** Folder of the compiled modules, for tests that run a few of them. */
  readonly modules: string;
  close(): void;
}

/** Builds, which takes seconds; a live test has a build already, as `inject('program')`. */
export function buildProgram(): BuiltProgram {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'nmt-built-'));
  for (const name of ['bin', 'data', 'themes', 'package.json']) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const modules = join(folder, 'dist');
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', modules], {
    stdio: 'pipe',
  });
  execFileSync(process.execPath, [join(ROOT, 'scripts/bundle.mjs'), folder], { stdio: 'pipe' });
  return {
    bin: join(folder, 'bin/netmon-tui.js'),
    modules,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

// Whole runs over capture files, as `--read FILE --json` does them, with what was written to standard output.

import { expect, vi } from 'vitest';
import { run } from '../../src/app/run.ts';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { loadConfig } from '../../src/cli/config/config.ts';
import { resolveOptions } from '../../src/cli/resolve.ts';
import type { Options } from '../../src/model/options.ts';
import { fakeEdges } from './fake-edges.ts';

/** Options as the command line gives them, where there is no configuration file. */
export async function optionsOf(words: readonly string[]): Promise<Options> {
  const line = parseCommandLine([...words]);
  const files = { folderOwner: () => null, read: () => ({ kind: 'missing' as const }) };
  const config = await loadConfig(line, { platform: 'linux', env: {}, euid: 0, passwd: () => '', files });
  return resolveOptions(line, config);
}

/** A line of the JSON stream. */
export type JsonLine = Record<string, unknown> & { type: string };

/** Runs to the end; what was written to standard output, line by line. */
export async function linesOf(path: string, ...words: string[]): Promise<JsonLine[]> {
  const { status, lines } = await outcomeOf(await optionsOf(['--json', '--read', path, ...words]));
  expect(status).toBe(0);
  return lines;
}

/** The same with the exit status. */
export async function outcomeOf(options: Options): Promise<{ status: number; lines: JsonLine[] }> {
  let text = '';
  let status: number;
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk, ...rest: unknown[]) => {
    text += String(chunk);
    for (const each of rest) if (typeof each === 'function') each();
    return true;
  });
  try {
    status = await run(options, { edges: fakeEdges({ platform: 'linux' }) });
  } finally {
    write.mockRestore();
  }
  expect(text.endsWith('\n')).toBe(true);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonLine);
  return { status, lines };
}

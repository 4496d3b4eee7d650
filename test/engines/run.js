// Runs the tests against engines that no package manager brings: an OpenTelemetry collector, built from its module. It takes Go, some minutes the first
// time, and 1 GB in Go's cache.
// usage: npm run engines

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = fileURLToPath(new URL('otelcol', import.meta.url));
const programs = mkdtempSync(join(tmpdir(), 'netmon-engines-'));
process.once('exit', () => rmSync(programs, { recursive: true, force: true }));

const built = spawnSync('go', ['build', '-o', join(programs, 'otelcol'), '.'], { cwd: source, stdio: 'inherit' });
if (built.error !== undefined || built.status !== 0) {
  console.error(
    built.error === undefined ? 'the collector could not be built' : 'there is no go: install Go, then npm run engines',
  );
  process.exit(1);
}
const env = { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH}` };
const words = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'live', 'test/live/otlp.test.ts'];
process.exit(spawnSync(process.execPath, words, { cwd: root, env, stdio: 'inherit' }).status ?? 1);

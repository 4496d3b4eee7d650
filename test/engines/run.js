// Runs the tests against engines that no package manager of a system brings: an OpenTelemetry collector, built from its module, and ClickHouse, as the npm
// package chdb. The first takes Go, some minutes the first time, and 1 GB in Go's cache; the second downloads 0.2 GB, unless NETMON_CHDB names a folder
// that has it.
// usage: npm run engines

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHDB = 'chdb@3.4.0';
const root = fileURLToPath(new URL('../..', import.meta.url));
const source = fileURLToPath(new URL('otelcol', import.meta.url));
const programs = mkdtempSync(join(tmpdir(), 'netmon-engines-'));
process.once('exit', () => rmSync(programs, { recursive: true, force: true }));

const told = [
  ['OpenTelemetry collector', collector()],
  ['ClickHouse', clickHouse()],
];
for (const [name, failure] of told) console.log(`${name}: ${failure ?? 'passed'}`);
process.exitCode = told.some(([, failure]) => failure !== null) ? 1 : 0;

/** @returns why it failed; null if it passed, as the next */
function collector() {
  const built = spawnSync('go', ['build', '-o', join(programs, 'otelcol'), '.'], { cwd: source, stdio: 'inherit' });
  if (built.error !== undefined) return 'there is no go: install Go, then npm run engines';
  if (built.status !== 0) return 'it could not be built';
  return run('test/live/otlp.test.ts', { PATH: `${programs}${delimiter}${process.env.PATH}` });
}

function clickHouse() {
  let folder = process.env.NETMON_CHDB;
  if (folder === undefined) {
    folder = join(programs, 'chdb');
    const words = ['install', '--silent', '--no-save', '--prefix', folder, CHDB];
    if (spawnSync('npm', words, { cwd: programs, stdio: 'inherit' }).status !== 0) return `npm could not install ${CHDB}`;
  }
  return run('test/live/clickhouse.test.ts', { NETMON_CHDB: folder });
}

function run(test, env) {
  const words = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'live', test];
  const { status } = spawnSync(process.execPath, words, { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' });
  return status === 0 ? null : 'its tests failed';
}

// The notes of a release are its section of the change log, whole and alone.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/release-notes.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'netmon-notes-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CHANGES = join(folder, 'CHANGELOG.md');
writeFileSync(
  CHANGES,
  `# Changelog

## [Unreleased]

## [1.0.10] - 2027-02-01

### Screen

- Ten. See [the pages](docs/usage.md).

## [1.0.1] - 2027-01-01

Only one.

[1.0.10]: https://example.org/1.0.10
`,
);

const notesOf = (version: string) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, version, CHANGES], { encoding: 'utf8' });
  return { status, stdout, stderr };
};

it.each([
  ['1.0.10', '## Screen\n\n- Ten. See [the pages](docs/usage.md).\n'],
  ['1.0.1', 'Only one.\n'],
])('%s', (version, stdout) => expect(notesOf(version)).toEqual({ status: 0, stdout, stderr: '' }));

it.each(['1.0', '2.0.0', 'Unreleased'])('refuses %s, of which nothing is said', (version) => {
  const { status, stdout, stderr } = notesOf(version);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain(`says nothing of ${version}`);
});

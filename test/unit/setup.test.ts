// bin/setup on a Mac, with the programs it asks in front of the system's own.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fakeRoot } from '../support/fake-edges.ts';

/** Runs it in an empty clone whose npm says how it was called, and fails. */
function setUp(macos: string, xcodeSelect: string) {
  const root = fakeRoot({});
  for (const folder of ['bin', 'fakes']) mkdirSync(join(root, folder));
  copyFileSync('bin/setup', join(root, 'bin/setup'));
  writeFileSync(join(root, 'package-lock.json'), '{}');
  const program = (name: string, script: string) =>
    writeFileSync(join(root, 'fakes', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  program('uname', 'case $1 in -s) echo Darwin;; *) echo Darwin arm64;; esac');
  program('sw_vers', `echo ${macos}`);
  program('xcode-select', xcodeSelect);
  program('npm', `echo "$@" >${root}/npm-words; exit 1`);
  const env = { PATH: `${join(root, 'fakes')}:${join(process.execPath, '..')}:/usr/bin:/bin`, HOME: root };
  const { status, stderr } = spawnSync('sh', [join(root, 'bin/setup')], { env, encoding: 'utf8' });
  const words = () => readFileSync(join(root, 'npm-words'), 'utf8');
  return { status, stderr, words };
}

describe('bin/setup on a Mac', () => {
  test.each(['10.15.7', '11.7.10'])('refuses macOS %s', (macos) => {
    const { status, stderr } = setUp(macos, 'exit 0');
    expect([status, stderr]).toEqual([1, `setup: macOS ${macos} is too old; 12 or newer is needed\n`]);
  });

  test.each([
    ['12.0', 'with developer tools', 'exit 0'],
    ['26.1', 'without them', 'exit 2'],
  ])('builds no package on macOS %s, %s', (macos, _, xcodeSelect) => {
    expect(setUp(macos, xcodeSelect).words()).toMatch(/^ci --ignore-scripts /);
  });
});

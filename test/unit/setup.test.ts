// bin/setup with the programs that it asks in front of the system's own: on a Mac, and where npm takes its time.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fakeRoot } from '../support/fake-edges.ts';

/** An empty clone. Its npm writes down how it was called, and runs `npm`, a line of shell. */
function fakeClone({ system = 'Darwin', macos = '26.1', npm }: { system?: string; macos?: string; npm: string }) {
  const root = fakeRoot({});
  for (const folder of ['bin', 'fakes', 'scripts', 'src', 'usr']) mkdirSync(join(root, folder));
  copyFileSync('bin/setup', join(root, 'bin/setup'));
  for (const name of ['package.json', 'package-lock.json', 'scripts/bundle.mjs']) writeFileSync(join(root, name), '{}');
  const program = (name: string, script: string) =>
    writeFileSync(join(root, 'fakes', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  program('uname', `case $1 in -s) echo ${system};; *) echo ${system} arm64;; esac`);
  program('sw_vers', `echo ${macos}`);
  // whatever this machine lacks, it isn't changed
  for (const name of ['sudo', 'apt-get', 'dnf', 'yum', 'apk', 'pacman', 'zypper']) program(name, 'exit 1');
  program('npm', `echo "$@" >>${root}/npm-words; ${npm}`);
  const env = { PATH: `${join(root, 'fakes')}:${join(process.execPath, '..')}:/usr/bin:/bin`, HOME: root };
  return {
    root,
    program,
    setUp: (...words: string[]) => {
      rmSync(join(root, 'npm-words'), { force: true });
      const { status, stdout, stderr } = spawnSync('sh', [join(root, 'bin/setup'), ...words], {
        env,
        encoding: 'utf8',
        timeout: 20_000,
      });
      const called = existsSync(join(root, 'npm-words')) ? readFileSync(join(root, 'npm-words'), 'utf8') : '';
      return { status, stdout, stderr, called: called.trim().split('\n') };
    },
  };
}

/** Does what npm does to the clone, as far as bin/setup looks. */
const NPM = `
tools() { mkdir -p node_modules/.bin; touch node_modules/.bin/vitest; chmod +x node_modules/.bin/vitest; }
case "$*" in
  ci*) rm -rf node_modules; mkdir node_modules; echo {} >node_modules/.package-lock.json ;;
esac
case "$*" in
  *workspaces=false*) ;;
  ci*|install*) tools ;;
  *build) mkdir dist/bundle; echo >dist/bundle/main.cjs ;;
esac`;

describe('bin/setup on a Mac', () => {
  test.each(['10.15.7', '11.7.10'])('refuses macOS %s', (macos) => {
    const { status, stderr, called } = fakeClone({ macos, npm: 'exit 1' }).setUp();
    expect([status, stderr]).toEqual([1, `setup: macOS ${macos} is too old; 12 or newer is needed\n`]);
    expect(called).toEqual(['']);
  });

  test.each(['12.0', '26.1'])('compiles no package on macOS %s', (macos) => {
    const { setUp } = fakeClone({ macos, npm: NPM });
    expect(setUp().called[0]).toMatch(/^ci .*--ignore-scripts /);
    expect(setUp('--develop').called).toEqual([expect.stringMatching(/^install .*--ignore-scripts /)]);
  });
});

describe('bin/setup', () => {
  test('brings what runs; the packages of the tests only if asked, and then keeps them', () => {
    const { root, setUp } = fakeClone({ npm: NPM });
    const first = setUp();
    expect(first).toMatchObject({
      status: 0,
      stderr: '',
      called: [expect.stringMatching(/^ci --workspaces=false /), 'run --silent build'],
    });
    expect(setUp()).toMatchObject({ status: 0, stdout: 'setup: ready\n', called: [''] });

    expect(setUp('--develop').called).toEqual([expect.stringMatching(/^install --no-save /)]);
    expect(setUp('--develop').called).toEqual(['']);

    writeFileSync(join(root, 'package-lock.json'), '{ "changed": true }');
    expect(setUp().called).toEqual([expect.stringMatching(/^ci --ignore-scripts /), 'run --silent build']);
  });

  test('compiles cap for its tests on Linux, and does without', () => {
    const { setUp } = fakeClone({ system: 'Linux', npm: `case $1 in rebuild) exit 1 ;; esac\n${NPM}` });
    expect(setUp().called).not.toContain('rebuild cap');
    const { status, stdout, called } = setUp('--develop');
    expect([status, called.at(-1)]).toEqual([0, 'rebuild cap']);
    expect(stdout).toContain('setup: cap was not compiled: its tests will be skipped\n');
  });

  test('says that it still works while npm does', () => {
    // npm ends when two of the pauses have passed
    const { root, program, setUp } = fakeClone({
      npm: `case $1 in ci) while [ "$(wc -l <${'$HOME'}/pauses)" -lt 3 ]; do /bin/sleep 0.02; done ;; esac\n${NPM}`,
    });
    writeFileSync(join(root, 'pauses'), '');
    program('sleep', `echo >>${root}/pauses; exec /bin/sleep 0.05`);
    const { status, stdout } = setUp();
    expect(status).toBe(0);
    expect(stdout).toMatch(/installing packages: npm ci .*\nsetup: {3}2 s\nsetup: {3}4 s\n/);
  });

  test('says what to type where sudo would not find node', () => {
    const { program, setUp } = fakeClone({ system: 'Linux', npm: NPM });
    program('id', 'echo 1000');
    const isFound = ['/usr/bin', '/usr/local/bin'].includes(dirname(process.execPath));
    expect(setUp().stdout.includes('sudo')).toBe(!isFound);
    program('node', `exec '${process.execPath}' "$@"`); // as nvm has it, in a folder of the user's
    expect(setUp().stdout).toContain(`setup: sudo doesn't find this node; type: sudo env "PATH=$PATH" bin/netmon-tui.js\n`);
  });

  test('refuses words that it does not know', () => {
    expect(fakeClone({ npm: NPM }).setUp('--dev')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('unknown argument: --dev'),
    });
  });
});

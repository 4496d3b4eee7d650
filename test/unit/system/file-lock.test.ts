import { spawn } from 'node:child_process';
import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFile, systemFlock } from '../../../src/system/file-lock.ts';

const flock = await systemFlock();
/** A pid that no process has, as it is above the systems' maximum. */
const NOBODY = 2 ** 31 - 2;
/** Holds flock(2) on the path until killed. */
const HOLDER = `
const koffi = require('koffi');
const fs = require('node:fs');
const flock = koffi.load(process.platform === 'darwin' ? '/usr/lib/libSystem.B.dylib' : 'libc.so.6').func('int flock(int, int)');
const descriptor = fs.openSync(process.argv[1], 'w');
if (flock(descriptor, 6) !== 0) process.exit(1);
fs.writeSync(descriptor, String(process.pid));
console.log('held');
setInterval(() => {}, 1000);
`;
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netmon-lock-'));
  path = join(folder, 'h.lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each([
  ['flock', flock],
  ['a file that names its owner', null],
])('by %s', (_, how) => {
  it('is held once, and is free again after release', () => {
    const first = lockFile(path, null, how);
    expect(first.held).not.toBeNull();
    expect(readFileSync(path, 'latin1')).toBe(`${process.pid}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(lockFile(path, null, how)).toEqual({ held: null, pid: process.pid });
    first.held?.release();
    const second = lockFile(path, null, how);
    expect(second.held).not.toBeNull();
    second.held?.release();
  });

  it('follows no symbolic link, and refuses a folder', () => {
    const other = join(folder, 'other');
    writeFileSync(other, 'precious');
    symlinkSync(other, path);
    expect(() => lockFile(path, null, how)).toThrow();
    expect(readFileSync(other, 'utf8')).toBe('precious');
    const place = join(folder, 'place');
    mkdirSync(place);
    expect(() => lockFile(place, null, how)).toThrow();
  });

  it.skipIf(process.geteuid?.() !== 0)(
    "refuses somebody else's file, and gives its own to its user (skipped where not root)",
    () => {
      writeFileSync(path, '');
      chownSync(path, 12_345, 12_345);
      expect(() => lockFile(path, null, how)).toThrow('belongs to another user');
      rmSync(path);
      const lock = lockFile(path, { uid: 12_345, gid: -1 }, how);
      expect(statSync(path).uid).toBe(12_345);
      lock.held?.release();
    },
  );

  it.skipIf(process.geteuid?.() !== 0)(
    "leaves root's file alone to which a user gave a second name (skipped where not root)",
    () => {
      const other = join(folder, 'other');
      writeFileSync(other, 'precious', { mode: 0o640 });
      linkSync(other, path);
      expect(() => lockFile(path, { uid: 12_345, gid: 12_345 }, how)).toThrow('belongs to another user');
      expect(readFileSync(other, 'utf8')).toBe('precious');
      expect(statSync(other)).toMatchObject({ uid: 0, gid: 0 });
      expect(statSync(other).mode & 0o777).toBe(0o640);
    },
  );
});

describe('a lock', () => {
  it('ends when its holder crashes', async ({ skip }) => {
    if (flock === null) skip("libc can't be loaded here");
    const holder = spawn(process.execPath, ['-e', HOLDER, path], { cwd: process.cwd(), stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    expect(lockFile(path, null, flock)).toEqual({ held: null, pid: holder.pid });
    const gone = new Promise((resolve) => holder.once('exit', resolve));
    holder.kill('SIGKILL');
    await gone;
    const lock = lockFile(path, null, flock);
    expect(lock.held).not.toBeNull();
    lock.held?.release();
  });

  it('by name is taken over from a dead process, and removed on release', () => {
    writeFileSync(path, `${NOBODY}\n`);
    const lock = lockFile(path, null, null);
    expect(lock.held).not.toBeNull();
    lock.held?.release();
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, 'nonsense');
    expect(lockFile(path, null, null).held).not.toBeNull();
  });
});

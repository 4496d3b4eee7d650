// Theme files of a user: regular, of a bounded size, and never one that reading would hang on.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ThemeShelf } from '../../../src/tui/theme-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'netmon-themes-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a theme', () => {
  const shelf = new ThemeShelf([folder]);

  test('is read by name and by path', () => {
    writeFileSync(join(folder, 'mine.theme'), 'theme[main_fg]="#112233"\n');
    expect(shelf.load('mine').name).toBe('mine');
    expect(shelf.load(join(folder, 'mine.theme')).name).toBe('mine');
  });

  test.each([
    ['a FIFO', 'fifo', 'not a regular file', (path: string) => void spawnSync('mkfifo', [path])],
    ['a device', 'zero', 'not a regular file', (path: string) => symlinkSync('/dev/zero', path)],
    ['a folder', 'folder', 'not a regular file', (path: string) => mkdirSync(path)],
    ['a large file', 'large', 'too large for a theme', (path: string) => writeFileSync(path, '#'.repeat(65_537))],
  ])('is not read from %s', (_, name, reason, make) => {
    make(join(folder, `${name}.theme`));
    expect(() => shelf.load(name)).toThrow(reason);
    expect(() => shelf.load(join(folder, `${name}.theme`))).toThrow(reason);
  });
});

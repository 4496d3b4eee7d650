import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { statSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { checksumOf } from '../../../src/publisher/checksum.ts';
import { fileText } from '../../../src/publisher/package-search.ts';
import { fakeRoot, removeFakeRoots } from '../../support/fake-edges.ts';

afterAll(removeFakeRoots);

const folders: string[] = [];
const sum = (path: string, file = '') => checksumOf({ path, file }, async (folder) => void folders.push(folder));

it('is that of the file, and of no other', async () => {
  const text = 'x'.repeat(3_000_000);
  const root = fakeRoot({ program: text });
  const path = join(root, 'program');
  const expected = createHash('sha256').update(text).digest('hex');
  expect(await sum(path)).toBe(expected);
  expect(await sum(path, fileText(statSync(path, { bigint: true })))).toBe(expected);
  expect(await sum(path, '8.1:1')).toMatch(/^not read: its file was replaced/);
  expect(folders).toEqual([root, root, root]);
});

it('is not made of what is no regular file, or too large', async () => {
  const root = fakeRoot({ a: 'x' });
  symlinkSync('a', join(root, 'link'));
  spawnSync('mkfifo', [join(root, 'fifo')]);
  truncateSync(join(root, 'a'), 3 * 2 ** 30);
  expect(await sum(join(root, 'link'))).toMatch(/^not read: .*ELOOP/);
  expect(await sum(join(root, 'fifo'))).toBe('not read: not a regular file');
  expect(await sum(root)).toBe('not read: not a regular file');
  expect(await sum(join(root, 'a'))).toBe('not read: larger than 2 GiB');
  expect(await sum(join(root, 'gone'))).toMatch(/^not read: .*ENOENT/);
});

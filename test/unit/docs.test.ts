// What docs/bad-days.md promises is tested where it says: each row names files that are there.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const rows = readFileSync(`${root}docs/bad-days.md`, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => line.split(' | '));

it('has rows', () => expect(rows.length).toBeGreaterThan(20));

it.each(rows.map((row) => [row[0]?.slice(2), row[2] ?? '']))('%s', (_, where) => {
  const files = where.replace(/ \|$/, '').split(', ');
  for (const file of files) {
    expect(file).toMatch(/^test\/(unit|live|mac)\/.*\.test\.ts$/);
    expect([file, existsSync(`${root}${file}`)]).toEqual([file, true]);
  }
});

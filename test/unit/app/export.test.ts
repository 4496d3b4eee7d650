// Exports: a new file of the user's, never another's, never a formula.

import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exportText, writeExport } from '../../../src/app/export.ts';
import type { ExportTable } from '../../../src/view/action.ts';

const TABLE: ExportTable = {
  name: 'apps',
  time: Date.UTC(2026, 0, 31, 14, 3, 22, 5),
  columns: ['app', 'rx'],
  rows: [
    ['curl', 5],
    ['=cmd|"x"!A1', -3],
    ['a,b\r\n"c"\x1b[2J', null],
  ],
};
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netmon-export-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('CSV has a header, CRLF, quotes where needed and no formula; numbers stay numbers', () => {
  expect(exportText('csv', TABLE).split('\r\n')).toEqual([
    'app,rx',
    'curl,5',
    `"'=cmd|""x""!A1",-3`,
    expect.stringMatching(/^"a,b ?"/),
    '',
  ]);
});

test('JSON is one object with a row each', () => {
  const parsed = JSON.parse(exportText('json', TABLE));
  expect(parsed).toMatchObject({ type: 'export', schema: 1, view: 'apps', time: '2026-01-31T14:03:22.005Z' });
  expect(parsed.rows[0]).toEqual({ app: 'curl', rx: 5 });
  expect(JSON.stringify(parsed)).not.toContain('\\u001b');
});

describe('the file', () => {
  const place = () => ({ folders: [folder], owner: null });

  test('is new, named for view and time, and the user’s alone', async () => {
    const { done, text } = await writeExport('csv', TABLE, place());
    expect(done).toBe(true);
    const path = join(folder, 'netmon-apps-2026-01-31-140322Z.csv');
    expect(text).toBe(`3 rows written to ${path}`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toBe(exportText('csv', TABLE));
  });

  test('never takes the place of another, nor of a link', async () => {
    const path = join(folder, 'netmon-apps-2026-01-31-140322Z.csv');
    writeFileSync(path, 'mine');
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'netmon-apps-2026-01-31-140322Z-2.csv'));
    const { text } = await writeExport('csv', TABLE, place());
    expect(text).toContain('-3.csv');
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
    expect(readdirSync(folder)).toHaveLength(3);
  });

  test('goes to the next folder where the first is none of the user’s; nowhere is said', async () => {
    const { done, text } = await writeExport('json', TABLE, { folders: [join(folder, 'missing'), folder], owner: null });
    expect([done, text]).toEqual([true, expect.stringContaining(folder)]);
    const stranger = { uid: 4_000_000, gid: -1 };
    expect(await writeExport('json', TABLE, { folders: [folder], owner: stranger })).toEqual({
      done: false,
      text: `not exported: start in a folder that you may write to, not in ${folder}`,
    });
  });

  test.runIf(process.platform === 'linux')('goes to the next folder where the first refuses it', async () => {
    const { done, text } = await writeExport('csv', TABLE, { folders: ['/proc', folder], owner: null });
    expect([done, text]).toEqual([true, expect.stringContaining(` written to ${folder}/netmon-apps-`)]);
  });

  test.runIf(process.geteuid?.() === 0)('goes to a folder of all, as the user it is for', async () => {
    chmodSync(folder, 0o1777);
    const owner = { uid: 4_000_000, gid: 4_000_000 };
    const { done } = await writeExport('csv', TABLE, { folders: ['/root', folder], owner });
    expect([done, statSync(join(folder, 'netmon-apps-2026-01-31-140322Z.csv'))]).toMatchObject([true, { uid: 4_000_000 }]);
  });
});

// What the screen asks of the run: exports one at a time, and none half written at the end.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ScreenTasks } from '../../../src/app/screen-tasks.ts';
import type { Action, ExportTable } from '../../../src/view/action.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netmon-tasks-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('nine hundred exports at once are one file, and refusals', async () => {
  const told: Action[] = [];
  const tasks = new ScreenTasks({ folders: [folder], owner: null }, (action) => told.push(action));
  const table: ExportTable = { name: 'apps', time: 0, columns: ['app'], rows: [['curl']] };
  for (let i = 0; i < 900; i++) tasks.take({ type: 'export', format: 'csv', table });
  await tasks.idle();
  expect(readdirSync(folder)).toEqual(['netmon-apps-1970-01-01-000000Z.csv']);
  const texts = told.map((action) => (action.type === 'notice' ? action.text : ''));
  expect(texts.filter((text) => text === 'not exported: another export is still being written')).toHaveLength(899);
  expect(texts.at(-1)).toMatch(/^1 rows written to /);
  tasks.take({ type: 'export', format: 'json', table });
  await tasks.idle();
  expect(readdirSync(folder)).toHaveLength(2);
});

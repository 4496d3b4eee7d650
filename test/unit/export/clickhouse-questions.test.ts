// The questions in docs/clickhouse ask tables and columns that there are.

import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CLICKHOUSE_SCHEMA } from '../../../src/export/clickhouse.ts';

const folder = new URL('../../../docs/clickhouse/', import.meta.url);
const files = readdirSync(folder);
const withoutComments = (sql: string) => sql.replace(/--.*$/gm, '');
const COLUMNS = new Map(
  [...withoutComments(CLICKHOUSE_SCHEMA).matchAll(/^CREATE TABLE IF NOT EXISTS (\w+) \(\n(.*?)\n\)/gms)].map(
    ([, table = '', columns = '']) => [table, columns.split('\n').map((line) => line.trim().split(' ')[0])],
  ),
);

it('has questions, and tables to ask', () => {
  expect(files).toHaveLength(4);
  expect(COLUMNS.get('netmon_contact')).toEqual(['domain', 'app_name', 'host', 'first']);
});

it.each(files)('%s', (file) => {
  const text = readFileSync(new URL(file, folder), 'utf8');
  const sql = withoutComments(text).replace(/'[^']*'/g, '');
  const parameters = [...sql.matchAll(/\{(\w+):/g)].map(([, name]) => name);
  const told = [...text.matchAll(/--param_(\w+)=/g)].map(([, name]) => name);
  expect([...new Set(parameters)].sort()).toEqual(told.sort());
  expect(text).toContain(` --queries-file ${file}\n`);

  const tables = [...sql.matchAll(/\bFROM (\w+)/g)].map(([, table = '']) => table);
  expect(tables.length).toBeGreaterThan(0);
  for (const table of tables) expect([...COLUMNS.keys()]).toContain(table);
  const made = [...sql.matchAll(/\bAS (\w+)/g)].map(([, name]) => name);
  const known = [...tables, ...tables.flatMap((table) => COLUMNS.get(table) ?? []), ...made];
  // keywords are in capitals, and a function has its bracket
  for (const [name] of sql.replace(/\{[^}]*\}/g, '').matchAll(/\b[a-z]\w*\b(?!\()/g)) expect(known).toContain(name);
});

// Rates in rows: nothing is a dot, in every table and set of signs, and a copy of the row still says it in words.

import { expect, test } from 'vitest';
import { contextOf } from '../../../../src/view/panels/table.ts';
import { initialState, TABLES } from '../../../../src/view/state.ts';
import { type AnyRow, SPECS } from '../../../../src/view/tables/rows.ts';
import { displayWidth } from '../../../../src/view/text/cells.ts';
import { ASCII_GLYPHS, CONSOLE_GLYPHS, UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { appRow, snapshot } from '../../../support/snapshot-builder.ts';

const STATE = initialState({ columns: 80, rows: 24 });
const QUIET = appRow({ id: 'quiet' }) as AnyRow;
const BUSY = appRow({ id: 'busy', rxRate: 1, txRate: 0.4 }) as AnyRow;

const RATES = TABLES.flatMap((table) =>
  SPECS[table].columns.filter(({ key }) => key.endsWith('-rate')).map((column) => ({ table, column })),
);

test('every table of traffic has both rates', () => {
  expect(RATES.map(({ table, column }) => `${table} ${column.key}`)).toEqual(
    TABLES.filter((table) => table !== 'events').flatMap((table) => [`${table} rx-rate`, `${table} tx-rate`]),
  );
});

test.each([
  ['Unicode', UNICODE_GLYPHS, '·'],
  ['console', CONSOLE_GLYPHS, '·'],
  ['ASCII', ASCII_GLYPHS, '.'],
])('a rate of zero is a dim dot under the digits: %s', (_, glyphs, dot) => {
  const context = contextOf(STATE, snapshot({}), glyphs);
  for (const { column } of RATES) {
    const nothing = column.cell(QUIET, context, 10);
    expect(nothing).toEqual({ text: `   ${dot}      `, role: 'dim' });
    const something = column.cell(BUSY, context, 10);
    expect(something).toMatchObject({ role: column.key.slice(0, 2) });
    expect('role' in something && displayWidth(something.text)).toBe(10);
    expect(column.plain?.(QUIET, context)).toBe('0 B/s');
  }
});

// Sorting as the user sees it: only by what is on the screen, and marked there.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Command } from '../../../../src/view/action.ts';
import { frameOf } from '../../../../src/view/frame.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain, type Span } from '../../../../src/view/text/span.ts';
import { stylesOf } from '../../../../src/view/text/styles.ts';
import { parseTheme } from '../../../../src/view/text/theme.ts';
import { busy } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
const shown = busy(40);

function press(state: ViewState, ...commands: readonly Command[]): ViewState {
  return commands.reduce((next, command) => reduce(next, { type: 'command', command }, shown, settings).state, state);
}

function header(state: ViewState): readonly Span[] {
  const pane = frameOf(state, shown, settings).tables.find(({ table }) => table === state.pane);
  return pane?.lines[1] ?? [];
}

const sorted = (state: ViewState) => header(state).filter(({ role }) => role === 'sorted');

test('s and < go only through what is on the screen, whatever its size, and one arrow says where they are', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Command>('apps', 'connections', 'hosts', 'categories', 'interfaces'),
      fc.integer({ min: 40, max: 220 }),
      fc.array(fc.constantFrom<Command>('sort-next', 'sort-previous', 'sort-direction'), { maxLength: 30 }),
      (view, columns, keys) => {
        const state = press(initialState({ columns, rows: 24 }), view, ...keys, 'sort-next');
        expect(sorted(state).length).toBeGreaterThan(0);
        expect(plain(header(state)).match(/[↓↑]/g)).toHaveLength(1);
        expect(sorted(state)[0]?.text).toMatch(/[↓↑]/);
      },
    ),
    { numRuns: 100 },
  );
});

test('rate and total are sorts of two columns: one arrow, both coloured', () => {
  const start = press(initialState({ columns: 120, rows: 24 }), 'apps');
  expect(sorted(start).map(({ text }) => text.trim())).toEqual(['↓▼ 10s', '▲ 10s']);
  const total = press(start, 'sort-next', 'sort-next', 'sort-next');
  expect(total.tables.apps.sort.column).toBe('total');
  expect(sorted(total).map(({ text }) => text.trim())).toEqual(['↓▼ total', '▲ total']);
});

test('the title names the sort only while its column is hidden; from there s goes to the nearest', () => {
  const wide = press(initialState({ columns: 200, rows: 24 }), 'connections');
  const byCategory = reduce(wide, { type: 'sort', table: 'connections', column: 'category' }, shown, settings).state;
  const title = (state: ViewState) => plain(frameOf(state, shown, settings).tables[0]?.lines[0] ?? []);
  expect(title(byCategory)).not.toContain('by ');
  const narrow = { ...byCategory, size: { columns: 80, rows: 24 } };
  expect(title(narrow)).toContain('by category ↑');
  expect(press(narrow, 'sort-previous').tables.connections.sort.column).toBe('tx-rate');
  expect(press(narrow, 'sort-next').tables.connections.sort.column).toBe('app');
});

test('the mark of the sort has no underline, which would fill its column', () => {
  expect(stylesOf(parseTheme('t', ''), 'none').sorted).toMatchObject({ underline: false, bold: true });
});

// The keys in the footer: those that do something here, as they are bound, and always the way out.

import { expect, test } from 'vitest';
import { KEYMAP, rebind } from '../../../../src/view/input/keymap.ts';
import { fitParts } from '../../../../src/view/pane.ts';
import { HINT_GAP, hintParts } from '../../../../src/view/panels/hints.ts';
import { initialState, VIEWS, type ViewState } from '../../../../src/view/state.ts';
import { APPS } from '../../../../src/view/tables/apps.ts';
import { placeColumns } from '../../../../src/view/tables/column.ts';
import { CONNECTIONS } from '../../../../src/view/tables/connections.ts';
import { HOSTS } from '../../../../src/view/tables/hosts.ts';
import { INTERFACES } from '../../../../src/view/tables/interfaces.ts';
import { plain } from '../../../../src/view/text/span.ts';

const START = initialState({ columns: 80, rows: 24 });

function hints(state: ViewState, width: number, keys = KEYMAP): string {
  return plain(fitParts(hintParts(state, keys, width), width, HINT_GAP));
}

test.each(VIEWS)('%s at 60 columns tells of the other views, of the help and the way out', (view) => {
  const text = hints({ ...START, view }, 58);
  expect(text).toMatch(/^1-8 views {2}/);
  expect(text).toMatch(/\? help {2}q quit$/);
});

test('a row is opened where rows open, panes are changed where there are some', () => {
  expect(hints({ ...START, view: 'apps' }, 118)).toContain('Right open');
  expect(hints({ ...START, view: 'connections' }, 118)).not.toMatch(/Right|Tab/);
  expect(hints(START, 118)).toContain('Tab pane');
});

test('the views stand by name where there is room for all', () => {
  expect(hints(START, 198)).toMatch(/^1 overview 2 apps 3 connections 4 hosts 5 categories 6 interfaces 7 events 8 history {2}/);
});

test('a filter says what clears it, a popup how to move in it', () => {
  expect(hints({ ...START, filter: { ...START.filter, applied: 'curl' } }, 78)).toContain('Esc clears filter');
  expect(hints({ ...START, popup: { kind: 'help', top: 0 } }, 78)).toBe('Up Down scroll  PgUp PgDn page  g G begin, end');
  expect(hints({ ...START, popup: { kind: 'themes', index: 0, before: 'netmon' } }, 78)).toBe('Up Down choose  Enter takes it');
});

test('keys stand as they are bound; views that are no row of keys are not called one', () => {
  const result = rebind({ quit: 'ctrl+x', hosts: 'H', help: [] });
  if (!result.ok) throw new Error(result.problems.join());
  const text = hints(START, 118, result.keys);
  expect(text).toContain('Ctrl+X quit');
  expect(text).not.toMatch(/views|help/);
});

test.each([
  ['apps', APPS.columns],
  ['hosts', HOSTS.columns],
  ['connections', CONNECTIONS.columns],
])('%s keep both rates at 60 columns', (_, columns) => {
  const keys = placeColumns(columns as typeof APPS.columns, 56).map(({ column }) => column.key);
  expect(keys).toEqual(expect.arrayContaining(['rx-rate', 'tx-rate']));
});

test('interfaces say at 80 columns how much of them was captured', () => {
  expect(placeColumns(INTERFACES.columns, 76).map(({ column }) => column.key)).toContain('coverage');
});

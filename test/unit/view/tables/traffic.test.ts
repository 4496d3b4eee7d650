// Rates in rows: means over the chosen time, in rows, details and exports alike; nothing is a dot, and a copy still says it in words.

import { expect, test } from 'vitest';
import type { Traffic } from '../../../../src/model/snapshot.ts';
import { exportOf } from '../../../../src/view/export-rows.ts';
import { frameOf } from '../../../../src/view/frame.ts';
import { withFilter } from '../../../../src/view/input/filter-input.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { contextOf } from '../../../../src/view/panels/table.ts';
import { restored, savedStateOf } from '../../../../src/view/saved-state.ts';
import { initialState, TABLES, type ViewState } from '../../../../src/view/state.ts';
import { type AnyRow, orderedRows, SPECS } from '../../../../src/view/tables/rows.ts';
import { displayWidth } from '../../../../src/view/text/cells.ts';
import { ASCII_GLYPHS, CONSOLE_GLYPHS, UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { shownRate, sumTraffic } from '../../../../src/view/traffic.ts';
import { farSide } from '../../../../src/view/tree/parts.ts';
import { appRow, flowRow, snapshot } from '../../../support/snapshot-builder.ts';

const STATE = initialState({ columns: 80, rows: 24 });
const QUIET = appRow({ id: 'quiet' }) as AnyRow;
const BUSY = appRow({ id: 'busy', rxRate: 1, txRate: 0.4 }) as AnyRow;

const RATES = TABLES.flatMap((table) =>
  SPECS[table].columns.filter(({ key }) => key.endsWith('-rate')).map((column) => ({ table, column })),
);

test('every table of traffic has both rates', () => {
  expect(RATES.map(({ table, column }) => `${table} ${column.key}`)).toEqual(
    TABLES.filter((table) => !['events', 'alerts', 'questions', 'resolvers', 'listeners'].includes(table)).flatMap((table) => [
      `${table} rx-rate`,
      `${table} tx-rate`,
    ]),
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

const SETTINGS = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
/** RX and TX over 2, 10 and 40 s: each window has another busiest app. */
const MEANS = { a: [3000, 1, 200, 2, 30, 3], b: [200, 1, 3000, 2, 40, 3], c: [100, 1, 150, 2, 5000, 3] };
const LIVE = snapshot({
  total: { ...sumTraffic([]), means: [3303, 3, 3356, 6, 5079, 9], unownedBytes: 0, passingBytes: null },
  apps: Object.entries(MEANS).map(([id, means]) => appRow({ id, means, rxRate: 9 })),
});
const WALK = [
  [10, 'b'],
  [40, 'c'],
  [2, 'a'],
  [10, 'b'],
] as const;

function key(state: ViewState, command: 'average' | 'details' | 'first', live = LIVE): ViewState {
  return reduce(state, { type: 'command', command }, live, SETTINGS).state;
}

function screen(state: ViewState, live = LIVE): string {
  const { tables, popup } = frameOf(state, live, SETTINGS);
  return [...tables.flatMap(({ lines }) => lines), ...(popup?.lines ?? [])].map(plain).join('\n');
}

test('rows show, and are ordered by, means over 10, 40 or 2 s, as a key says; the titles, details and exports say the same', () => {
  let state = STATE;
  for (const [average, busiest] of WALK) {
    expect(state.average).toBe(average);
    const [first] = orderedRows(state, LIVE, 'apps');
    expect(first?.id).toBe(busiest);
    const at = { 2: 0, 10: 2, 40: 4 }[average];
    const [rx = 0, tx = 0] = MEANS[busiest].slice(at);
    expect(shownRate(first as unknown as Traffic, average)).toBe(rx + tx);
    expect(screen(state)).toContain(`▼ ${average}s`);
    expect(screen(state)).not.toContain('▼ rate');
    const { columns, rows } = exportOf(state, LIVE, UNICODE_GLYPHS);
    expect(['rx_rate', 'tx_rate'].map((name) => rows[0]?.[columns.indexOf(name)])).toEqual([rx, tx]);
    expect(screen(key(key(state, 'first'), 'details'))).toMatch(new RegExp(`TX +${tx} B/s over ${average}s, `));
    state = key(state, 'average');
  }
  expect(state.notice).toBe('rates: means over 40 s');
});

test('the chosen time comes back in the next run, unless that was told another', () => {
  const saved: unknown = JSON.parse(JSON.stringify(savedStateOf(key(STATE, 'average'))));
  expect(restored(STATE, saved).average).toBe(40);
  expect(restored(STATE, saved, 2).average).toBe(2);
  expect(restored(STATE, { ...(saved as object), average: 11 }).average).toBe(10);
});

test('a tick that is longer than the window names the title', () => {
  expect(screen(STATE, { ...LIVE, intervalMs: 60_000 })).toContain('▼ 1m00s');
});

test('a filter by rate takes what the rows show, and the run is told when that is another time', () => {
  const flows = Object.entries(MEANS).map(([id, means]) => flowRow({ id, means, rxRate: 9_000_000 }));
  const live = snapshot({ flows });
  let state = withFilter(STATE, 'rate>1K');
  for (const [average, busiest] of WALK.slice(0, 3)) {
    expect(orderedRows(state, live, 'connections').map(({ id }) => id)).toEqual([busiest]);
    const step = reduce(state, { type: 'command', command: 'average' }, live, SETTINGS);
    expect(step.effects).toMatchObject([{ type: 'match', filter: { text: 'rate>1K' }, average: step.state.average }]);
    expect(step.state.average).not.toBe(average);
    state = step.state;
  }
  expect(reduce(withFilter(STATE, 'port:443'), { type: 'command', command: 'average' }, live, SETTINGS).effects).toEqual([]);
});

test('shares are of the total over the same time', () => {
  const column = SPECS.apps.columns.find(({ key: name }) => name === 'share');
  const made = column?.cell(LIVE.apps[1] as AnyRow, contextOf(STATE, LIVE, UNICODE_GLYPHS), 12);
  expect(Array.isArray(made) && made.at(-1)?.text.trim()).toBe('89 %');
});

test('the far side of a local flow received what the near one sent', () => {
  expect(farSide(flowRow({ id: 'f', means: [1, 2, 3, 4, 5, 6] })).means).toEqual([2, 1, 4, 3, 6, 5]);
});

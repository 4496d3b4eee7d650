// What is kept of rows that are looked at: bounded in rows and in time, and never more than was measured.

import { expect, test } from 'vitest';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import type { Action } from '../../../../src/view/action.ts';
import { withFilter } from '../../../../src/view/input/filter-input.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { watchedSeries } from '../../../../src/view/input/watches.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { flowRow, NOON, snapshot } from '../../../support/snapshot-builder.ts';

const SETTINGS = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
const START = initialState({ columns: 100, rows: 40, view: 'connections' });

/** Connections 0 to `count`, the first the busiest, at some ms of a run. */
function at(
  ms: number,
  { count = 1, rxRate = 100, intervalMs = 1000, ...parts }: Partial<Snapshot> & { count?: number; rxRate?: number } = {},
) {
  const flows = Array.from({ length: count }, (_, i) => flowRow({ id: String(i), rxRate: rxRate + count - 1 - i, txRate: 7 }));
  return snapshot({ seq: 1, time: NOON + ms, intervalMs, flows, ...parts });
}

function act(state: ViewState, action: Action, live: Snapshot): ViewState {
  return reduce(state, action, live, SETTINGS).state;
}

const tick = (state: ViewState, live: Snapshot): ViewState => act(state, { type: 'snapshot' }, live);
const seriesOf = (state: ViewState, id: string) => watchedSeries(state, 'connections', id);

test('the chosen row is kept tick by tick; others are not', () => {
  let state = START;
  for (let second = 1; second <= 3; second++) state = tick(state, at(second * 1000, { count: 2, rxRate: second }));
  expect(seriesOf(state, '0')).toEqual({
    ends: [1, 2, 3].map((second) => NOON + second * 1000),
    lengths: [1000, 1000, 1000],
    rx: [2, 3, 4],
    tx: [7, 7, 7],
  });
  expect(seriesOf(state, '1')).toBeNull();
});

test('a row goes on being kept when another one is chosen, and is given up when many were', () => {
  let state = tick(START, at(1000, { count: 60 }));
  for (let i = 1; i < 60; i++) {
    const live = at(1000 + i * 1000, { count: 60 });
    state = tick(act(state, { type: 'select', table: 'connections', id: String(i) }, live), live);
  }
  expect(state.watches.rows).toHaveLength(40);
  expect([seriesOf(state, '19'), seriesOf(state, '20')?.ends.length, seriesOf(state, '59')?.ends.length]).toEqual([null, 40, 1]);
});

test('five minutes are kept, and short ticks are added up to seconds', () => {
  let state = START;
  for (let i = 1; i <= 3300; i++) state = tick(state, at(i * 100, { intervalMs: 100, rxRate: i % 10 }));
  const series = seriesOf(state, '0');
  expect(series?.ends).toHaveLength(299);
  expect(series?.lengths.every((length) => length === 900)).toBe(true);
  expect(new Set(series?.ends.slice(1).map((end, i) => end - (series.ends[i] as number)))).toEqual(new Set([900]));
  expect(Math.round((series?.rx[10] ?? 0) + (series?.rx[11] ?? 0)) / 2).toBeCloseTo(4.5, 0);
});

test('a tick that came early is no peak by itself', () => {
  let state = tick(tick(START, at(1000)), at(2000));
  state = tick(state, at(2800, { intervalMs: 800, rxRate: 200 }));
  expect(seriesOf(state, '0')?.rx).toEqual([100, 100]);
  state = tick(state, at(4000, { intervalMs: 1200, rxRate: 0 }));
  expect(seriesOf(state, '0')?.rx).toEqual([100, 100, 80]);
});

test('nothing is kept twice, of a held picture, or across what was not measured', () => {
  let state = tick(tick(START, at(1000)), at(1000));
  expect(seriesOf(state, '0')?.ends).toHaveLength(1);
  state = act(state, { type: 'command', command: 'pause' }, at(1000));
  for (let second = 2; second < 9; second++) state = tick(state, at(second * 1000));
  state = act(state, { type: 'command', command: 'pause' }, at(9000));
  const gaps = [{ from: NOON, to: NOON + 9000, reason: 'sleep', detail: '' } as const];
  state = tick(state, at(9000, { gaps, intervalMs: 1000 }));
  expect(seriesOf(state, '0')).toMatchObject({ ends: [NOON + 1000, NOON + 9000], rx: [100, Number.NaN] });
});

test('a clock that was set back and another filter begin anew', () => {
  let state = tick(tick(START, at(5000)), at(6000));
  state = tick(state, at(2000));
  expect(seriesOf(state, '0')?.ends).toEqual([NOON + 2000]);
  state = tick(withFilter(state, 'proto:tcp'), at(3000));
  expect(seriesOf(state, '0')?.ends).toEqual([NOON + 3000]);
});

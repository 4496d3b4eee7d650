// Choosing in the chart: a cursor that starts on the peak, a range that is marked with it, and the question who moved what then.

import type { RangeTotals } from '../../model/range-totals.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Command, Effect } from '../action.ts';
import type { FrameSettings } from '../frame.ts';
import { commandLabel } from '../input/keymap.ts';
import { settled } from '../input/navigation.ts';
import { chartPlace } from '../layout.ts';
import type { ViewState } from '../state.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { columnsIn, penOf } from './plot.ts';
import { type ChartState, type Chosen, cellsUnder, RANGES, rangeOf, shownOf, slotsUnder, timeOfCell } from './range.ts';
import { type Peak, peakOf } from './slots.ts';

/** What the chart's keys give back. */
export interface ChartStep {
  readonly state: ViewState;
  readonly effects: readonly Effect[];
}

/** Longer or shorter: the next of RANGES. */
export function withRange(state: ViewState, by: number): ViewState {
  const range = Math.min(Math.max(0, state.chart.range + by), RANGES.length - 1);
  const chart = { ...state.chart, range };
  return { ...state, chart, notice: `chart: ${rangeOf(chart).name}` };
}

/** Linear or logarithmic. */
export function curved(state: ViewState): ViewState {
  const curve = state.chart.curve === 'linear' ? 'log' : 'linear';
  return { ...state, chart: { ...state.chart, curve }, notice: `chart: ${curve === 'log' ? 'logarithmic' : 'linear'} scale` };
}

/** One scale for both directions, or one each. */
export function separated(state: ViewState): ViewState {
  const separate = !state.chart.separate;
  const notice = separate ? 'chart: a scale each for RX and TX' : 'chart: one scale for RX and TX';
  return { ...state, chart: { ...state.chart, separate }, notice };
}

/**
 * Starts choosing on the higher of the two peaks; pressed again marks from the cursor on, and a third time takes the mark back.
 */
export function choose(before: ViewState, live: Snapshot, { glyphs, keys }: FrameSettings): ChartStep {
  const { chosen } = before.chart;
  const key = (command: Command): string => commandLabel(keys, command);
  const marks = chosen !== null && chosen.anchor === null;
  const marking = marks ? 'clears the mark' : 'marks a range';
  const notice = `${key('collapse')} ${key('expand')} move   ${key('mark')} ${marking}   ${key('back')} leaves`;
  const state = { ...before, notice };
  if (chosen !== null) return point(state, live, glyphs, chosen.cursor, chosen.anchor === null ? chosen.cursor : null);
  const { extent, series, across } = chartNow(state, live, glyphs);
  const rx = peakOf(series, 'rx', extent);
  const tx = peakOf(series, 'tx', extent);
  const peak = higher(rx, tx);
  if (peak === null) return { state: { ...state, notice: 'nothing in the chart to choose from yet' }, effects: [] };
  const [cell] = cellsUnder((peak.from + peak.to) / 2, (peak.from + peak.to) / 2, extent, across);
  return point(state, live, glyphs, timeOfCell(cell, extent, across), null);
}

function higher(a: Peak | null, b: Peak | null): Peak | null {
  if (a === null || b === null) return a ?? b;
  return b.rate > a.rate ? b : a;
}

/** Moves the cursor by cells; the mark, where there is one, stays. */
export function moveChosen(state: ViewState, live: Snapshot, glyphs: Glyphs, by: number): ChartStep {
  const { chosen } = state.chart;
  if (chosen === null) return { state, effects: [] };
  const { extent, across } = chartNow(state, live, glyphs);
  const [cell] = cellsUnder(chosen.cursor, chosen.cursor, extent, across);
  const last = Math.ceil(extent.columns / across) - 1;
  const to = Math.min(Math.max(0, cell + by), last);
  return point(state, live, glyphs, timeOfCell(to, extent, across), chosen.anchor);
}

/** Chooses the times under two places of the chart, in cells from its left end: what the mouse does. */
export function chooseCells(state: ViewState, live: Snapshot, glyphs: Glyphs, cell: number, anchor: number | null): ChartStep {
  const { extent, across } = chartNow(state, live, glyphs);
  const at = (each: number): number => timeOfCell(each, extent, across);
  return point(state, live, glyphs, at(cell), anchor === null ? null : at(anchor));
}

/** Leaves the past: every table shows what is now. */
export function unchosen(state: ViewState, live: Snapshot): ViewState {
  return state.chart.chosen === null ? state : settled({ ...state, chart: { ...state.chart, chosen: null } }, live);
}

/** Takes in what moved; an answer to what is no longer asked is dropped. Null: nothing of it was kept. */
export function answered(
  state: ViewState,
  live: Snapshot,
  asked: { from: number; to: number },
  answer: RangeTotals | null,
): ViewState {
  const { chosen } = state.chart;
  if (chosen === null || chosen.from !== asked.from || chosen.to !== asked.to) return state;
  const chart: ChartState = { ...state.chart, chosen: { ...chosen, answer: answer ?? nothing(asked) } };
  return settled({ ...state, chart }, live);
}

function point(state: ViewState, live: Snapshot, glyphs: Glyphs, cursor: number, anchor: number | null): ChartStep {
  const { extent, series, across } = chartNow(state, live, glyphs);
  const asked = slotsUnder(cursor, anchor ?? cursor, extent, across, series);
  const { from, to } = asked ?? { from: Math.min(cursor, anchor ?? cursor), to: Math.max(cursor, anchor ?? cursor) };
  const before = state.chart.chosen;
  const same = before !== null && before.from === from && before.to === to;
  const chosen: Chosen = { cursor, anchor, from, to, answer: before?.answer ?? null };
  if (asked === null) {
    const next = { ...state, chart: { ...state.chart, chosen: { ...chosen, answer: nothing({ from, to }) } } };
    return { state: settled(next, live), effects: [] };
  }
  const next = { ...state, chart: { ...state.chart, chosen } };
  return { state: next, effects: same ? [] : [{ type: 'past', from, to }] };
}

function chartNow(state: ViewState, live: Snapshot, glyphs: Glyphs) {
  const { across } = penOf(glyphs);
  const snapshot = state.paused ?? live;
  const cells = chartPlace(state.size.columns).cells;
  return { ...shownOf(state.chart, snapshot.time, columnsIn(cells, glyphs), snapshot.rates), across };
}

function nothing({ from, to }: { readonly from: number; readonly to: number }): RangeTotals {
  const none = { rxBytes: 0, txBytes: 0 };
  const others = { apps: none, hosts: none, categories: none, interfaces: none, flows: none };
  return { from, to, measuredMs: 0, total: none, apps: [], hosts: [], categories: [], interfaces: [], flows: [], others };
}

// The chart's selection: a cursor that starts on the peak, a range marked from it, and the question who moved what in that range.

import type { RangeTotals } from '../../model/range-totals.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Command, Step } from '../action.ts';
import type { FrameSettings } from '../frame.ts';
import { commandLabel } from '../input/keymap.ts';
import { settled } from '../input/navigation.ts';
import { chartPlace } from '../layout.ts';
import type { ViewState } from '../state.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { columnsIn, subcellsOf } from './plot.ts';
import {
  type ChartSelection,
  type ChartState,
  cellsBetween,
  chartData,
  nextMark,
  RANGES,
  rangeOf,
  slotsBetween,
  timeOfCell,
} from './range.ts';
import { type Peak, peakOf } from './slots.ts';

/** Shows a longer or shorter range: the next of `RANGES`. */
export function changeRange(state: ViewState, by: number): ViewState {
  const range = Math.min(Math.max(0, state.chart.range + by), RANGES.length - 1);
  const chart = { ...state.chart, range };
  return { ...state, chart, notice: `chart: ${rangeOf(chart).name}` };
}

/** Linear or logarithmic. */
export function toggleCurve(state: ViewState): ViewState {
  const curve = state.chart.curve === 'linear' ? 'log' : 'linear';
  return { ...state, chart: { ...state.chart, curve }, notice: `chart: ${curve === 'log' ? 'logarithmic' : 'linear'} scale` };
}

/** One scale for both directions, or one each. */
export function toggleScales(state: ViewState): ViewState {
  const separate = !state.chart.separate;
  const notice = separate ? 'chart: a scale each for RX and TX' : 'chart: one scale for RX and TX';
  return { ...state, chart: { ...state.chart, separate }, notice };
}

const THEN = { peak: 'marks a range', mark: 'marks all', 'mark all': 'clears the mark', 'clear the mark': 'marks a range' };

/** Puts the cursor on the higher of the two peaks; the next press begins a mark there, one more right away marks all, else the mark goes. */
export function toggleMark(before: ViewState, live: Snapshot, { glyphs, keys }: FrameSettings): Step {
  const { selection } = before.chart;
  const key = (command: Command): string => commandLabel(keys, command);
  const does = nextMark(before.chart.selection);
  const notice = `${key('collapse')} ${key('expand')} move   ${key('mark')} ${THEN[does]}   ${key('back')} leaves`;
  const state = { ...before, notice };
  const { extent, series, across } = currentChart(state, live, glyphs);
  if (does === 'mark all') {
    // The chart goes on behind now, where nothing has moved yet.
    const now = (state.paused ?? live).time - 1;
    const [newest] = cellsBetween(now, now, extent, across);
    return select(state, live, glyphs, timeOfCell(newest, extent, across), timeOfCell(0, extent, across));
  }
  if (selection !== null) return select(state, live, glyphs, selection.cursor, does === 'mark' ? selection.cursor : null);
  const rx = peakOf(series, 'rx', extent);
  const tx = peakOf(series, 'tx', extent);
  const peak = higher(rx, tx);
  if (peak === null) return { state: { ...state, notice: 'nothing in the chart to choose from yet' }, effects: [] };
  const [cell] = cellsBetween((peak.from + peak.to) / 2, (peak.from + peak.to) / 2, extent, across);
  return select(state, live, glyphs, timeOfCell(cell, extent, across), null);
}

function higher(a: Peak | null, b: Peak | null): Peak | null {
  if (a === null || b === null) return a ?? b;
  return b.rate > a.rate ? b : a;
}

/** Moves the cursor by cells; a mark stays where it is. */
export function moveCursor(state: ViewState, live: Snapshot, glyphs: Glyphs, by: number): Step {
  const { selection } = state.chart;
  if (selection === null) return { state, effects: [] };
  const { extent, across } = currentChart(state, live, glyphs);
  const [cell] = cellsBetween(selection.cursor, selection.cursor, extent, across);
  const last = Math.ceil(extent.columns / across) - 1;
  const to = Math.min(Math.max(0, cell + by), last);
  return select(state, live, glyphs, timeOfCell(to, extent, across), selection.anchor);
}

/** Selects the times under two cells of the chart, counted from its left end, as the mouse does. */
export function selectCells(state: ViewState, live: Snapshot, glyphs: Glyphs, cell: number, anchor: number | null): Step {
  const { extent, across } = currentChart(state, live, glyphs);
  const at = (each: number): number => timeOfCell(each, extent, across);
  return select(state, live, glyphs, at(cell), anchor === null ? null : at(anchor));
}

/** Clears the selection: the tables are live again. */
export function clearSelection(state: ViewState, live: Snapshot): ViewState {
  return state.chart.selection === null ? state : settled({ ...state, chart: { ...state.chart, selection: null } }, live);
}

/** Takes in the totals of the selection; drops those of an earlier one. Null means that nothing of the range is kept. */
export function takeTotals(
  state: ViewState,
  live: Snapshot,
  asked: { from: number; to: number },
  answer: RangeTotals | null,
): ViewState {
  const { selection } = state.chart;
  if (selection === null || selection.from !== asked.from || selection.to !== asked.to) return state;
  const chart: ChartState = { ...state.chart, selection: { ...selection, answer: answer ?? noTotals(asked) } };
  return settled({ ...state, chart }, live);
}

function select(state: ViewState, live: Snapshot, glyphs: Glyphs, cursor: number, anchor: number | null): Step {
  const { extent, series, across } = currentChart(state, live, glyphs);
  const asked = slotsBetween(cursor, anchor ?? cursor, extent, across, series);
  const { from, to } = asked ?? { from: Math.min(cursor, anchor ?? cursor), to: Math.max(cursor, anchor ?? cursor) };
  const before = state.chart.selection;
  const same = before !== null && before.from === from && before.to === to;
  const selection: ChartSelection = { cursor, anchor, from, to, answer: before?.answer ?? null };
  if (asked === null) {
    const next = { ...state, chart: { ...state.chart, selection: { ...selection, answer: noTotals({ from, to }) } } };
    return { state: settled(next, live), effects: [] };
  }
  const next = { ...state, chart: { ...state.chart, selection } };
  return { state: next, effects: same ? [] : [{ type: 'range-totals', from, to }] };
}

function currentChart(state: ViewState, live: Snapshot, glyphs: Glyphs) {
  const { across } = subcellsOf(glyphs);
  const snapshot = state.paused ?? live;
  const cells = chartPlace(state.size.columns).cells;
  return { ...chartData(state.chart, snapshot.time, columnsIn(cells, glyphs), snapshot.rates), across };
}

function noTotals({ from, to }: { readonly from: number; readonly to: number }): RangeTotals {
  const none = { rxBytes: 0, txBytes: 0 };
  const others = { apps: none, hosts: none, categories: none, interfaces: none, flows: none };
  return { from, to, measuredMs: 0, total: none, apps: [], hosts: [], categories: [], interfaces: [], flows: [], others };
}

// The view model of the history view: layout, window, bins and marked range. The reducer and the panels derive the same one. Pure.

import type { HistoryResult, TimeRange } from '../../model/history.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { columnsIn } from '../chart/plot.ts';
import { layoutOf } from '../layout.ts';
import { noteOf } from '../panels/header.ts';
import type { ViewState } from '../state.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { type HistoryLayout, historyLayout, historyPanes, plotOf } from './layout.ts';
import { binAt, binEdges, type Edges, markedOf, windowOf } from './range.ts';
import type { RequestContext } from './requests.ts';
import { resultOf } from './state.ts';

/** Columns of a chart that there is no room for: the bins decide what a mark means even then. */
const HIDDEN_CHART_COLUMNS = 60;

/** The view at one moment. Times in epoch ms. */
export interface HistoryViewModel {
  readonly now: number;
  readonly layout: HistoryLayout;
  readonly window: TimeRange;
  readonly bins: Bins;
  readonly marked: TimeRange | null;
  /** What the tables are about: what is marked, else the window. */
  readonly range: TimeRange;
  readonly context: RequestContext;
}

/** Derives the view model of a state. */
export function historyViewModel(state: ViewState, live: Snapshot, glyphs: Glyphs): HistoryViewModel {
  const { history } = state;
  const now = live.time;
  const layout = historyLayout(history, layoutOf(state, noteOf(state, live) !== '').room, state.zoomed);
  const window = windowOf(history, now);
  const result = resultOf(history, 'chart');
  const isAnswered = result !== null && result.query.from === window.from && result.query.to === window.to;
  const columns = layout.chart === null ? HIDDEN_CHART_COLUMNS : columnsIn(plotOf(layout.chart).cells, glyphs);
  const edges = binEdges(history.zoom, window, columns, isAnswered ? result.resolutionMs : 0);
  const marked = markedOf(history, edges);
  const range = marked ?? window;
  return {
    now,
    layout,
    window,
    bins: binsFrom(result, edges),
    marked,
    range,
    context: {
      now,
      shown: state.view === 'history',
      window,
      range,
      panes: historyPanes(history, state.size.columns, state.zoomed),
      filter: state.filter.applied,
    },
  };
}

/** Bytes by bin. A bin without records is unknown, not zero: it is NaN. */
export interface Bins {
  readonly edges: Edges;
  readonly rx: readonly number[];
  readonly tx: readonly number[];
}

/** The fullest bin of a direction. */
interface PeakBin {
  readonly bytes: number;
  readonly bin: number;
}

/** Sorts an answer into bins. Times outside belong to the answer to an older question and are dropped. */
function binsFrom(result: HistoryResult | null, edges: Edges): Bins {
  const bins = edges.length - 1;
  const rx = new Array<number>(bins).fill(Number.NaN);
  const tx = new Array<number>(bins).fill(Number.NaN);
  const from = edges[0] as number;
  const to = edges[bins] as number;
  const book = (time: number, received: number, sent: number): void => {
    // Below zero is a correction of what was booked before: a record all the same.
    if (time < from || time >= to || (received === 0 && sent === 0)) return;
    const bin = binAt(edges, time);
    rx[bin] = known(rx[bin]) + received;
    tx[bin] = known(tx[bin]) + sent;
  };
  if (result?.series != null) {
    const { from: start, stepMs, rxBytes, txBytes } = result.series;
    for (const [step, received] of rxBytes.entries()) book(start + step * stepMs, received, txBytes[step] ?? 0);
  } else if (result?.query.by === 'day')
    for (const row of result.rows) if (row.start !== null) book(Math.max(row.start, from), row.rxBytes, row.txBytes);
  return { edges, rx, tx };
}

/** The fullest bin, the latest of equal ones; null where nothing is recorded. */
export function peakBin(values: readonly number[]): PeakBin | null {
  let best: PeakBin | null = null;
  for (const [bin, bytes] of values.entries()) if (bytes > 0 && bytes >= (best?.bytes ?? 0)) best = { bytes, bin };
  return best;
}

/** The last bin in which something is recorded; null for none. */
export function lastRecordedBin({ rx }: Bins): number | null {
  for (let bin = rx.length - 1; bin >= 0; bin--) if (!Number.isNaN(rx[bin])) return bin;
  return null;
}

function known(value: number | undefined): number {
  return value === undefined || Number.isNaN(value) ? 0 : value;
}

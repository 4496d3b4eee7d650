// What the view of history is about at a moment: window, bins, marked stretch, places. One answer for the reducer and for the panels. Pure.

import type { Snapshot } from '../../aggregate/snapshot.ts';
import { columnsIn } from '../chart/plot.ts';
import type { Glyphs } from '../glyphs.ts';
import { layoutOf } from '../layout.ts';
import { noteOf } from '../panels/header.ts';
import type { ViewState } from '../state.ts';
import { type Charted, chartedOf } from './charted.ts';
import { type HistoryLayout, historyLayout, historyPanes, plotOf } from './layout.ts';
import type { Asking } from './questions.ts';
import { resultOf } from './state.ts';
import { binsOf, markedOf, type Stretch, windowOf } from './stretch.ts';

/** Columns of a chart that has no room of its own: what is marked must still be one thing. */
const UNSEEN_COLUMNS = 60;

/** The view at a moment. Times epoch ms. */
export interface Scene {
  readonly now: number;
  readonly layout: HistoryLayout;
  readonly window: Stretch;
  readonly charted: Charted;
  readonly marked: Stretch | null;
  /** What the tables are about: what is marked, else the window. */
  readonly stretch: Stretch;
  readonly asking: Asking;
}

/** The scene of a state. */
export function sceneOf(state: ViewState, live: Snapshot, glyphs: Glyphs): Scene {
  const { history } = state;
  const now = live.time;
  const layout = historyLayout(history, layoutOf(state, noteOf(state, live) !== '').room, state.zoomed);
  const window = windowOf(history, now);
  const result = resultOf(history, 'chart');
  const isAnswered = result !== null && result.query.from === window.from && result.query.to === window.to;
  const columns = layout.chart === null ? UNSEEN_COLUMNS : columnsIn(plotOf(layout.chart).cells, glyphs);
  const edges = binsOf(history.zoom, window, columns, isAnswered ? result.resolutionMs : 0);
  const marked = markedOf(history, edges);
  const stretch = marked ?? window;
  return {
    now,
    layout,
    window,
    charted: chartedOf(result, edges),
    marked,
    stretch,
    asking: {
      now,
      shown: state.view === 'history',
      window,
      stretch,
      panes: historyPanes(history, state.size.columns, state.zoomed),
      filter: state.filter.applied,
    },
  };
}

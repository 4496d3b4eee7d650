// Moving through recorded time: stepping, zooming, marking a range. State in, state out.

import type { ViewState } from '../state.ts';
import { dateText, stepped, ZOOMS } from '../text/calendar.ts';
import { binAt, windowOf } from './range.ts';
import { type HistoryState, resultOf } from './state.ts';
import type { HistoryViewModel } from './view-model.ts';
import { lastRecordedBin, peakBin } from './view-model.ts';

/** The state with its history changed, and a notice about it if there is one. */
export function withHistory(state: ViewState, change: Partial<HistoryState>, notice = state.notice): ViewState {
  return { ...state, history: { ...state.history, ...change }, notice };
}

/** Follows now again; nothing is marked. */
export function toNow(state: ViewState): ViewState {
  return withHistory(state, { anchor: null, cursor: null, mark: null });
}

/** One window back or forward; with a cursor in the chart, one bin. */
export function stepBy(state: ViewState, model: HistoryViewModel, by: number): ViewState {
  const { history } = state;
  if (history.cursor !== null) return moveCursor(state, model, by);
  if (by > 0 && history.anchor === null) return { ...state, notice: 'this is now' };
  const oldest = resultOf(history, 'chart')?.oldest ?? null;
  if (by < 0 && oldest !== null && model.window.from <= oldest)
    return { ...state, notice: `nothing is recorded before ${dateText(oldest)}` };
  // The last sixty minutes begin within a full hour: one step back shows that hour.
  const base =
    history.zoom === 'hour' && history.anchor === null ? model.window.from : stepped(history.zoom, model.window.from, by);
  return withHistory(state, { anchor: anchorFor({ ...history, anchor: base }, model.now) });
}

/** A shorter window (-1) or a longer one (1), around the cursor where there is one. */
export function zoomBy(state: ViewState, model: HistoryViewModel, by: number): ViewState {
  const { history } = state;
  const zoom = ZOOMS[ZOOMS.indexOf(history.zoom) + by];
  if (zoom === undefined) return { ...state, notice: by < 0 ? 'an hour is the shortest' : 'a year is the longest' };
  const anchor = history.cursor ?? (history.anchor === null ? null : model.window.from);
  return withHistory(state, {
    zoom,
    anchor: anchorFor({ ...history, zoom, anchor }, model.now),
    cursor: null,
    mark: null,
  });
}

/** Shows one day. */
export function showDay(state: ViewState, day: number, now: number): ViewState {
  const history: HistoryState = { ...state.history, zoom: 'day', anchor: day };
  return withHistory(state, { zoom: 'day', anchor: anchorFor(history, now), cursor: null, mark: null, page: null });
}

/** First press: the cursor appears at the peak; second: it marks one end of a range; third: the mark goes away. */
export function markRange(state: ViewState, model: HistoryViewModel): ViewState {
  const { cursor, mark } = state.history;
  if (cursor !== null) return withHistory(state, { mark: mark === null ? cursor : null });
  const { bins } = model;
  const sums = bins.rx.map((received, bin) => received + (bins.tx[bin] as number));
  const bin = peakBin(sums)?.bin ?? lastRecordedBin(bins) ?? binAt(bins.edges, model.now);
  return withHistory(state, { cursor: bins.edges[bin] as number, mark: null });
}

function moveCursor(state: ViewState, model: HistoryViewModel, by: number): ViewState {
  const { edges } = model.bins;
  const bin = Math.min(Math.max(0, binAt(edges, state.history.cursor ?? 0) + by), edges.length - 2);
  return withHistory(state, { cursor: edges[bin] as number });
}

/** The anchor of a window; null for the present one, which moves on with time. */
function anchorFor(history: HistoryState, now: number): number | null {
  if (history.anchor === null) return null;
  const { from, to } = windowOf(history, now);
  return now < to || from > now ? null : history.anchor;
}

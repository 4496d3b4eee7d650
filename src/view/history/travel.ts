// Ways through time: stepping, zooming, marking a range. State in, state out.

import type { ViewState } from '../state.ts';
import { dateText, stepped, ZOOMS } from './calendar.ts';
import { binAt, windowOf } from './range.ts';
import type { Scene } from './scene.ts';
import { fullestOf, lastBin } from './scene.ts';
import { type HistoryState, resultOf } from './state.ts';

/** The state with its history changed, and perhaps a word about it. */
export function withHistory(state: ViewState, change: Partial<HistoryState>, notice = state.notice): ViewState {
  return { ...state, history: { ...state.history, ...change }, notice };
}

/** Follows now again; nothing is marked. */
export function toNow(state: ViewState): ViewState {
  return withHistory(state, { anchor: null, cursor: null, mark: null });
}

/** One window back or forward; with a cursor in the chart, one bin. */
export function stepBy(state: ViewState, scene: Scene, by: number): ViewState {
  const { history } = state;
  if (history.cursor !== null) return moveCursor(state, scene, by);
  if (by > 0 && history.anchor === null) return { ...state, notice: 'this is now' };
  const oldest = resultOf(history, 'chart')?.oldest ?? null;
  if (by < 0 && oldest !== null && scene.window.from <= oldest)
    return { ...state, notice: `nothing is recorded before ${dateText(oldest)}` };
  // An hour that follows now began at no full hour: the one before it ends where the full hour of its beginning does.
  const base =
    history.zoom === 'hour' && history.anchor === null ? scene.window.from : stepped(history.zoom, scene.window.from, by);
  return withHistory(state, { anchor: settledAnchor({ ...history, anchor: base }, scene.now) });
}

/** A shorter window (-1) or a longer one (1), around the cursor where there is one. */
export function zoomBy(state: ViewState, scene: Scene, by: number): ViewState {
  const { history } = state;
  const zoom = ZOOMS[ZOOMS.indexOf(history.zoom) + by];
  if (zoom === undefined) return { ...state, notice: by < 0 ? 'an hour is the shortest' : 'a year is the longest' };
  const anchor = history.cursor ?? (history.anchor === null ? null : scene.window.from);
  return withHistory(state, {
    zoom,
    anchor: settledAnchor({ ...history, zoom, anchor }, scene.now),
    cursor: null,
    mark: null,
  });
}

/** Shows one day. */
export function showDay(state: ViewState, day: number, now: number): ViewState {
  const history: HistoryState = { ...state.history, zoom: 'day', anchor: day };
  return withHistory(state, { zoom: 'day', anchor: settledAnchor(history, now), cursor: null, mark: null, page: null });
}

/** The cursor appears at the peak; then it holds one end of a range; then the range is given up. */
export function markRange(state: ViewState, scene: Scene): ViewState {
  const { cursor, mark } = state.history;
  if (cursor !== null) return withHistory(state, { mark: mark === null ? cursor : null });
  const { charted } = scene;
  const sums = charted.rx.map((received, bin) => received + (charted.tx[bin] as number));
  const bin = fullestOf(sums)?.bin ?? lastBin(charted) ?? binAt(charted.edges, scene.now);
  return withHistory(state, { cursor: charted.edges[bin] as number, mark: null });
}

function moveCursor(state: ViewState, scene: Scene, by: number): ViewState {
  const { edges } = scene.charted;
  const bin = Math.min(Math.max(0, binAt(edges, state.history.cursor ?? 0) + by), edges.length - 2);
  return withHistory(state, { cursor: edges[bin] as number });
}

/** null where the window is the present one: it goes on with time. */
function settledAnchor(history: HistoryState, now: number): number | null {
  if (history.anchor === null) return null;
  const { from, to } = windowOf(history, now);
  return now < to || from > now ? null : history.anchor;
}

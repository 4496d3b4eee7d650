// The screen of history shared out: chart, lines of totals, tables; on the page of an app its calendar. Exact cells.

import { visibleRows } from '../layout.ts';
import type { Rect } from '../pane.ts';
import { HISTORY_PANES, type HistoryPane, type HistoryState } from './state.ts';

/** Rectangles of the view; null where there is no room. */
export interface HistoryLayout {
  readonly chart: Rect | null;
  readonly summary: Rect;
  readonly calendar: Rect | null;
  readonly tables: readonly { readonly pane: HistoryPane; readonly rect: Rect }[];
}

/** Frame, months, seven days, legend. */
const CALENDAR_ROWS = 11;
/** Frame, header row and two rows. */
const TABLE_LEAST = 5;

/** Tables side by side at this width: one under 100 columns, two under 160, three from there on; the focused one is among them. */
export function historyPanes(history: HistoryState, columns: number, zoomed: boolean): readonly HistoryPane[] {
  if (history.page !== null) return ['domains'];
  const count = zoomed || columns < 100 ? 1 : columns < 160 ? 2 : 3;
  const focus = HISTORY_PANES.indexOf(history.pane);
  const first = Math.max(0, Math.min(focus, HISTORY_PANES.length - count, focus - count + 1));
  return HISTORY_PANES.slice(first, first + count);
}

/**
 * Shares the room between header and footer.
 *
 *     chart      none under 14 rows, 6 under 19, 9 under 30, 13 under 40, 17 from there on; the page of an app has one from 34 rows
 *     summary    3 lines, 2 without a budget, 1 under 14 rows
 *     calendar   11 rows on the page of an app; where that leaves no table, it and the table take turns with Tab
 *     tables     the rest, side by side; a zoomed one has the chart's room too
 */
export function historyLayout(history: HistoryState, room: Rect, zoomed: boolean): HistoryLayout {
  const { height, width, left } = room;
  const { page } = history;
  const summaryRows = Math.min(height < 14 ? 1 : history.plan === null ? 2 : 3, height);
  const chartLeast = page === null ? 14 : 34;
  const chartRows =
    (zoomed && page === null) || height < chartLeast ? 0 : height < 19 ? 6 : height < 30 ? 9 : height < 40 ? 13 : 17;
  let top = room.top;
  const take = (rows: number): Rect => {
    const rect = { left, top, width, height: rows };
    top += rows;
    return rect;
  };
  const chart = chartRows > 0 ? take(chartRows) : null;
  const summary = take(summaryRows);
  let rest = height - chartRows - summaryRows;
  let calendar: Rect | null = null;
  if (page !== null) {
    const both = rest >= CALENDAR_ROWS + TABLE_LEAST;
    if (both || page.pane === 'calendar') calendar = take(Math.min(CALENDAR_ROWS, rest));
    if (both) rest -= CALENDAR_ROWS;
    else if (calendar !== null) return { chart, summary, calendar, tables: [] };
  }
  const panes = historyPanes(history, width, zoomed);
  const tables = panes.map((pane, index) => {
    const from = Math.floor((index * width) / panes.length);
    const to = Math.floor(((index + 1) * width) / panes.length);
    return { pane, rect: { left: left + from, top, width: to - from, height: rest } };
  });
  return { chart, summary, calendar, tables };
}

/** Columns and labels: what of the chart's frame the plot itself gets. */
export function plotOf(chart: Rect): { readonly labels: number; readonly cells: number; readonly rows: number } {
  const labels = chart.width >= 60 ? 9 : 0;
  return { labels, cells: Math.max(1, chart.width - 4 - labels), rows: Math.max(2, chart.height - 4) };
}

/** Rows that a table of the view shows at once. */
export function historyPage(layout: HistoryLayout, pane: HistoryPane): number {
  const rect = layout.tables.find((table) => table.pane === pane)?.rect;
  return rect === undefined ? 1 : Math.max(1, visibleRows(rect));
}

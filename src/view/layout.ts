// Size -> named rectangles. All exact: blessed's percentages round, and a column is lost at some widths.

import { SCALE_CELLS } from './chart/mirror.ts';
import type { Rect } from './pane.ts';
import { paneOf, type TableName, type ViewState } from './state.ts';

/** Where everything lies on a screen of one size. */
export interface Layout {
  /** False when there is no room for anything but a sentence. */
  readonly fits: boolean;
  readonly header: Rect;
  /** Line of the screen with the tabs; null where there is no room. */
  readonly tabs: number | null;
  /** The chart of both directions; null where there is no room. */
  readonly chart: Rect | null;
  /** In its place on small screens, a line for each. */
  readonly sparks: { readonly rx: Rect; readonly tx: Rect } | null;
  /** Tables in the order in which Tab goes through them. */
  readonly tables: readonly { readonly table: TableName; readonly rect: Rect }[];
  /** What is known about the selected row of the focused table; null but on wide screens. */
  readonly details: Rect | null;
  /** How well hosts answer, below the interfaces; null elsewhere, and where there is no room. */
  readonly quality: Rect | null;
  readonly footer: Rect;
  /** Between header and charts above, footer below. */
  readonly room: Rect;
}

/** Least size that is drawn; below it a sentence says so. */
export const LEAST = { columns: 40, rows: 10 } as const;

const HEADER_ROWS = 2;
/** Rows from which on there is a line of tabs. */
const TABS_LEAST = 14;
/** A title and a line. */
const SPARK_ROWS = 2;
/** A frame, an axis, two rows above and two below. */
const CHART_LEAST = 7;
/** Frame, header row and two rows. */
const TABLE_LEAST = 5;
/** Frame, a sentence, a header row and four rows. */
const QUALITY_LEAST = 8;
/** Columns from which on the overview shows hosts, categories and details beside apps and connections. */
const WIDE = 160;
/** Part of a wide screen that apps and connections get. */
const WIDE_LEFT = 0.6;
/** Frame and ten facts. */
const DETAILS_LEAST = 12;
/** Frame, header row and six rows: the table of the lite screen, and the categories of a wide one. */
const SIX_ROWS = 9;

/**
 * Shares the screen.
 *
 *     header    2 rows, the tabs from 14 rows on, a note
 *     chart     overview, and everywhere while something is chosen in it (then 7 rows at the least, from 16): none under 20 rows, a line for RX and
 *               one for TX under 30, then 7 rows, 9 from 40, 11 from 46, 15 from 60
 *     tables    overview: apps over connections (2:3); from 160 columns hosts, categories and details beside them; only the focused one under
 *               10 rows
 *     interfaces  over what tells how well hosts answer (2:3), six of them at the most
 *     events    alone, or under alerts where there are any (2:3)
 *     dns       questions under resolvers, which have a third of the room: two rows at least, six at most
 *     lite      apps alone, six of them, under a chart that takes up to 15 rows
 *     footer    1 row, 2 while a filter is typed
 */
export function layoutOf(state: ViewState, note: boolean): Layout {
  const { columns, rows } = state.size;
  const footerRows = state.filter.cursor === null ? 1 : 2;
  const tabs = hasTabs(state) ? HEADER_ROWS : null;
  const headerRows = HEADER_ROWS + (tabs === null ? 0 : 1) + (note ? 1 : 0);
  const header = { left: 0, top: 0, width: columns, height: headerRows };
  const footer = { left: 0, top: rows - footerRows, width: columns, height: footerRows };
  const fits = columns >= LEAST.columns && rows >= LEAST.rows;
  const chartRows = chartRowsOf(state);
  const half = Math.floor(columns / 2);
  const chart = (left: number, width: number): Rect => ({ left, top: headerRows, width, height: chartRows });
  const room = { left: 0, top: headerRows + chartRows, width: columns, height: rows - headerRows - chartRows - footerRows };
  return {
    fits,
    header,
    tabs,
    chart: chartRows >= CHART_LEAST ? chart(0, columns) : null,
    sparks: chartRows === SPARK_ROWS ? { rx: chart(0, half), tx: chart(half, columns - half) } : null,
    ...(fits && state.view !== 'history' ? tablesIn(state, room) : { tables: [], details: null, quality: null }),
    footer,
    room,
  };
}

/** Whether a line of tabs says which view is shown; without it the title of the pane does. */
export function hasTabs(state: ViewState): boolean {
  return state.size.rows >= TABS_LEAST && !showsLite(state);
}

/** Whether the overview is the lite screen: one glance, no tabs. */
export function showsLite({ lite, view }: ViewState): boolean {
  return lite && view === 'overview';
}

function chartRowsOf(state: ViewState): number {
  const { view, zoomed, size, chart } = state;
  const { rows } = size;
  const { selection } = chart;
  if (view === 'history') return 0;
  if (showsLite(state)) {
    const left = rows - HEADER_ROWS - SIX_ROWS - 1;
    return left >= CHART_LEAST ? Math.min(15, left) : left >= SPARK_ROWS ? SPARK_ROWS : 0;
  }
  const least = selection !== null && rows >= 16 ? CHART_LEAST : 0;
  if (view !== 'overview' || zoomed || rows < 20) return least;
  return Math.max(least, rows < 30 ? SPARK_ROWS : rows < 40 ? CHART_LEAST : rows < 46 ? 9 : rows < 60 ? 11 : 15);
}

/** Where the cells of time are in a chart as wide as the screen. */
export function chartPlace(columns: number): { readonly left: number; readonly cells: number } {
  const left = 2 + SCALE_CELLS;
  return { left, cells: Math.max(1, columns - left - 2) };
}

function tablesIn(state: ViewState, room: Rect): Pick<Layout, 'tables' | 'details' | 'quality'> {
  const alone = (table: TableName) => ({ tables: [{ table, rect: room }], details: null, quality: null });
  if (state.view === 'events' && state.hasAlerts) {
    if (state.zoomed || room.height < 2 * TABLE_LEAST) return alone(state.pane);
    const [alerts, events] = stacked(room, Math.max(TABLE_LEAST, Math.floor(room.height * 0.4)));
    return {
      tables: [
        { table: 'alerts', rect: alerts },
        { table: 'events', rect: events },
      ],
      details: null,
      quality: null,
    };
  }
  if (state.view === 'dns') {
    if (state.zoomed || room.height < 2 * TABLE_LEAST) return alone(state.pane);
    const [resolvers, questions] = stacked(room, Math.max(TABLE_LEAST, Math.min(SIX_ROWS, Math.floor(room.height / 3))));
    return {
      tables: [
        { table: 'resolvers', rect: resolvers },
        { table: 'questions', rect: questions },
      ],
      details: null,
      quality: null,
    };
  }
  if (state.view === 'interfaces' && !state.zoomed && room.height >= TABLE_LEAST + QUALITY_LEAST) {
    const [over, under] = stacked(room, Math.max(TABLE_LEAST, Math.min(SIX_ROWS, Math.floor(room.height * 0.4))));
    return { tables: [{ table: 'interfaces', rect: over }], details: null, quality: under };
  }
  if (state.view !== 'overview') return alone(paneOf(state.view));
  if (showsLite(state)) return alone('apps');
  if (state.zoomed) return alone(state.pane);
  if (room.height < 2 * TABLE_LEAST) return alone(panesOf(state).includes(state.pane) ? state.pane : 'apps');
  const upper = Math.max(TABLE_LEAST, Math.floor(room.height * 0.4));
  const isWide = room.width >= WIDE;
  const [over, under] = stacked({ ...room, width: isWide ? Math.floor(room.width * WIDE_LEFT) : room.width }, upper);
  const apps = { table: 'apps', rect: over } as const;
  const connections = { table: 'connections', rect: under } as const;
  if (!isWide) return { tables: [apps, connections], details: null, quality: null };
  const [top, rest] = stacked({ ...room, left: over.width, width: room.width - over.width }, upper);
  const hasDetails = rest.height >= TABLE_LEAST + DETAILS_LEAST;
  const [middle, details] = stacked(rest, hasDetails ? Math.min(SIX_ROWS, rest.height - DETAILS_LEAST) : rest.height);
  const tables = [apps, { table: 'hosts', rect: top }, connections, { table: 'categories', rect: middle }] as const;
  return { tables, details: hasDetails ? details : null, quality: null };
}

/** A rectangle cut into an upper one of so many rows and the rest. */
function stacked(rect: Rect, rows: number): readonly [Rect, Rect] {
  return [
    { ...rect, height: rows },
    { ...rect, top: rect.top + rows, height: rect.height - rows },
  ];
}

/** Tables that Tab goes through in the present view, also where only one of them fits. */
export function panesOf(state: ViewState): readonly TableName[] {
  if (state.view === 'events' && state.hasAlerts) return ['alerts', 'events'];
  if (state.view === 'dns') return ['questions', 'resolvers'];
  if (state.view !== 'overview' || state.lite) return [paneOf(state.view)];
  return state.size.columns >= WIDE ? ['apps', 'hosts', 'connections', 'categories'] : ['apps', 'connections'];
}

/** Rows of data a table of this height shows: its frame and header row are taken off. */
export function visibleRows(rect: Rect): number {
  return Math.max(0, rect.height - 3);
}

/** Where popups lie: between the tabs and the footer, or under the first line where there are no tabs. */
export function popupRoom(state: ViewState): Rect {
  const { columns, rows } = state.size;
  const top = hasTabs(state) ? HEADER_ROWS + 1 : 1;
  return { left: 0, top, width: columns, height: Math.max(1, rows - top - 1) };
}

/** A rectangle of at most the given size in the middle of another. */
export function centred(room: Rect, width: number, height: number): Rect {
  const w = Math.min(width, room.width);
  const h = Math.min(height, room.height);
  const left = room.left + Math.floor((room.width - w) / 2);
  return { left, top: room.top + Math.floor((room.height - h) / 2), width: w, height: h };
}

// A whole frame from state and snapshot: every pane as lines, every chart as numbers, and what lies where for the mouse. Pure.

import type { Alert } from '../model/alert.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { KeyTable } from './input/keymap.ts';
import { selectedRow } from './input/navigation.ts';
import { LEAST, layoutOf } from './layout.ts';
import { fitLine, type Pane, type Rect, withHints } from './pane.ts';
import { type ChartModel, type ChartPane, chartPanel, sparkPanel } from './panels/chart.ts';
import { footerPanel } from './panels/footer.ts';
import { headerPanel, noteOf } from './panels/header.ts';
import { type PaneFacts, paneHints } from './panels/hints.ts';
import { type HistoryTablePart, historyPanel } from './panels/history/panel.ts';
import { detailsPanel, popupPanel } from './panels/popup.ts';
import { qualityPanel } from './panels/quality.ts';
import { type TableModel, tablePanel } from './panels/table.ts';
import { type Tab, tabLine } from './panels/tabs.ts';
import type { TableName, ViewState } from './state.ts';
import { isAllowable } from './tables/alerts.ts';
import { hasBranches } from './tables/rows.ts';
import type { Glyphs } from './text/glyphs.ts';
import { type Line, span } from './text/span.ts';

/** A pane of rows, with what lies under its cells. */
export interface TablePane extends Pane, TableModel {
  readonly table: TableName;
}

/** All that is drawn at one moment. */
export interface Frame {
  readonly header: Pane;
  /** The tabs in their line of the screen. */
  readonly tabs: { readonly top: number; readonly tabs: readonly Tab[] } | null;
  readonly footer: Pane;
  readonly chart: ChartPane | null;
  readonly sparks: readonly ChartModel[];
  readonly tables: readonly TablePane[];
  /** Parts without rows: of the view of history, the details on a wide screen, what stands below the interfaces. */
  readonly parts: readonly Pane[];
  readonly historyTables: readonly HistoryTablePart[];
  readonly popup: Pane | null;
  /** The whole screen, when it is too small for anything else. */
  readonly message: Pane | null;
}

/** What a frame needs besides state and snapshot; fixed for a run. */
export interface FrameSettings {
  readonly glyphs: Glyphs;
  readonly keys: KeyTable;
}

const NOWHERE: Pane = { rect: { left: 0, top: 0, width: 0, height: 0 }, lines: [] };

/** Composes the frame. */
export function frameOf(state: ViewState, live: Snapshot, { glyphs, keys }: FrameSettings): Frame {
  const layout = layoutOf(state, noteOf(state, live) !== '');
  if (!layout.fits)
    return {
      header: NOWHERE,
      tabs: null,
      footer: NOWHERE,
      chart: null,
      sparks: [],
      tables: [],
      parts: [],
      historyTables: [],
      popup: null,
      message: tooSmall(state, glyphs),
    };
  const history = state.view === 'history' ? historyPanel(state, live, glyphs, keys) : null;
  const { sparks } = layout;
  const tabs = layout.tabs === null ? null : tabLine(state.view, keys, glyphs, layout.header.width);
  const spark = (direction: 'rx' | 'tx', { left, top, width, height }: Rect): ChartModel =>
    sparkPanel(state, live, glyphs, direction, { left: left + 1, top, width: width - 2, height });
  const chart = (rect: Rect): ChartPane => {
    const pane = chartPanel(state, live, glyphs, rect);
    return {
      ...pane,
      lines: withHints(pane.lines, paneHints('chart', state, keys, glyphs, { keeps: live.capture.kept !== null }), glyphs),
    };
  };
  const tablePane = (table: TableName, rect: Rect): TablePane => {
    const pane = tablePanel(state, live, glyphs, table, rect);
    const hints = state.pane === table && state.popup === null ? paneHints(table, state, keys, glyphs, factsOf(state, live)) : [];
    return { table, rect, ...pane, lines: withHints(pane.lines, hints, glyphs) };
  };
  return {
    header: { rect: layout.header, lines: headerPanel(state, live, glyphs, layout.header.width, tabs?.line ?? null) },
    tabs: layout.tabs === null || tabs === null ? null : { top: layout.tabs, tabs: tabs.tabs },
    footer: { rect: layout.footer, lines: footerPanel(state, live, glyphs, keys, layout.footer.width) },
    chart: history?.chart ?? (layout.chart === null ? null : chart(layout.chart)),
    sparks: sparks === null ? [] : [spark('rx', sparks.rx), spark('tx', sparks.tx)],
    tables: layout.tables.map(({ table, rect }) => tablePane(table, rect)),
    parts: history?.parts ?? [
      ...(layout.details === null ? [] : [detailsPanel(state, live, glyphs, keys, layout.details)]),
      ...(layout.quality === null ? [] : [qualityPanel(state, live, glyphs, layout.quality)]),
    ],
    historyTables: history?.tables ?? [],
    popup: state.popup === null ? null : popupPanel(state, live, glyphs, keys, state.popup),
    message: null,
  };
}

/** What keys do with the selected row. */
function factsOf(state: ViewState, live: Snapshot): PaneFacts {
  const row = selectedRow(state, live);
  return {
    opens: row !== undefined && hasBranches(row, state.pane),
    keeps: live.capture.kept !== null,
    allows: state.pane === 'alerts' && row !== undefined && isAllowable(row as Alert),
  };
}

function tooSmall(state: ViewState, glyphs: Glyphs): Pane {
  const { columns, rows } = state.size;
  const text = [`${columns}x${rows} is too small,`, `netmon-tui needs ${LEAST.columns}x${LEAST.rows}.`, 'Make it larger, or q.'];
  const lines: Line[] = [];
  for (let y = 0; y < rows; y++) lines.push(fitLine([span(text[y] ?? '')], columns, glyphs));
  return { rect: { left: 0, top: 0, width: columns, height: rows }, lines };
}

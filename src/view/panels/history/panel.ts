// The view of history as panes: chart, lines of totals, calendar, tables; and where rows and bins lie for the mouse.

import type { Snapshot } from '../../../model/snapshot.ts';
import { plotOf } from '../../history/layout.ts';
import { type HistoryPane, whyNotRecorded } from '../../history/state.ts';
import { historyViewModel } from '../../history/view-model.ts';
import type { KeyTable } from '../../input/keymap.ts';
import { hasTabs } from '../../layout.ts';
import { type Rect, withHints } from '../../pane.ts';
import type { ViewState } from '../../state.ts';
import type { Glyphs } from '../../text/glyphs.ts';
import type { Line } from '../../text/span.ts';
import type { ChartPane } from '../chart.ts';
import { type HintedPane, paneHints, type Recording } from '../hints.ts';
import { contextOf } from '../table.ts';
import { viewName } from '../tabs.ts';
import { historyCalendar } from './calendar.ts';
import { historyChart } from './chart.ts';
import { historySummary } from './summary.ts';
import { historyTable } from './table.ts';

/** A drawn part of the view. */
export interface HistoryPart {
  readonly rect: Rect;
  readonly lines: readonly Line[];
}

/** A drawn table; its rows begin on the third line. */
export interface HistoryTablePart extends HistoryPart {
  readonly pane: HistoryPane;
  readonly ids: readonly string[];
}

/** All parts of the view. */
export interface HistoryPanel {
  readonly chart: ChartPane | null;
  readonly parts: readonly HistoryPart[];
  readonly tables: readonly HistoryTablePart[];
}

function chartPane(rect: Rect, lines: readonly Line[]): ChartPane {
  const { labels, cells } = plotOf(rect);
  return { rect, lines, left: 2 + labels, cells };
}

/** What the key that records does now. */
function recordingKey(state: ViewState, live: Snapshot): Recording {
  const { history } = live.capture;
  if (history === null) return whyNotRecorded(state.history, live) === null ? 'begins' : null;
  return history.state === 'busy' ? null : 'writes';
}

/** Draws the view. */
export function historyPanel(state: ViewState, live: Snapshot, glyphs: Glyphs, keys: KeyTable): HistoryPanel {
  const { history } = state;
  const recording = recordingKey(state, live);
  const hinted = (pane: HintedPane, lines: readonly Line[]): readonly Line[] =>
    state.popup === null ? withHints(lines, paneHints(pane, state, keys, glyphs, { recording }), glyphs) : lines;
  const model = historyViewModel(state, live, glyphs);
  const { chart, summary, calendar, tables } = model.layout;
  const context = contextOf(state, live, glyphs);
  const parts: HistoryPart[] = [];
  parts.push({ rect: summary, lines: historySummary(state, live, model, glyphs, keys, summary.width, summary.height) });
  if (calendar !== null && history.page !== null) {
    const lines = historyCalendar(state, live, history.page, glyphs, calendar);
    parts.push({ rect: calendar, lines: history.page.pane === 'calendar' ? hinted('calendar', lines) : lines });
  }
  const view = hasTabs(state) ? '' : `${viewName('history')} ${glyphs.separator} `;
  const focus = history.page === null ? history.pane : history.page.pane === 'domains' ? 'domains' : null;
  return {
    chart:
      chart === null ? null : chartPane(chart, hinted('history chart', historyChart(state, live, model, glyphs, keys, chart))),
    parts,
    tables: tables.map(({ pane, rect }) => {
      const isFocused = focus === pane && state.popup === null;
      const made = historyTable(history, pane, rect, isFocused, context, state.filter.applied !== '', model.range, view);
      return {
        pane,
        rect,
        ids: made.ids,
        lines: isFocused ? hinted(chart === null ? 'history list alone' : 'history list', made.lines) : made.lines,
      };
    }),
  };
}

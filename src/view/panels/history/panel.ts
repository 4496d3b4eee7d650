// The view of history as panes: chart, lines of totals, calendar, tables; and where rows and bins lie for the mouse.

import type { Snapshot } from '../../../model/snapshot.ts';
import { plotOf } from '../../history/layout.ts';
import type { HistoryPane } from '../../history/state.ts';
import { historyViewModel } from '../../history/view-model.ts';
import type { Rect } from '../../pane.ts';
import type { ViewState } from '../../state.ts';
import type { Glyphs } from '../../text/glyphs.ts';
import type { Line } from '../../text/span.ts';
import type { ChartPane } from '../chart.ts';
import { contextOf } from '../table.ts';
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

/** Draws the view. */
export function historyPanel(state: ViewState, live: Snapshot, glyphs: Glyphs): HistoryPanel {
  const { history } = state;
  const model = historyViewModel(state, live, glyphs);
  const { chart, summary, calendar, tables } = model.layout;
  const context = contextOf(state, live, glyphs);
  const parts: HistoryPart[] = [];
  parts.push({ rect: summary, lines: historySummary(state, live, model, glyphs, summary.width, summary.height) });
  if (calendar !== null && history.page !== null)
    parts.push({ rect: calendar, lines: historyCalendar(state, live, history.page, glyphs, calendar) });
  const focus = history.page === null ? history.pane : history.page.pane === 'domains' ? 'domains' : null;
  return {
    chart: chart === null ? null : chartPane(chart, historyChart(state, live, model, glyphs, chart)),
    parts,
    tables: tables.map(({ pane, rect }) => ({
      pane,
      rect,
      ...historyTable(
        history,
        pane,
        rect,
        focus === pane && state.popup === null,
        context,
        state.filter.applied !== '',
        model.range,
      ),
    })),
  };
}

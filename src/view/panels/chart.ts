// The chart of the overview: rates of both directions over time in a frame, and on small screens a line for each.

import type { Snapshot } from '../../model/snapshot.ts';
import { mirrorLines } from '../chart/mirror.ts';
import { columnsIn, subcellsOf } from '../chart/plot.ts';
import { type ChartSelection, cellsBetween, chartData, rangeOf } from '../chart/range.ts';
import { heightOf } from '../chart/scale.ts';
import { columnAt, columnsOf, type Extent, type Peak, peakOf } from '../chart/slots.ts';
import { pictureOf } from '../derive.ts';
import { chartPlace } from '../layout.ts';
import { fitParts, framed, type Rect } from '../pane.ts';
import type { ViewState } from '../state.ts';
import { formatClock, formatDuration, formatRate, formatShare, RATE_WIDTH } from '../text/format.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { type Line, span } from '../text/span.ts';

/** A blank and a time of day. */
const CLOCK_WIDTH = 9;

/** A line of one direction, for the sparkline widget. */
export interface ChartModel {
  readonly direction: 'rx' | 'tx';
  readonly rect: Rect;
  readonly title: string;
  /** Newest last, one a cell; NaN where nothing is known. The first one stands for nothing, so that the scale begins there. */
  readonly values: readonly number[];
}

/** A framed chart, and where in it the cells of time are. */
export interface ChartPane {
  readonly rect: Rect;
  readonly lines: readonly Line[];
  /** Cells between the left edge of the screen and the first cell of time, and how many of those there are. */
  readonly left: number;
  readonly cells: number;
}

/** Builds the framed chart. */
export function chartPanel(state: ViewState, live: Snapshot, glyphs: Glyphs, rect: Rect): ChartPane {
  const { chart, units } = state;
  const snapshot = state.paused ?? live;
  const { left, cells } = chartPlace(rect.width);
  const { across } = subcellsOf(glyphs);
  const { extent, series } = chartData(chart, snapshot.time, columnsIn(cells, glyphs), snapshot.rates);
  const peaks = { rx: peakOf(series, 'rx', extent), tx: peakOf(series, 'tx', extent) };
  const { selection } = chart;
  const lines = mirrorLines(
    {
      extent,
      columns: columnsOf(series, extent),
      curve: chart.curve,
      separate: chart.separate,
      peaks: { rx: columnOf(peaks.rx, extent), tx: columnOf(peaks.tx, extent) },
      selected: selection === null ? null : cellsBetween(selection.cursor, selection.anchor ?? selection.cursor, extent, across),
      units,
    },
    rect.width - 4,
    rect.height - 2,
    glyphs,
  );
  const note = fitParts(
    [
      { rank: 1, line: peakLine(peaks.rx, 'rx', state, glyphs) },
      { rank: 2, line: peakLine(peaks.tx, 'tx', state, glyphs) },
    ],
    Math.max(0, rect.width - 26),
    2,
  );
  const inner = lines.map((line) => [span(' '), ...line]);
  return { rect, left, cells, lines: framed(rect, titleOf(state, live, glyphs), note, inner, glyphs, selection !== null) };
}

function columnOf(peak: Peak | null, extent: Extent): number | null {
  return peak === null ? null : Math.min(extent.columns - 1, Math.max(0, columnAt((peak.from + peak.to) / 2, extent)));
}

function titleOf(state: ViewState, live: Snapshot, glyphs: Glyphs): Line {
  const { chart } = state;
  const picture = pictureOf(state, live);
  const how = `${chart.curve === 'log' ? ', logarithmic' : ''}${chart.separate ? ', a scale each' : ''}`;
  const title = [span(`Traffic${picture.filtered ? ' (all)' : ''}`, 'header'), span(` ${rangeOf(chart).name}${how}`, 'dim')];
  if (chart.selection === null) return title;
  return [span(selectionText(chart.selection, glyphs), 'title')];
}

/** The selected range, and for how much of it the connections are known. */
function selectionText({ from, to, anchor, answer }: ChartSelection, glyphs: Glyphs): string {
  const range = `${formatClock(from)} to ${formatClock(to)}`;
  const mark = anchor === null ? '' : ', marking';
  if (answer === null) return range + mark;
  if (answer.measuredMs === 0) return `${range}${mark}: nothing was kept`;
  const { rxBytes, txBytes } = answer.others.flows;
  const all = answer.flows.reduce((sum, flow) => sum + flow.rxBytes + flow.txBytes, rxBytes + txBytes);
  const known = all === 0 ? 1 : 1 - (rxBytes + txBytes) / all;
  return `${range}${mark}${known < 1 ? ` ${glyphs.separator} connections of ${formatShare(known)}` : ''}`;
}

function peakLine(peak: Peak | null, direction: 'rx' | 'tx', state: ViewState, glyphs: Glyphs): Line {
  return peak === null ? [] : [span(peakText(peak, state, direction === 'rx' ? glyphs.rx : glyphs.tx), direction)];
}

function peakText(peak: Peak, state: ViewState, arrow: string): string {
  return `${arrow} peak ${formatRate(peak.rate, state.units).trim()} ${formatClock(peak.to)}`;
}

/** Builds the line of one direction. */
export function sparkPanel(state: ViewState, live: Snapshot, glyphs: Glyphs, direction: 'rx' | 'tx', rect: Rect): ChartModel {
  const picture = pictureOf(state, live);
  const snapshot = state.paused ?? live;
  const { extent, series } = chartData(state.chart, snapshot.time, Math.max(1, rect.width - 1), snapshot.rates);
  const rates = columnsOf(series, extent)[direction];
  // biome-ignore lint/complexity/useMathMinMax: a gap is NaN, which Math.max would hand on
  const top = rates.reduce((a, b) => (b > a ? b : a), 0);
  const peak = peakOf(series, direction, extent);
  const arrow = direction === 'rx' ? `${glyphs.rx} RX` : `${glyphs.tx} TX`;
  const name = `${arrow}${picture.filtered ? ' (all)' : ''} ${rangeOf(state.chart).name}`;
  const named = peak === null ? name : `${name}  peak ${formatRate(peak.rate, state.units).trim()}`;
  // The widest rate decides, so that the time does not come and go with the figures.
  const isRoomy = peak !== null && `${name}  peak `.length + RATE_WIDTH + CLOCK_WIDTH < rect.width;
  return {
    direction,
    rect,
    title: `${named}${isRoomy ? ` ${formatClock(peak.to)}` : ''}`.slice(0, rect.width),
    values: [Number.NaN, ...rates.map((rate) => heightOf(rate, top, state.chart.curve))],
  };
}

/** The mark in the header while a selected range is shown; null otherwise. */
export function rangeMark(state: ViewState): string | null {
  const answer = state.chart.selection?.answer ?? null;
  if (answer === null) return null;
  const over = answer.measuredMs === 0 ? 'nothing was kept' : `means over ${formatDuration(Math.max(1000, answer.measuredMs))}`;
  return `PAST ${formatClock(answer.from)}-${formatClock(answer.to)}, ${over}`;
}

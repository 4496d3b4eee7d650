// The history chart: bytes by bin, RX above the axis and TX below it, local times under it, and the peaks with their amounts.

import type { Snapshot } from '../../../model/snapshot.ts';
import { columnsIn, plotRows, subcellsOf } from '../../chart/plot.ts';
import { heightOf, scaleTop } from '../../chart/scale.ts';
import { calendarTicks, type Tick } from '../../chart/time-axis.ts';
import { plotOf } from '../../history/layout.ts';
import { binAt, type Edges } from '../../history/range.ts';
import { isLate } from '../../history/state.ts';
import type { HistoryViewModel } from '../../history/view-model.ts';
import { type Bins, peakBin } from '../../history/view-model.ts';
import type { KeyTable } from '../../input/keymap.ts';
import { framed, type Rect } from '../../pane.ts';
import type { ViewState } from '../../state.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, rangeText, type Zoom } from '../../text/calendar.ts';
import { cut, displayWidth, drawable } from '../../text/cells.ts';
import { AMOUNT_WIDTH, formatAmount } from '../../text/format.ts';
import type { Glyphs } from '../../text/glyphs.ts';
import { type Line, type Role, type Span, span } from '../../text/span.ts';
import { historyMessage } from './message.ts';

/** One row of the plot: a sign and a role for each cell. */
interface Cells {
  readonly signs: string[];
  readonly roles: Role[];
}

/** Draws the chart into its frame. */
export function historyChart(
  state: ViewState,
  live: Snapshot,
  model: HistoryViewModel,
  glyphs: Glyphs,
  keys: KeyTable,
  rect: Rect,
): readonly Line[] {
  const { bins, window, marked } = model;
  const { page, anchor } = state.history;
  const what = page === null ? 'History' : drawable(page.name, glyphs);
  const title: Span[] = [
    span(cut(what, 24, glyphs), 'title'),
    span(` ${glyphs.separator} ${rangeText(window.from, window.to)}`, 'text'),
    ...(anchor === null ? [span(' (now)', 'dim')] : []),
    ...(marked === null ? [] : [span(` ${glyphs.separator} marked ${markedText(marked, window)}`, 'accent')]),
  ];
  const most = Math.max(peakBin(bins.rx)?.bytes ?? 0, peakBin(bins.tx)?.bytes ?? 0);
  const message = most > 0 ? null : historyMessage(state, live, glyphs, keys, rect.width - 2);
  if (message !== null) return framed(rect, title, [], message, glyphs, true);
  const note: Line = isLate(state.history, 'chart', window, model.now)
    ? [span('reading', 'warn'), span(glyphs.more, 'warn')]
    : [span(`${binText(bins)}${howText(state)}`, 'dim')];
  return framed(rect, title, note, plot(state, model, glyphs, rect), glyphs, true);
}

function markedText(marked: { from: number; to: number }, window: { from: number; to: number }): string {
  const text = rangeText(marked.from, marked.to);
  // Within a day its date stands in the title already.
  return window.to - window.from <= DAY_MS + HOUR_MS ? text.replace(/^.*?(?=\d\d:\d\d)/, '') : text;
}

function howText({ chart }: ViewState): string {
  return `${chart.curve === 'log' ? ', logarithmic' : ''}${chart.separate ? ', a scale each' : ''}`;
}

/** `30 min a column`. */
function binText({ edges }: Bins): string {
  // The first bin may be cut by the window, and one in which clocks are set may be longer.
  const at = edges.length > 3 ? 1 : 0;
  const ms = (edges[at + 1] as number) - (edges[at] as number);
  if (edges.length > 2 && ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min a column`;
  if (edges.length > 2 && ms < DAY_MS - HOUR_MS) return `${Math.round(ms / HOUR_MS)} h a column`;
  const second = edges.length > 3 ? (edges[2] as number) - (edges[1] as number) : ms;
  return second > 3 * DAY_MS ? 'a week a column' : second > 20 * DAY_MS ? 'a month a column' : 'a day a column';
}

function plot(state: ViewState, model: HistoryViewModel, glyphs: Glyphs, rect: Rect): readonly Line[] {
  const { bins, marked } = model;
  const { labels, cells, rows } = plotOf(rect);
  const columns = columnsIn(cells, glyphs);
  const count = bins.edges.length - 1;
  const binOf = (column: number): number => Math.min(count - 1, Math.floor((column * count) / columns));
  const cellOf = (bin: number): number => Math.floor(Math.ceil((bin * columns) / count) / subcellsOf(glyphs).across);
  const rxMost = peakBin(bins.rx);
  const txMost = peakBin(bins.tx);
  const { curve } = state.chart;
  const { up, top, bottom } = scaleOf(state, rxMost?.bytes ?? 0, txMost?.bytes ?? 0, rows);
  const down = rows - up;
  const heights = (values: readonly number[], end: number): number[] =>
    Array.from({ length: columns }, (_, column) => heightOf(values[binOf(column)] as number, end, curve));
  const lit = litCells(model, cells, cellOf);
  const paint = (text: string, role: Role): Cells => ({
    signs: [...text.padEnd(cells).slice(0, cells)],
    roles: lit.map((on) => (marked === null || on ? role : 'dim')),
  });
  const above = plotRows(heights(bins.rx, top), up, glyphs, false).map((text) => paint(text, 'rx'));
  const below = plotRows(heights(bins.tx, bottom), down, glyphs, true).map((text) => paint(text, 'tx'));
  const say = (row: Cells | undefined, peak: typeof rxMost, sign: string): void => {
    if (row === undefined || peak === null) return;
    const at = rangeText(bins.edges[peak.bin] as number, bins.edges[peak.bin + 1] as number);
    name(row, cellOf(peak.bin), ` ${sign}${formatAmount(peak.bytes, state.units).trim()} ${shortTime(at)} `);
  };
  say(above[0], rxMost, glyphs.rx);
  say(below.at(-1), txMost, glyphs.tx);
  const label = (text: string): Span[] => (labels === 0 ? [] : [span(`${text.padStart(AMOUNT_WIDTH)} `, 'dim')]);
  const amount = (bytes: number): string => formatAmount(bytes, state.units).trim();
  const lines: Line[] = [
    ...above.map((row, y) => [span(' '), ...label(y === 0 ? amount(top) : ''), ...spansOf(row)]),
    [span(' '), ...label('0'), ...spansOf(axis(model, glyphs, cells, columns, binOf, lit))],
    ...below.map((row, y) => [span(' '), ...label(y === down - 1 ? amount(bottom) : ''), ...spansOf(row)]),
  ];
  const times = timeLine(state.history.zoom, bins.edges, cells, (time) => cellOf(binAt(bins.edges, time)));
  return [...lines, [span(' '), ...label(''), span(times, 'dim')]];
}

/** Rows above the axis, and the ends of the scale. On one linear scale a byte is as high above the axis as below it. */
function scaleOf(
  { chart, units }: ViewState,
  rx: number,
  tx: number,
  rows: number,
): { readonly up: number; readonly top: number; readonly bottom: number } {
  if (chart.separate || chart.curve === 'log') {
    const most = Math.max(rx, tx);
    return {
      up: Math.ceil(rows / 2),
      top: scaleTop(chart.separate ? rx : most, units),
      bottom: scaleTop(chart.separate ? tx : most, units),
    };
  }
  const up = rowsAbove(rx, tx, rows);
  const top = scaleTop(Math.max(rx / up, tx / (rows - up), 1) * up, units);
  return { up, top, bottom: (top / up) * (rows - up) };
}

/** Rows of the plot that RX gets: its part of both peaks. */
function rowsAbove(rx: number, tx: number, rows: number): number {
  if (rx + tx <= 0) return Math.ceil(rows / 2);
  return Math.min(rows - 1, Math.max(1, Math.round((rows * rx) / (rx + tx))));
}

/** Cells of the marked range. */
function litCells({ marked, bins }: HistoryViewModel, cells: number, cellOf: (bin: number) => number): boolean[] {
  if (marked === null) return new Array<boolean>(cells).fill(false);
  const first = binAt(bins.edges, marked.from);
  const last = binAt(bins.edges, marked.to - 1);
  const from = cellOf(first);
  const to = Math.max(from + 1, cellOf(last + 1));
  return Array.from({ length: cells }, (_, cell) => cell >= from && cell < to);
}

/** A line where something is recorded, dots where nothing is, nothing in the future; what is marked stands out. */
function axis(
  { bins, now }: HistoryViewModel,
  glyphs: Glyphs,
  cells: number,
  columns: number,
  binOf: (column: number) => number,
  lit: readonly boolean[],
): Cells {
  const across = columns / cells;
  const signs = lit.map((on, cell) => {
    const bin = binOf(cell * across);
    if (on) return glyphs.bar;
    if ((bins.edges[bin] as number) > now) return ' ';
    return Number.isNaN(bins.rx[bin]) ? glyphs.barEmpty : glyphs.horizontal;
  });
  return { signs, roles: lit.map((on) => (on ? 'accent' : 'border')) };
}

/** Writes a text beside a column if the row is blank there. */
function name(row: Cells, cell: number, text: string): void {
  const width = displayWidth(text);
  for (const from of [cell + 1, cell - width]) {
    if (from < 0 || from + width > row.signs.length) continue;
    const place = row.signs.slice(from, from + width);
    if (place.some((sign) => sign !== ' ')) continue;
    for (const [offset, sign] of [...text].entries()) {
      row.signs[from + offset] = sign;
      row.roles[from + offset] = 'accent';
    }
    return;
  }
}

/** The times under the chart, `cells` cells: the densest ticks of which no two touch. */
export function timeLine(zoom: Zoom, edges: Edges, cells: number, cellOf: (time: number) => number): string {
  for (const ticks of calendarTicks(zoom, edges[0] as number, edges.at(-1) as number)) {
    const line = placed(ticks, cells, cellOf);
    if (line !== null) return line;
  }
  return ' '.repeat(cells);
}

/** The labels at their cells; null when two of them would touch. A label that would run past the end is left out. */
function placed(ticks: readonly Tick[], cells: number, cellOf: (time: number) => number): string | null {
  let line = '';
  for (const { time, label } of ticks) {
    const cell = cellOf(time);
    if (cell + label.length > cells) continue;
    if (line !== '' && cell < line.length + 1) return null;
    line = line.padEnd(cell) + label;
  }
  return line.padEnd(cells);
}

/** `Sun 22 Nov 2026 14:00 - 15:00` as `14:00`, whole days without their year. */
function shortTime(text: string): string {
  const time = /\d\d:\d\d/.exec(text);
  return time === null ? text.replace(/ \d{4}$/, '') : time[0];
}

function spansOf({ signs, roles }: Cells): Span[] {
  const spans: Span[] = [];
  let from = 0;
  for (let cell = 1; cell <= signs.length; cell++)
    if (cell === signs.length || roles[cell] !== roles[from]) {
      spans.push(span(signs.slice(from, cell).join(''), roles[from] as Role));
      from = cell;
    }
  return spans;
}

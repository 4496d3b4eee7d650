// RX above one axis and TX below it, as lines: scale at the left, times on the axis, the peak marked, a chosen range in the selection's colours.

import type { UnitMode } from '../../model/options.ts';
import { fitText } from '../text/cells.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { type Line, type Role, type Span, span } from '../text/span.ts';
import { plotRows, subcellsOf } from './plot.ts';
import { type Curve, halfOf, heightOf, rateLabel, scaleTop } from './scale.ts';
import { type Columns, columnAt, type Extent } from './slots.ts';
import { ticksInCells } from './time-axis.ts';

/** Cells of the scale's labels, one free cell behind them included. */
export const SCALE_CELLS = 11;

/** What is drawn. */
export interface Mirror {
  readonly extent: Extent;
  readonly columns: Columns;
  readonly curve: Curve;
  /** A scale each for RX and TX. */
  readonly separate: boolean;
  /** Columns of the peaks; null where there is none. */
  readonly peaks: { readonly rx: number | null; readonly tx: number | null };
  /** First and last chosen cell. */
  readonly selected: readonly [number, number] | null;
  readonly units: UnitMode;
}

interface Half {
  readonly rows: readonly string[];
  readonly top: number;
  readonly peak: { readonly row: number; readonly cell: number } | null;
}

/** Draws `height` lines, 3 at the least, of `width` cells: half of what the axis leaves for RX, the rest for TX. */
export function mirrorLines(mirror: Mirror, width: number, height: number, glyphs: Glyphs): readonly Line[] {
  const cells = Math.max(0, width - SCALE_CELLS);
  const above = Math.ceil((height - 1) / 2);
  const tops = topsOf(mirror);
  const rx = half(mirror, 'rx', tops.rx, above, glyphs);
  const tx = half(mirror, 'tx', tops.tx, height - 1 - above, glyphs);
  return [
    ...halfLines(rx, 'rx', mirror, cells, glyphs),
    axisLine(mirror, cells, glyphs),
    ...halfLines(tx, 'tx', mirror, cells, glyphs),
  ];
}

function topsOf({ columns, separate, units }: Mirror): { rx: number; tx: number } {
  // biome-ignore lint/complexity/useMathMinMax: a gap is NaN, which Math.max would hand on
  const most = (values: readonly number[]): number => values.reduce((a, b) => (b > a ? b : a), 0);
  const rx = most(columns.rx);
  const tx = most(columns.tx);
  return separate
    ? { rx: scaleTop(rx, units), tx: scaleTop(tx, units) }
    : { rx: scaleTop(Math.max(rx, tx), units), tx: scaleTop(Math.max(rx, tx), units) };
}

function half(mirror: Mirror, direction: 'rx' | 'tx', top: number, height: number, glyphs: Glyphs): Half {
  const { across } = subcellsOf(glyphs);
  const hanging = direction === 'tx';
  const shares = mirror.columns[direction].map((rate) => heightOf(rate, top, mirror.curve));
  const rows = plotRows(shares, height, glyphs, hanging);
  const column = mirror.peaks[direction];
  if (column === null || column < 0 || column >= shares.length || height === 0) return { rows, top, peak: null };
  const cell = Math.floor(column / across);
  // Beside the tip where there is a free cell, else in its place.
  const order = rows.map((_, row) => (hanging ? height - 1 - row : row));
  const tip = order.find((row) => (rows[row] as string)[cell] !== ' ') ?? (hanging ? 0 : height - 1);
  const row = Math.min(height - 1, Math.max(0, tip + (hanging ? 1 : -1)));
  return { rows, top, peak: { row, cell } };
}

function halfLines(part: Half, role: 'rx' | 'tx', mirror: Mirror, cells: number, glyphs: Glyphs): readonly Line[] {
  const { rows, top, peak } = part;
  return rows.map((row, y) => {
    const distance = role === 'rx' ? y : rows.length - 1 - y;
    const isMiddle = rows.length >= 4 && rows.length % 2 === 0 && distance === rows.length / 2;
    const label =
      distance === 0 ? rateLabel(top, mirror.units) : isMiddle ? rateLabel(halfOf(top, mirror.curve), mirror.units) : '';
    const text = row.padEnd(cells).slice(0, cells);
    const marked = peak !== null && peak.row === y ? peak.cell : null;
    return [scale(label, glyphs), ...selectedSpans(text, role, mirror.selected, marked, glyphs)];
  });
}

function scale(label: string, glyphs: Glyphs): Span {
  return span(`${fitText(label, SCALE_CELLS - 1, glyphs, 'right')} `, 'dim');
}

function axisLine({ extent, columns, selected }: Mirror, cells: number, glyphs: Glyphs): Line {
  const { across } = subcellsOf(glyphs);
  const signs = Array.from({ length: cells }, (_, cell) =>
    columns.rx.slice(cell * across, (cell + 1) * across).some((rate) => !Number.isNaN(rate))
      ? glyphs.horizontal
      : glyphs.barEmpty,
  );
  for (const { time, label } of ticksInCells(extent.from, extent.to, cells)) {
    const cell = columnAt(time, { ...extent, columns: cells });
    if (cell >= 0 && cell + label.length <= cells) signs.splice(cell, label.length, ...label);
  }
  return [scale('0', glyphs), ...selectedSpans(signs.join(''), 'dim', selected, null, glyphs)];
}

/** One line of single-cell signs, the chosen cells and the mark of the peak in roles of their own. */
function selectedSpans(
  text: string,
  role: Role,
  selected: readonly [number, number] | null,
  peak: number | null,
  glyphs: Glyphs,
): readonly Span[] {
  const out: Span[] = [];
  const put = (part: string, partRole: Role): void => {
    if (part !== '') out.push(span(part, partRole));
  };
  const cutAtPeak = (from: number, to: number, partRole: Role): void => {
    if (peak === null || peak < from || peak >= to) {
      put(text.slice(from, to), partRole);
      return;
    }
    put(text.slice(from, peak), partRole);
    put(glyphs.peak, partRole === 'selected' ? 'selected' : 'accent');
    put(text.slice(peak + 1, to), partRole);
  };
  const [first, last] = selected ?? [text.length, text.length];
  cutAtPeak(0, Math.min(first, text.length), role);
  cutAtPeak(first, Math.min(last + 1, text.length), 'selected');
  cutAtPeak(last + 1, text.length, role);
  return out;
}

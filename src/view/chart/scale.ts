// Scales of every chart: where the top is, where grid lines are, how high a value stands, and how the labels read. Values are bytes or bytes/s.

import type { UnitMode } from '../../model/options.ts';
import { formatAmount, formatRate, STEP_UP, unitScale } from '../text/format.ts';

/** How heights follow values. */
export type Curve = 'linear' | 'log';

/** Where a logarithmic scale begins: below it heights are almost linear, so zero stays zero. */
const LOG_FLOOR = 1024;
/** Mantissas at which a scale may end; the next power of ten follows. */
const TOP_STEPS = [1, 1.5, 2, 3, 5, 7.5];
/** Distances between grid lines whose multiples have short labels, for prefixes by 1000 and by 1024. */
const GRID_STEPS = { 1000: [1, 2, 5, 10, 20, 50, 100, 200, 500], 1024: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] };
const MOST_GRID_LINES = 6;

/**
 * The lowest round value that is not below `most`: 1, 1.5, 2, 3, 5 or 7.5 times a power of ten, in the unit in which it is shown. Few steps keep
 * the scale still while rates wander.
 */
export function scaleTop(most: number, mode: UnitMode): number {
  const { perByte, base } = unitScale(mode);
  let prefix = 1;
  const value = Math.max(most, 1) * perByte;
  while (value > prefix * base * STEP_UP) prefix *= base;
  const scaled = value / prefix;
  const power = 10 ** Math.floor(Math.log10(scaled));
  for (const factor of [power, 10 * power])
    for (const step of TOP_STEPS) {
      const top = step * factor;
      if (top * 1.000001 >= scaled) return ((top > base * STEP_UP ? base : top) * prefix) / perByte;
    }
  return most;
}

/** Grid lines of a chart with RX above its axis and TX below it: a byte is equally high on both sides. */
interface MirroredGrid {
  /** Between two lines, bytes. */
  readonly step: number;
  /** Steps above the axis, at least one. */
  readonly up: number;
  /** Steps below it; 0 when nothing stands there. */
  readonly down: number;
}

/** The finest grid of at most six steps that holds `mostUp` above the axis and `mostDown` below it. */
export function mirroredGrid(mostUp: number, mostDown: number, mode: UnitMode): MirroredGrid {
  const { perByte, base } = unitScale(mode);
  for (let prefix = 1; ; prefix *= base)
    for (const mantissa of GRID_STEPS[base]) {
      const step = (mantissa * prefix) / perByte;
      const up = Math.max(1, Math.ceil(mostUp / step));
      const down = Math.ceil(mostDown / step);
      if (up + down <= MOST_GRID_LINES || prefix > 1e24) return { step, up, down };
    }
}

/** How high a value stands, as a share of the scale that ends at `top`; NaN for an unknown one. */
export function heightOf(value: number, top: number, curve: Curve): number {
  if (top <= 0 || Number.isNaN(value)) return value;
  if (curve === 'linear') return Math.min(1, value / top);
  return Math.min(1, Math.log1p(value / LOG_FLOOR) / Math.log1p(top / LOG_FLOOR));
}

/** The value that stands half as high as the top. */
export function halfOf(top: number, curve: Curve): number {
  return curve === 'linear' ? top / 2 : LOG_FLOOR * Math.expm1(Math.log1p(top / LOG_FLOOR) / 2);
}

/** A rate as a label: without zeros at its end. */
export function rateLabel(rate: number, mode: UnitMode): string {
  return withoutZeros(formatRate(rate, mode));
}

/** An amount as a label: without zeros at its end. */
export function amountLabel(bytes: number, mode: UnitMode): string {
  return withoutZeros(formatAmount(bytes, mode));
}

function withoutZeros(text: string): string {
  return text
    .trim()
    .replace(/(\.\d*?)0+ /, '$1 ')
    .replace('. ', ' ');
}

// Scales of a chart: where the top is, and how high a rate stands below it.

import { formatRate, type UnitMode, unitScale } from '../format.ts';

/** How heights follow rates. */
export type Curve = 'linear' | 'log';

/** Where a logarithmic scale begins, bytes/s: below it rates stand almost linearly, so that nothing stays nothing. */
const LOG_FLOOR = 1024;
/** The next prefix begins at this share of it, as for numbers. */
const STEP_UP = 0.95;
/** Mantissas at which a scale may end; the next power follows. */
const STEPS = [1, 1.5, 2, 3, 5, 7.5];

/**
 * The lowest round rate that is not below `most`: 1, 1.5, 2, 3, 5 or 7.5 times a power of ten, in the unit in which it is shown. Few steps keep
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
    for (const step of STEPS) {
      const top = step * factor;
      if (top * 1.000001 >= scaled) return ((top > base * STEP_UP ? base : top) * prefix) / perByte;
    }
  return most;
}

/** How high a rate stands, as a share of the scale whose end is `top`; NaN for what is not known. */
export function heightOf(rate: number, top: number, curve: Curve): number {
  if (top <= 0 || Number.isNaN(rate)) return rate;
  if (curve === 'linear') return Math.min(1, rate / top);
  return Math.min(1, Math.log1p(rate / LOG_FLOOR) / Math.log1p(top / LOG_FLOOR));
}

/** The rate that stands half as high as the top. */
export function halfOf(top: number, curve: Curve): number {
  return curve === 'linear' ? top / 2 : LOG_FLOOR * Math.expm1(Math.log1p(top / LOG_FLOOR) / 2);
}

/** A rate as a label of the scale: no more digits than it has. */
export function scaleLabel(rate: number, mode: UnitMode): string {
  return formatRate(rate, mode)
    .trim()
    .replace(/(\.\d*?)0+ /, '$1 ')
    .replace('. ', ' ');
}

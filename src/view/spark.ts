// Small charts as text: eight levels a cell, for table columns.

import type { Glyphs } from './glyphs.ts';

/**
 * The newest `width` values as levels, oldest first, scaled from 0 to the largest of them.
 *
 * Shorter series are padded on the left; anything above zero is at least one level above the floor.
 */
export function sparkText(values: readonly number[], width: number, glyphs: Glyphs): string {
  if (width <= 0) return '';
  const tail = values.slice(-width);
  let max = 0;
  for (const value of tail) if (value > max) max = value;
  let out = ' '.repeat(width - tail.length);
  const top = glyphs.levels.length - 1;
  for (const value of tail) {
    const level = max > 0 && value > 0 ? Math.max(1, Math.round((value / max) * top)) : 0;
    out += glyphs.levels[level] as string;
  }
  return out;
}

/** A bar of `width` cells, `share` of it full. Anything above zero shows at least one cell. */
export function barText(share: number, width: number, glyphs: Glyphs): { full: string; empty: string } {
  const bounded = Math.min(1, Math.max(0, share));
  const cells = bounded > 0 ? Math.max(1, Math.round(bounded * width)) : 0;
  return { full: glyphs.bar.repeat(cells), empty: glyphs.barEmpty.repeat(width - cells) };
}

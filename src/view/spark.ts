// Small charts as text: eight levels a cell, for table columns.

import type { Glyphs } from './glyphs.ts';

/** Seconds that a sparkline shows, whatever its width. */
const SPAN_SECONDS = 60;

/**
 * The last minute as levels, oldest first, scaled from 0 to the highest cell. Each cell is the mean of an equal stretch.
 *
 * Stretches lie fast on the clock, so that from one second to the next only the last cell changes, and all move on when its stretch is
 * full. Shorter series are padded on the left; anything above zero is at least one level above the floor.
 *
 * @param values one a second, the newest last
 * @param now time of the newest, epoch ms
 * @param full what the highest level stands for where that is known; 0 scales to the highest cell
 */
export function sparkText(values: readonly number[], width: number, now: number, glyphs: Glyphs, full = 0): string {
  if (width <= 0) return '';
  const stretch = Math.max(1, Math.ceil(SPAN_SECONDS / width));
  const second = Math.floor(now / 1000);
  const cells: number[] = [];
  let end = values.length;
  let size = (((second % stretch) + stretch) % stretch) + 1;
  while (end > 0 && cells.length < width) {
    const from = Math.max(0, end - size);
    let sum = 0;
    for (let i = from; i < end; i++) sum += values[i] as number;
    cells.push(sum / (end - from));
    end = from;
    size = stretch;
  }
  let max = full;
  for (const value of cells) if (value > max) max = value;
  let out = ' '.repeat(width - cells.length);
  const top = glyphs.levels.length - 1;
  for (const value of cells.reverse()) {
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

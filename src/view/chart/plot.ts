// Values -> cells: filled columns that grow up from their base or hang down from it, two columns a cell in braille. It knows neither what
// is drawn nor in which colour.

import type { Glyphs } from '../text/glyphs.ts';

/** How a set of signs divides a cell: columns side by side, and levels one above the other. */
interface Subcells {
  readonly across: 1 | 2;
  readonly levels: number;
}

/** Dots of a braille cell filled from the bottom, by level 0 to 4; those of the right column follow. Unicode 15, "Braille Patterns". */
const RISING = [0x00, 0x40, 0x44, 0x46, 0x47, 0x00, 0x80, 0xa0, 0xb0, 0xb8];
/** The same filled from the top. */
const HANGING = [0x00, 0x01, 0x03, 0x07, 0x47, 0x00, 0x08, 0x18, 0x38, 0xb8];
const BRAILLE = 0x2800;
const BRAILLE_LEVELS = 4;

/** How a set of signs divides a cell: only braille has two columns. */
export function subcellsOf(glyphs: Glyphs): Subcells {
  return glyphs.rising === null || glyphs.hanging === null
    ? { across: 2, levels: BRAILLE_LEVELS }
    : { across: 1, levels: glyphs.rising.length - 1 };
}

/** Columns that fit into `cells` cells. */
export function columnsIn(cells: number, glyphs: Glyphs): number {
  return Math.max(0, cells) * subcellsOf(glyphs).across;
}

/**
 * Draws columns as text, `height` lines of the same number of cells, the top one first.
 *
 * @param shares height of each column as a share of all lines, 0 to 1; NaN is unknown and stays blank. Anything above zero fills at least
 * one level
 * @param hanging columns grow downwards, from the top line
 */
export function plotRows(shares: readonly number[], height: number, glyphs: Glyphs, hanging: boolean): readonly string[] {
  const { across, levels } = subcellsOf(glyphs);
  const full = height * levels;
  const filled = shares.map((share) => (share > 0 ? Math.min(full, Math.max(1, Math.round(share * full))) : 0));
  const cells = Math.ceil(filled.length / across);
  const rows: string[] = [];
  for (let y = 0; y < height; y++) {
    const below = (hanging ? y : height - 1 - y) * levels;
    const levelAt = (column: number): number => Math.min(levels, Math.max(0, (filled[column] ?? 0) - below));
    let row = '';
    for (let x = 0; x < cells; x++)
      row += across === 2 ? braille(levelAt(2 * x), levelAt(2 * x + 1), hanging) : sign(levelAt(x), glyphs, hanging);
    rows.push(row);
  }
  return rows;
}

function braille(left: number, right: number, hanging: boolean): string {
  if (left === 0 && right === 0) return ' ';
  const dots = hanging ? HANGING : RISING;
  return String.fromCharCode(BRAILLE | (dots[left] as number) | (dots[BRAILLE_LEVELS + 1 + right] as number));
}

function sign(level: number, glyphs: Glyphs, hanging: boolean): string {
  return ((hanging ? glyphs.hanging : glyphs.rising) ?? [])[level] ?? ' ';
}

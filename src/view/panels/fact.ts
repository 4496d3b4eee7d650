// A named fact in a popup, and facts as lines of it.

import type { CellContext } from '../tables/column.ts';
import { wrapWords } from '../text/cells.ts';
import { type Line, type Role, span } from '../text/span.ts';

/** Cells of a fact's name. */
export const NAME_WIDTH = 14;

/** A fact: its name, its value (null is unknown) and how it is coloured. */
export type Fact = readonly [name: string, value: string | null, role?: Role];

/** Facts as lines, long values wrapped under their own column; null is shown as unknown. */
export function factLines(facts: readonly Fact[], width: number, context: CellContext): readonly Line[] {
  const lines: Line[] = [];
  const names = Math.max(NAME_WIDTH, ...facts.map(([name]) => name.length));
  const room = Math.max(8, width - names - 3);
  for (const [name, value, role] of facts) {
    const rows = value === null || value === '' ? [context.glyphs.unknown] : wrapWords(value, room);
    for (const [index, text] of rows.entries())
      lines.push([
        span(` ${(index === 0 ? name : '').padEnd(names)} `, 'dim'),
        span(text, role ?? (value === null ? 'dim' : 'text')),
      ]);
  }
  return lines;
}

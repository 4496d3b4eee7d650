// The first cell of a row in a tree: its depth, whether it is expanded, and whether it is new.

import { type Cut, cut, displayWidth } from '../text/cells.ts';
import { type Line, type Span, span } from '../text/span.ts';
import type { Branched } from '../tree/branch.ts';
import type { CellContext } from './column.ts';

/** Stands after a name that was first seen a short while ago. */
export const NEW = ' new';

/** What is drawn of a row's place in its tree. */
export interface TreePlace {
  readonly row: Branched & { readonly id: string };
  /** Something can hang under it. */
  readonly expandable: boolean;
  /** Met for the first time. */
  readonly isNew?: boolean;
}

/**
 * A name behind its mark, exactly `width` cells.
 *
 * @param name makes the name for the cells that are left
 */
export function treeCell(
  { row, expandable, isNew: fresh = false }: TreePlace,
  width: number,
  context: CellContext,
  name: (cells: number) => Span | Line,
): readonly Span[] {
  const { glyphs, open } = context;
  const mark = expandable ? (open.has(row.id) ? glyphs.opened : glyphs.closed) : ' ';
  const lead = `${' '.repeat(2 * (row.branch?.depth ?? 0))}${mark} `;
  const named = marked(fresh, Math.max(0, width - lead.length), context, 'end', name);
  return [span(lead, expandable ? 'dim' : 'text'), ...named];
}

/** A name as long as it stands in its tree. */
export function treeText({ branch }: Branched, name: string, isNew: boolean): string {
  return `${' '.repeat(2 * (branch?.depth ?? 0) + 2)}${name}${isNew && branch === undefined ? NEW : ''}`;
}

/** A name that may be new, in a table without branches. */
export function newCell(
  fresh: boolean,
  width: number,
  context: CellContext,
  side: Cut,
  name: (cells: number) => Span,
): Span | Line {
  return fresh ? marked(true, width, context, side, name) : name(width);
}

function marked(fresh: boolean, width: number, { glyphs }: CellContext, side: Cut, name: (cells: number) => Span | Line): Line {
  const room = Math.max(0, width - (fresh ? NEW.length : 0));
  const made = name(room);
  const named: Line = 'role' in made ? [span(cut(made.text, room, glyphs, side), made.role)] : made;
  const used = named.reduce((sum, part) => sum + displayWidth(part.text), 0);
  const blank = ' '.repeat(Math.max(0, room - used));
  // The word stands right behind the name, not at the end of the column.
  if (fresh) return [...named, span(NEW, 'accent'), span(blank)];
  return named.map((part, index) => (index === named.length - 1 ? span(part.text + blank, part.role) : part));
}

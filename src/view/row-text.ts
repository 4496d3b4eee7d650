// A row as one line for the clipboard: the cells of every column, tab between them, as the user sees them now.

import type { Snapshot } from '../aggregate/snapshot.ts';
import type { Glyphs } from './glyphs.ts';
import { contextOf } from './panels/table.ts';
import { orderedRows, SPECS } from './rows.ts';
import { cursorIndex } from './selection.ts';
import type { ViewState } from './state.ts';

/** Columns that are drawings and no text. */
const DRAWN = new Set(['share', 'recent', 'recentRx', 'recentTx', 'direction']);

/** The chosen row of the focused table; null when the table is empty. */
export function rowText(state: ViewState, live: Snapshot, glyphs: Glyphs): string | null {
  const rows = orderedRows(state, live, state.pane);
  const row = rows[cursorIndex(state.tables[state.pane], rows)];
  if (row === undefined) return null;
  const context = contextOf(state, live, glyphs);
  return SPECS[state.pane].columns
    .filter((column) => !DRAWN.has(column.key))
    .map((column) => {
      if (column.plain !== undefined) return column.plain(row, context);
      const made = column.cell(row, context, column.max);
      return ('role' in made ? made.text : made.map((part) => part.text).join('')).trim();
    })
    .join('\t');
}

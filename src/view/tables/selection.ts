// The cursor of a table: it holds a row's id, as rows may change places, and becomes an index only to move and to draw.

import type { TableState } from '../state.ts';
import type { AnyRow } from './rows.ts';

/** Where the cursor stands now: its row's index, or the nearest to where it was; -1 in an empty table. */
export function cursorIndex(table: TableState, rows: readonly AnyRow[]): number {
  if (rows.length === 0) return -1;
  if (table.selected === null) return table.tail ? rows.length - 1 : 0;
  const found = rows.findIndex((row) => row.id === table.selected);
  return found >= 0 ? found : Math.min(table.index, rows.length - 1);
}

/** First visible row such that the cursor is in sight and no room is wasted at the end. */
export function topFor(top: number, index: number, visible: number, count: number): number {
  const last = Math.max(0, count - visible);
  let at = Math.min(Math.max(0, top), last);
  if (index >= 0 && index < at) at = index;
  if (visible > 0 && index >= at + visible) at = index - visible + 1;
  return at;
}

/** The table with its cursor on the row at `index`. By `follow` it keeps following whatever is first, or last in a table that grows at its end. */
export function moveTo(table: TableState, rows: readonly AnyRow[], index: number, visible: number, follow = false): TableState {
  if (rows.length === 0) return table;
  const bounded = Math.min(Math.max(0, index), rows.length - 1);
  const selected = follow && bounded === (table.tail ? rows.length - 1 : 0) ? null : (rows[bounded] as AnyRow).id;
  return { ...table, selected, index: bounded, top: topFor(table.top, bounded, visible, rows.length) };
}

/** The table after its rows changed: the cursor of a row that went away moves to the one in its place. */
export function settle(table: TableState, rows: readonly AnyRow[], visible: number): TableState {
  const index = cursorIndex(table, rows);
  if (index < 0) return table.index === 0 && table.top === 0 ? table : { ...table, index: 0, top: 0 };
  const selected = table.selected === null ? null : (rows[index] as AnyRow).id;
  const top = topFor(table.top, index, visible, rows.length);
  return selected === table.selected && index === table.index && top === table.top ? table : { ...table, selected, index, top };
}

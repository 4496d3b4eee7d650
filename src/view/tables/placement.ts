// Which columns of a table are shown, and how wide: by the contents of its rows, also those out of sight, and by what they needed a short
// while ago. A column comes at once and goes late, so that none flickers. One by which rows were sorted stays, whatever rows that brings up.

import type { Snapshot } from '../../model/snapshot.ts';
import { layoutOf } from '../layout.ts';
import { noteOf } from '../panels/header.ts';
import type { ColumnWant, TableName, ViewState } from '../state.ts';
import { displayWidth } from '../text/cells.ts';
import { isMachineLine } from '../tree/machines.ts';
import { type CellContext, type Column, type PlacedColumn, placeColumns } from './column.ts';
import { type AnyRow, allColumns, columnsOf, orderedRows } from './rows.ts';

/** How long a column keeps what it needed, ms. */
export const HOLD_MS = 60_000;

interface Measured {
  readonly context: CellContext;
  readonly count: number;
  readonly columns: readonly Column<AnyRow>[];
  readonly cells: ReadonlyMap<string, number>;
}

const measured = new WeakMap<readonly AnyRow[], Measured>();

/** Columns of a table in a pane of this width. */
export function placedColumns(
  state: ViewState,
  live: Snapshot,
  context: CellContext,
  table: TableName,
  width: number,
): readonly PlacedColumn<AnyRow>[] {
  const rows = orderedRows(state, live, table);
  const room = width - 4;
  const columns = columnsOf(state, table);
  if (rows.length === 0) return placeColumns(columns, room);
  const wants = new Map(measure(rows, allColumns(state, table), context, state.size.rows));
  for (const [key, want] of Object.entries(state.wants[table]))
    if (isFresh(want, context.now)) wants.set(key, Math.max(want.cells, wants.get(key) ?? 0));
  const { sort, sortedAt } = state.tables[table];
  return placeColumns(columns, room, wants, state.size.columns >= sortedAt ? sort.column : null);
}

/** Columns of the focused table, where it is. */
export function columnsInFocus(state: ViewState, live: Snapshot, context: CellContext): readonly Column<AnyRow>[] {
  const pane = layoutOf(state, noteOf(state, live) !== '').tables.find(({ table }) => table === state.pane);
  return pane === undefined
    ? columnsOf(state, state.pane)
    : placedColumns(state, live, context, state.pane, pane.rect.width).map(({ column }) => column);
}

/** The state after a tick: it remembers what the columns on the screen need now. The same object where nothing changed. */
export function withWants(state: ViewState, live: Snapshot, context: CellContext): ViewState {
  let { wants } = state;
  for (const { table } of layoutOf(state, noteOf(state, live) !== '').tables) {
    const before = wants[table];
    const next: Record<string, ColumnWant> = {};
    let isChanged = false;
    for (const [key, cells] of measure(orderedRows(state, live, table), allColumns(state, table), context, state.size.rows)) {
      const old = before[key];
      const keeps =
        old !== undefined && (cells < old.cells ? isFresh(old, context.now) : cells === old.cells && old.at === context.now);
      next[key] = keeps ? old : { cells, at: context.now };
      isChanged ||= !keeps;
    }
    if (isChanged) wants = { ...wants, [table]: next };
  }
  return wants === state.wants ? state : { ...state, wants };
}

/** A clock that was set back makes nothing fresh for ever. */
function isFresh({ at }: ColumnWant, now: number): boolean {
  return Math.abs(now - at) <= HOLD_MS;
}

/**
 * Cells that the contents of each column take, its head with the mark of the sort included; the last answer for the rows is kept.
 *
 * @param count first rows whose words are measured: of the others it matters only whether they say anything
 */
function measure(
  rows: readonly AnyRow[],
  columns: readonly Column<AnyRow>[],
  context: CellContext,
  count: number,
): ReadonlyMap<string, number> {
  const known = measured.get(rows);
  if (known?.count === count && known.columns === columns && looksAlike(known.context, context)) return known.cells;
  const cells = new Map<string, number>();
  const own = rows.filter((row) => !isMachineLine(row));
  const [first, others] = [own.slice(0, count), own.slice(count)];
  for (const { key, rank, title, wants } of columns) {
    if (wants === undefined) continue;
    const most = wants(first, context) || wants(others, context);
    // What a row is called by stays.
    cells.set(key, most === 0 && rank > 1 ? 0 : Math.max(most, displayWidth(title(context.glyphs, context.time)) + 1));
  }
  measured.set(rows, { context, count, columns, cells });
  return cells;
}

function looksAlike(a: CellContext, b: CellContext): boolean {
  return a.glyphs === b.glyphs && a.names === b.names && a.services === b.services && a.privacy === b.privacy;
}

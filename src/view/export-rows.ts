// What is shown, as a table for a file: the rows of the focused pane as they are filtered, sorted and opened, all columns that hold
// something, numbers whole. Names are hidden where the screen hides them.

import type { Snapshot } from '../aggregate/snapshot.ts';
import type { CellContext, Column } from './column.ts';
import type { Glyphs } from './glyphs.ts';
import { historyExport } from './history/export.ts';
import type { HistoryPane } from './history/state.ts';
import { contextOf } from './panels/table.ts';
import { type AnyRow, branchOf, orderedRows, SPECS } from './rows.ts';
import type { TableName, ViewState } from './state.ts';

/** A cell: text as it is shown, or a number in bytes, bytes/s, milliseconds. */
export type ExportValue = string | number | null;

/** A table for a file. */
export interface ExportTable {
  readonly name: TableName | `history-${HistoryPane}`;
  /** Time of the picture, epoch ms. */
  readonly time: number;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly ExportValue[])[];
}

/** Columns that are drawings and no values. */
const DRAWN: readonly string[] = ['share', 'recent', 'recentRx', 'recentTx', 'recentShare'];
/** Moments, written as such. */
const MOMENTS: readonly string[] = ['seen', 'age', 'time'];

/** The focused table as it is shown. */
export function exportOf(state: ViewState, live: Snapshot, glyphs: Glyphs): ExportTable {
  const table = state.pane;
  const context = contextOf(state, live, glyphs);
  if (state.view === 'history') return historyExport(state, context.now, glyphs);
  const columns = SPECS[table].columns.filter(({ key }) => !DRAWN.includes(key));
  const rows = orderedRows(state, live, table);
  const isTree = rows.some((row) => branchOf(row) !== undefined);
  return {
    name: table,
    time: context.now,
    columns: [...(isTree ? ['depth'] : []), ...columns.map(({ key }) => key.replaceAll('-', '_'))],
    rows: rows.map((row) => [
      ...(isTree ? [branchOf(row)?.depth ?? 0] : []),
      ...columns.map((column) => exportedValue(row, column, context)),
    ]),
  };
}

function exportedValue(row: AnyRow, column: Column<AnyRow>, context: CellContext): ExportValue {
  if (MOMENTS.includes(column.key)) {
    const moment = 'time' in row ? row.time : column.key === 'age' ? firstSeen(row) : lastSeen(row);
    return moment === null || !Number.isFinite(moment) ? null : new Date(moment).toISOString();
  }
  const value = column.value?.(row);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (column.plain !== undefined) return column.plain(row, context);
  if (value === null) return null;
  if (column.key === 'direction' && 'direction' in row) return row.direction;
  const made = column.cell(row, context, 512);
  return ('role' in made ? made.text : made.map((part) => part.text).join('')).trim();
}

function firstSeen(row: AnyRow): number | null {
  return 'firstSeen' in row ? row.firstSeen : null;
}

function lastSeen(row: AnyRow): number | null {
  return 'lastSeen' in row ? row.lastSeen : null;
}

// The focused table for a file: its rows as they are filtered, sorted and expanded, numbers unrounded. Names that the screen hides stay hidden.

import type { Snapshot } from '../model/snapshot.ts';
import type { ExportTable, ExportValue } from './action.ts';
import { firstTimes, historyRows } from './history/lists.ts';
import { resultOf } from './history/state.ts';
import { contextOf } from './panels/table.ts';
import type { ViewState } from './state.ts';
import type { CellContext, Column } from './tables/column.ts';
import { type AnyRow, allColumns, branchOf, orderedRows } from './tables/rows.ts';
import type { Glyphs } from './text/glyphs.ts';
import { isMachineLine } from './tree/machines.ts';

/** Columns that are drawings. */
const DRAWN: readonly string[] = ['share', 'recent', 'recentRx', 'recentTx', 'recentShare'];
/** Columns that are moments, exported as RFC 3339. */
const MOMENTS: readonly string[] = ['seen', 'age', 'time'];

/** The focused table as it is shown. */
export function exportOf(state: ViewState, live: Snapshot, glyphs: Glyphs): ExportTable {
  const table = state.pane;
  const context = contextOf(state, live, glyphs);
  if (state.view === 'history') return historyExport(state, context.now, glyphs);
  const columns = allColumns(state, table).filter(({ key }) => !DRAWN.includes(key));
  const rows = orderedRows(state, live, table).filter((row) => !isMachineLine(row));
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
  const value = column.value?.(row, context.average);
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

/** Columns of a history table; `from` and `to` are the range of its rows. */
const COLUMNS = ['from', 'to', 'name', 'rx_bytes', 'tx_bytes', 'rx_packets', 'tx_packets', 'flows', 'first', 'last'] as const;

/** The focused history table; without rows before its first answer. @param time of the picture, epoch ms */
function historyExport(state: ViewState, time: number, glyphs: Glyphs): ExportTable {
  const { history } = state;
  const pane = history.page === null ? history.pane : 'domains';
  const query = resultOf(history, pane)?.query ?? null;
  const times = firstTimes(history)?.domains ?? null;
  const moment = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());
  const hides = state.privacy && pane === 'domains';
  return {
    name: `history-${pane}`,
    time,
    columns: COLUMNS,
    rows: historyRows(history, pane).map((row) => [
      moment(query?.from),
      moment(query?.to),
      row.key === null ? `(${row.reason ?? 'unknown'})` : hides ? glyphs.masked.repeat(6) : row.key,
      row.rxBytes,
      row.txBytes,
      row.rxPackets,
      row.txPackets,
      row.flows,
      moment(times?.get(row.key ?? '') ?? row.firstSeen),
      moment(row.lastSeen),
    ]),
  };
}

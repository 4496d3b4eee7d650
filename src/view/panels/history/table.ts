// Tables of history: who and what in the marked range, most bytes first.
// Narrow tables give up, in this order: packets, share bar, first seen, flows, share. Name, RX and TX stay.

import { foldedIn, type HistoryResult, type HistoryRow, type TimeRange } from '../../../model/history.ts';
import type { UnitMode } from '../../../model/options.ts';
import { firstTimes, historyRows, listIndex, rowId } from '../../history/lists.ts';
import { type HistoryPane, type HistorySort, type HistoryState, isLate, lacksMachines, resultOf } from '../../history/state.ts';
import { visibleRows } from '../../layout.ts';
import { framed, type Rect } from '../../pane.ts';
import { type CellContext, type Column, placeColumns } from '../../tables/column.ts';
import { hidden, shown } from '../../tables/masking.ts';
import { topFor } from '../../tables/selection.ts';
import { drawable, fitText, meterOf } from '../../text/cells.ts';
import { AMOUNT_WIDTH, formatAmount, formatCount, formatGrouped, formatShare } from '../../text/format.ts';
import type { Glyphs } from '../../text/glyphs.ts';
import { type Line, type Span, span } from '../../text/span.ts';

/** A drawn table and what lies under its cells for the mouse. */
export interface HistoryTable {
  readonly lines: readonly Line[];
  readonly ids: readonly string[];
}

const TITLES: Readonly<Record<HistoryPane, string>> = {
  apps: 'Apps',
  domains: 'Domains',
  categories: 'Categories',
  interfaces: 'Interfaces',
};
const SINGULAR: Readonly<Record<HistoryPane, string>> = {
  apps: 'app',
  domains: 'domain',
  categories: 'category',
  interfaces: 'interface',
};
const BAR_CELLS = 8;

/** Draws one table. `focused` is where keys go; `view` stands before the title. */
export function historyTable(
  history: HistoryState,
  pane: HistoryPane,
  rect: Rect,
  focused: boolean,
  context: CellContext,
  filtered: boolean,
  range: TimeRange,
  view: string,
): HistoryTable {
  const { glyphs } = context;
  const result = resultOf(history, pane);
  const rows = historyRows(history, pane);
  const list = history.lists[pane];
  const cursor = listIndex(list, rows);
  const visible = visibleRows(rect);
  const from = topFor(list.top, cursor, visible, rows.length);
  const shownRows = rows.slice(from, from + visible);
  const placed = placeColumns(columnsOf(history, pane, result), rect.width - 4);
  const mark = history.sort.descending ? glyphs.descending : glyphs.ascending;
  const lines: Line[] = [
    placed.flatMap(({ column, width }): Span[] => {
      const isSorted = column.key === history.sort.column;
      const text = column.title(glyphs, '');
      const marked = !isSorted ? text : column.align === 'right' ? `${mark}${text}` : `${text}${mark}`;
      return [span(' '), span(fitText(marked, width, glyphs, column.align), isSorted ? 'sorted' : 'header')];
    }),
  ];
  for (const [offset, row] of shownRows.entries()) {
    const isChosen = from + offset === cursor;
    const cells: Span[] = [span(isChosen ? glyphs.cursor : ' ', focused ? 'accent' : 'dim')];
    for (const [index, { column, width }] of placed.entries()) {
      if (index > 0) cells.push(span(' '));
      const made = column.cell(row, context, width);
      if ('role' in made) cells.push(span(fitText(made.text, width, glyphs, column.align, column.cut), made.role));
      else cells.push(...made);
    }
    cells.push(span(' '));
    lines.push(isChosen && focused ? cells.map((part, i) => (i === 0 ? part : span(part.text, 'selected'))) : cells);
  }
  if (rows.length === 0) lines.push([span(`  ${emptyText(history, pane, filtered, glyphs)}`, 'dim')]);
  const slot = history.slots[pane];
  const title: Span[] = [span(view + TITLES[pane], focused ? 'title' : 'header')];
  if (result !== null) title.push(span(` ${formatGrouped(rows.reduce((sum, row) => sum + (foldedIn(row) || 1), 0))}`));
  if (rows.length > visible) title.push(span(` ${glyphs.separator} ${from + 1}-${from + shownRows.length}`, 'dim'));
  const late = result !== null && isLate(history, pane, range, context.now);
  const note: Line =
    slot?.failure != null
      ? [span('not read', 'warn')]
      : late
        ? [span(`reading${glyphs.more}`, 'warn')]
        : slot !== undefined && lacksMachines(slot)
          ? [span('incomplete', 'warn')]
          : placed.some(({ column }) => column.key === history.sort.column)
            ? []
            : [span(`by ${history.sort.column} ${mark}`, 'dim')];
  return { lines: framed(rect, title, note, lines, glyphs, focused), ids: shownRows.map(rowId) };
}

function emptyText(history: HistoryState, pane: HistoryPane, filtered: boolean, glyphs: Glyphs): string {
  const slot = history.slots[pane];
  if (slot === undefined || (slot.pending && slot.answer === null)) return `reading${glyphs.more}`;
  if (slot.failure !== null) return drawable(slot.failure.message, glyphs);
  return filtered ? 'nothing matches the filter' : 'nothing recorded';
}

function columnsOf(history: HistoryState, pane: HistoryPane, result: HistoryResult | null): readonly Column<HistoryRow>[] {
  const all = result === null ? 0 : result.total.rxBytes + result.total.txBytes;
  const share = (row: HistoryRow): number => (all > 0 ? (row.rxBytes + row.txBytes) / all : 0);
  const amount = (key: HistorySort, rank: number, bytes: (row: HistoryRow) => number): Column<HistoryRow> => ({
    key,
    title: (glyphs) => (key === 'rx' ? `${glyphs.rx} RX` : key === 'tx' ? `${glyphs.tx} TX` : key),
    min: AMOUNT_WIDTH,
    max: AMOUNT_WIDTH,
    align: 'right',
    rank,
    cell: (row, { units }) => span(signedAmount(bytes(row), units), key === 'tx' ? 'tx' : key === 'rx' ? 'rx' : 'text'),
  });
  const count = (
    key: string,
    rank: number,
    width: number,
    text: (row: HistoryRow, glyphs: Glyphs) => string,
  ): Column<HistoryRow> => ({
    key,
    title: () => key,
    min: width,
    max: width,
    align: 'right',
    rank,
    cell: (row, { glyphs }) => span(text(row, glyphs), 'dim'),
  });
  const columns: Column<HistoryRow>[] = [
    {
      key: 'name',
      title: () => SINGULAR[pane],
      min: 12,
      max: 60,
      weight: 4,
      align: 'left',
      cut: pane === 'domains' ? 'start' : 'end',
      rank: 1,
      cell: (row, context) => {
        if (row.key === null) return span(`(${shown(row.reason ?? 'unknown', context)})`, 'dim');
        return span(pane === 'domains' ? hidden(row.key, context) : shown(row.key, context), 'name');
      },
    },
    amount('rx', 2, (row) => row.rxBytes),
    amount('tx', 3, (row) => row.txBytes),
    amount('total', 6, (row) => row.rxBytes + row.txBytes),
    count('share', 4, 7, (row) => formatShare(share(row))),
    {
      key: 'bar',
      title: () => '',
      min: BAR_CELLS,
      max: BAR_CELLS,
      align: 'left',
      rank: 8,
      cell: (row, { glyphs }, width) => meterOf(share(row), width, glyphs),
    },
    count('flows', 5, 6, (row) => formatCount(row.flows)),
    count('packets', 9, 7, (row) => formatCount(row.rxPackets + row.txPackets)),
  ];
  const times = firstTimes(history)?.domains;
  if (times === undefined) return columns;
  return [...columns, count('first seen', 7, 10, (row, glyphs) => dayOf(times.get(row.key ?? '') ?? null, glyphs))];
}

/** Corrections that were booked late may take a row of a short range below zero. */
function signedAmount(bytes: number, units: UnitMode): string {
  return bytes < 0 ? `-${formatAmount(-bytes, units).trimStart()}` : formatAmount(bytes, units);
}

function dayOf(time: number | null, glyphs: Glyphs): string {
  if (time === null) return glyphs.unknown;
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

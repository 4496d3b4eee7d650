// A table as lines: title with counts and sort, header row with the sort mark, rows fitted to their columns, cursor and pins in the first cell.

import type { Average } from '../../model/options.ts';
import type { CategoryRow, Snapshot } from '../../model/snapshot.ts';
import { counted } from '../../net/counted.ts';
import { type Picture, pictureOf } from '../derive.ts';
import { hasTabs, showsLite, visibleRows } from '../layout.ts';
import { framed, type Rect } from '../pane.ts';
import type { TableName, ViewState } from '../state.ts';
import { type CellContext, type PlacedColumn, showsSort } from '../tables/column.ts';
import { placedColumns } from '../tables/placement.ts';
import { recentlySeenOf } from '../tables/recently-seen.ts';
import { type AnyRow, branchOf, isQuietRow, orderedRows, SPECS, topRows } from '../tables/rows.ts';
import { cursorIndex, topFor } from '../tables/selection.ts';
import { fitText } from '../text/cells.ts';
import { formatDuration, formatGrouped } from '../text/format.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { type Line, type Span, span } from '../text/span.ts';
import { shownRate } from '../traffic.ts';
import { mainHost } from '../tree/app-tree.ts';
import { isMachineLine, MACHINE, machineCell } from '../tree/machines.ts';
import { viewName } from './tabs.ts';

/** A drawn table, and what lies under each of its cells for the mouse. */
export interface TableModel {
  readonly lines: readonly Line[];
  /** Ids of the visible rows, from the line `firstRow` of the pane on. */
  readonly ids: readonly string[];
  readonly firstRow: number;
  /** Column keys by cell range within the pane. */
  readonly headers: readonly { readonly key: string; readonly from: number; readonly to: number }[];
}

const EMPTY: Record<TableName, string> = {
  apps: 'waiting for the first packets',
  connections: 'no open connection',
  hosts: 'no host yet',
  categories: 'no traffic to sort yet',
  interfaces: 'no interface yet',
  events: 'nothing happened yet',
  alerts: 'no alert yet',
  questions: 'nothing was asked of DNS yet',
  resolvers: 'no resolver was asked yet',
  listeners: 'nothing listens',
};

/** What cells need to know, for one picture. */
export function contextOf(state: ViewState, live: Snapshot, glyphs: Glyphs): CellContext {
  const picture = pictureOf(state, live);
  return {
    glyphs,
    units: state.units,
    average: state.average,
    time: timeOf(state, picture.snapshot),
    names: state.names,
    services: state.services,
    privacy: state.privacy,
    paths: state.paths,
    open: new Set(),
    recentlySeen: recentlySeenOf(picture.snapshot),
    recentTotal: recentTotalOf(picture.categories),
    now: picture.snapshot.time,
    rate: shownRate(picture.total, state.average),
    mainHost: (id) => mainHost(id, picture, state.average),
  };
}

/** The last seconds of all categories, added up. */
function recentTotalOf(categories: readonly CategoryRow[]): readonly number[] {
  const length = Math.max(0, ...categories.map(({ recent }) => recent.length));
  const sums = new Array<number>(length).fill(0);
  for (const { recent } of categories)
    for (let i = 0; i < recent.length; i++)
      sums[length - recent.length + i] = (sums[length - recent.length + i] as number) + (recent[i] as number);
  return sums;
}

/** Draws one table into a rectangle. */
export function tablePanel(state: ViewState, live: Snapshot, glyphs: Glyphs, table: TableName, rect: Rect): TableModel {
  const picture = pictureOf(state, live);
  const spec = SPECS[table];
  const rate = rateOf(topRows(picture, table), state.average);
  const context = { ...contextOf(state, live, glyphs), rate, open: new Set(state.open[table]) };
  const rows = orderedRows(state, live, table);
  const { sort, top } = state.tables[table];
  const focused = state.pane === table && state.popup === null;
  const placed = placedColumns(state, live, context, table, rect.width);
  const visible = visibleRows(rect);
  const cursor = cursorIndex(state.tables[table], rows);
  const from = topFor(top, cursor, visible, rows.length);
  const shownRows = rows.slice(from, from + visible);

  const lines: Line[] = [headerRow(placed, sort.column, sort.descending, glyphs, context.time)];
  for (const [offset, row] of shownRows.entries())
    lines.push(
      tableRow(
        row,
        placed,
        context,
        rect.width - 2,
        from + offset === cursor,
        state.pane === table,
        state.pins[table].includes(row.id),
      ),
    );
  if (rows.length === 0) lines.push([span(`  ${emptyText(state, picture, table)}`, 'dim')]);

  const mark = sort.descending ? glyphs.descending : glyphs.ascending;
  const order = picture.byLineage ? ' by what started them' : picture.byContainer ? ' by container' : '';
  const name = table === 'apps' ? spec.title + order : spec.title;
  const title: Span[] = [
    span(
      hasTabs(state) || showsLite(state) || state.view === table ? name : `${viewName(state.view)} ${glyphs.separator} ${name}`,
      focused ? 'title' : 'header',
    ),
    span(` ${formatGrouped(countOf(picture, state, table, rows))}`, 'text'),
  ];
  const lookups = table === 'connections' ? lookupsIn(rows) : { rows: 0, connections: 0 };
  if (lookups.connections > lookups.rows)
    title.push(span(` ${glyphs.separator} ${formatGrouped(lookups.connections)} dns in ${counted(lookups.rows, 'row')}`, 'dim'));
  if (table === 'connections' && picture.closedHidden > 0)
    title.push(span(` ${glyphs.separator} ${picture.closedHidden} closed hidden`, 'dim'));
  if (table === 'events' && picture.eventsHidden > 0) {
    title.push(span(` ${glyphs.separator} ${counted(picture.eventsHidden, 'event')} of connections hidden`, 'dim'));
  }
  if (table === 'questions') title.push(...questionsTitle(state, picture, glyphs));
  if (rows.length > visible) title.push(span(` ${glyphs.separator} ${from + 1}-${from + shownRows.length}`, 'dim'));
  const isShown = placed.some(({ column }) => showsSort(column, sort.column));
  const note: Line =
    state.frozen !== null ? [span('order frozen', 'accent')] : isShown ? [] : [span(`by ${sort.column} ${mark}`, 'dim')];
  return {
    lines: framed(rect, title, note, lines, glyphs, focused),
    ids: shownRows.map((row) => row.id),
    firstRow: 2,
    headers: placed
      .filter(({ column }) => column.value !== undefined)
      .map(({ column, left, width }) => ({ key: column.key, from: left + 2, to: left + 2 + width })),
  };
}

/** The time over which rows show rates. Of a tick that is longer than the window, nothing finer is known. */
function timeOf({ average, chart }: ViewState, { intervalMs }: Snapshot): string {
  return chart.selection?.answer ? '' : formatDuration(Math.max(average * 1000, intervalMs));
}

/** Rows at the top of the table; of connections all, whether they have a row of their own or not. */
function countOf(picture: Picture, { since }: ViewState, table: TableName, rows: readonly AnyRow[]): number {
  if (table !== 'connections') return byMachineCount(rows) ?? rows.filter((row) => (branchOf(row)?.depth ?? 0) === 0).length;
  const { connections, filtered, closedHidden, snapshot } = picture;
  const isPart = filtered || since !== null || closedHidden > 0;
  return isPart ? connections.length : Math.max(connections.length, snapshot.flowCount);
}

/** Rows below all machines, where they stand below them; else null. */
function byMachineCount(rows: readonly AnyRow[]): number | null {
  const lines = rows.filter(isMachineLine);
  return lines.length === 0 ? null : lines.reduce((sum, { below }) => sum + below, 0);
}

/**
 * RX+TX of rows, which may differ from the total: what apps of this machine say to each other counts for both, and what moved nothing since the
 * count began has no row.
 */
function rateOf(rows: readonly AnyRow[], average: Average): number {
  let sum = 0;
  for (const row of rows) if ('means' in row) sum += shownRate(row, average);
  return sum;
}

/** How questions are grouped, and how many of them are known by their number alone. */
function questionsTitle({ grouping }: ViewState, { snapshot }: Picture, glyphs: Glyphs): readonly Span[] {
  const { missed } = snapshot.dns;
  return [
    ...(grouping === 'none' ? [] : [span(` by ${grouping}`, 'dim')]),
    ...(missed > 0 ? [span(` ${glyphs.separator} ${formatGrouped(missed)} more came too fast to list`, 'warn')] : []),
  ];
}

/** Rows of look-ups, and the connections that they stand for. */
function lookupsIn(rows: readonly AnyRow[]): { readonly rows: number; readonly connections: number } {
  const sum = { rows: 0, connections: 0 };
  for (const row of rows) {
    if (!('lookups' in row) || row.lookups === undefined) continue;
    sum.rows++;
    sum.connections += row.lookups.connections;
  }
  return sum;
}

function emptyText(state: ViewState, { filtered, closedHidden, snapshot }: Picture, table: TableName): string {
  if (table === 'connections' && closedHidden > 0)
    return filtered ? 'only closed connections match the filter' : 'only closed connections';
  if (table === 'listeners' && snapshot.listeners === null)
    return snapshot.capture.file === null ? 'the list is being made' : 'a file lists no listeners';
  const where = snapshot.capture.file === null ? snapshot.capture.interfaces.join(', ') : '';
  if (filtered) return where === '' ? 'nothing matches the filter' : `nothing on ${where} matches the filter`;
  if (state.chart.selection !== null) return 'nothing moved then, as far as is known';
  if (state.since !== null) return 'nothing since the count began';
  if (table === 'questions' && snapshot.capture.packets === null)
    return 'questions are read from packets, and this view has none';
  if (table === 'questions' && snapshot.dns.encrypted.length > 0) return "what is asked here is encrypted: it can't be read";
  if (table !== 'apps') return EMPTY[table];
  if (snapshot.capture.packets === null) return 'no socket has moved anything yet';
  return where === '' ? EMPTY.apps : `${EMPTY.apps} on ${where}`;
}

function headerRow(
  placed: readonly PlacedColumn<AnyRow>[],
  sorted: string,
  descending: boolean,
  glyphs: Glyphs,
  time: string,
): Line {
  const out: Span[] = [span(' ')];
  const mark = descending ? glyphs.descending : glyphs.ascending;
  const first = placed.find(({ column }) => showsSort(column, sorted));
  for (const one of placed) {
    const { column, width } = one;
    if (out.length > 1) out.push(span(' '));
    const name = column.title(glyphs, time);
    const text = one !== first ? name : column.align === 'right' ? `${mark}${name}` : `${name.slice(0, width - 1)}${mark}`;
    out.push(span(fitText(text, width, glyphs, column.align), showsSort(column, sorted) ? 'sorted' : 'header'));
  }
  return out;
}

function tableRow(
  row: AnyRow,
  placed: readonly PlacedColumn<AnyRow>[],
  context: CellContext,
  width: number,
  chosen: boolean,
  focused: boolean,
  pinned: boolean,
): Line {
  const { glyphs } = context;
  const out: Span[] = [
    span(chosen ? glyphs.cursor : pinned ? glyphs.pin : ' ', chosen ? (focused ? 'accent' : 'dim') : 'pinned'),
  ];
  let used = 1;
  const hasMachines = placed.some(({ column }) => column.key === MACHINE.key);
  for (const { column, left, width: cells } of placed) {
    if (left > 0) {
      out.push(span(' '));
      used++;
    }
    const sum = isMachineLine(row) ? machineCell(row, column, left === 0, hasMachines, context) : null;
    const made = sum ?? column.cell(row, context, cells);
    if ('role' in made) out.push(span(fitText(made.text, cells, glyphs, column.align, column.cut), made.role));
    else out.push(...made);
    used += cells;
  }
  if (used < width) out.push(span(' '.repeat(width - used)));
  if (!chosen || !focused)
    return isQuietRow(row, context.average) ? out.map((part, index) => (index === 0 ? part : span(part.text, 'dim'))) : out;
  return out.map((part, index) => (index === 0 ? part : span(part.text, 'selected')));
}

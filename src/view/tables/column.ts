// Columns: what a table can show of a row, in which order columns give way when room is short, and how rows sort by them.

import type { Average, UnitMode } from '../../model/options.ts';
import type { FlowRow, Traffic } from '../../model/snapshot.ts';
import type { Cut } from '../text/cells.ts';
import type { Glyphs } from '../text/glyphs.ts';
import type { Span } from '../text/span.ts';
import { shownRate } from '../traffic.ts';
import type { RecentlySeen } from './recently-seen.ts';

/** What cells need to know besides their row. */
export interface CellContext {
  readonly glyphs: Glyphs;
  readonly units: UnitMode;
  /** Seconds over which rates are shown, and how to say it: `10s`; empty where they are means over a range of the past. */
  readonly average: Average;
  readonly time: string;
  readonly names: boolean;
  readonly services: boolean;
  readonly privacy: boolean;
  /** Paths of requests are shown, their first segment. */
  readonly paths: boolean;
  /** Ids of rows whose branches are shown. */
  readonly open: ReadonlySet<string>;
  /** Apps and domains that were met for the first time a short while ago. */
  readonly recentlySeen: RecentlySeen;
  /** Time of the picture, epoch ms. */
  readonly now: number;
  /** RX+TX of all categories in the last seconds, oldest first, for shares over time. */
  readonly recentTotal: readonly number[];
  /** RX+TX rate that shares are of: of all rows at the top of a table, else of everything shown. */
  readonly rate: number;
  /** The other end with which an app exchanges most; null where none of its connections is listed. Takes the id of the app's row. */
  readonly mainHost: (id: string) => (Pick<FlowRow, 'host' | 'nameSource'> & { readonly address: string }) | null;
}

/** One column of a table of `Row`. */
export interface Column<Row> {
  readonly key: string;
  /** @param time of the context */
  readonly title: (glyphs: Glyphs, time: string) => string;
  /** Fewest cells it is shown with, and the most it is given. */
  readonly min: number;
  readonly max: number;
  /** Cells it gives up to, below `min`, where a column that is `kept` would else not fit; `min` unless told. */
  readonly least?: number;
  /** Cells that long contents get before any column of this rank, or a higher one, joins. */
  readonly comfort?: { readonly cells: number; readonly before: number };
  /** Key of a column without which it tells half: either joins with the other or not at all. */
  readonly partner?: string;
  /** True for what others are narrowed for, before it goes, whatever its rank. */
  readonly kept?: boolean;
  /** Cells it takes at a time when room is shared out; 1 unless told. */
  readonly weight?: number;
  readonly align: 'left' | 'right';
  readonly cut?: Cut;
  /** 1 is given up last. */
  readonly rank: number;
  readonly cell: (row: Row, context: CellContext, width: number) => Span | readonly Span[];
  /** The cell as words alone, where it is also drawn: for copies and files. */
  readonly plain?: (row: Row, context: CellContext) => string;
  /**
   * Cells that the longest of the rows takes, 0 where none says anything: then the column gives its room to others. Absent for what always says
   * something and needs no more than `min`.
   */
  readonly wants?: (rows: readonly Row[], context: CellContext) => number;
  /** What rows are compared by; null sorts last in both directions. Absent where sorting makes no sense. */
  readonly value?: (row: Row, average: Average) => number | string | null;
  /** Text sorts ascending at first, numbers descending. */
  readonly ascendingFirst?: boolean;
  /** A sort by this column and others together, which has no column of its own. */
  readonly marks?: string;
}

/** A way to sort that no single column shows. */
export interface HiddenSort<Row> {
  readonly key: string;
  readonly value: (row: Row, average: Average) => number | string | null;
}

/** A table: its columns in the order in which they stand, and its ways to sort. */
export interface TableSpec<Row> {
  readonly title: string;
  readonly columns: readonly Column<Row>[];
  readonly sorts: readonly HiddenSort<Row>[];
}

/** RX+TX, the sort that every table starts with. */
export const BY_RATE: HiddenSort<Traffic> = { key: 'rate', value: shownRate };

/** RX+TX since the start. */
export const BY_TOTAL: HiddenSort<Traffic> = { key: 'total', value: (row) => row.rxBytes + row.txBytes };

/** Keys that `s` goes through in the order of the columns, a key of several columns before the first of them. */
export function sortKeys<Row>({ columns, sorts }: Pick<TableSpec<Row>, 'columns' | 'sorts'>): readonly string[] {
  const keys = new Set<string>();
  for (const { key, marks, value } of columns) {
    if (marks !== undefined && sorts.some((sort) => sort.key === marks)) keys.add(marks);
    if (value !== undefined) keys.add(key);
  }
  return [...keys];
}

/** True for a column that shows what rows are sorted by under this key. */
export function showsSort<Row>({ key, marks }: Column<Row>, sorted: string): boolean {
  return key === sorted || marks === sorted;
}

/** True when the first press on this key should sort ascending. */
export function ascendingFirst<Row>(spec: TableSpec<Row>, key: string): boolean {
  return spec.columns.find((column) => column.key === key)?.ascendingFirst ?? false;
}

/** What to compare rows by for a key; rows keep their order for an unknown one. */
export function sortValue<Row>(spec: TableSpec<Row>, key: string): (row: Row, average: Average) => number | string | null {
  return (
    spec.columns.find((column) => column.key === key)?.value ?? spec.sorts.find((sort) => sort.key === key)?.value ?? (() => 0)
  );
}

/** A column and the cells it was given. */
export interface PlacedColumn<Row> {
  readonly column: Column<Row>;
  readonly left: number;
  readonly width: number;
}

/** A rank right after the first. */
const AFTER_FIRST = 1.5;

/** Takes `cells` from columns that can give some, the widest first, or none where they can't. @returns how many it took */
function narrowed<Row>(given: Map<Column<Row>, number>, cells: number): number {
  const spare = ([column, now]: readonly [Column<Row>, number]): number => now - Math.min(now, column.least ?? column.min);
  if ([...given].reduce((sum, entry) => sum + spare(entry), 0) < cells) return 0;
  for (let taken = 0; taken < cells; taken++) {
    const widest = [...given].filter((entry) => spare(entry) > 0).reduce((a, b) => (b[1] > a[1] ? b : a));
    given.set(widest[0], widest[1] - 1);
  }
  return cells;
}

/**
 * Shares `width` cells among columns, one cell between neighbours.
 *
 * Columns join by rank while their least widths fit. For those of the first rank, for the sort's and for one that is `kept`, all that can give
 * cells are made narrower. What is left over goes to what would be cut, then to columns of a higher rank that fit nevertheless, then widens all
 * in turn up to their most.
 *
 * @param sorted key of a sort whose columns join right after those of the first rank; null for none
 * @param wants cells that the contents of columns take, by key (`wantsOf`): a column of 0 is left out, one that is not there takes its `min`;
 * null where contents are not known
 */
export function placeColumns<Row>(
  columns: readonly Column<Row>[],
  width: number,
  wants: ReadonlyMap<string, number> | null = null,
  sorted: string | null = null,
): readonly PlacedColumn<Row>[] {
  const wanted = (column: Column<Row>): number =>
    wants === null ? column.max : Math.min(column.max, wants.get(column.key) ?? column.min);
  const rankOf = (column: Column<Row>): number =>
    sorted !== null && showsSort(column, sorted) ? Math.min(column.rank, AFTER_FIRST) : column.rank;
  const byRank = columns.filter((column) => wanted(column) > 0).sort((a, b) => rankOf(a) - rankOf(b));
  const given = new Map<Column<Row>, number>();
  let left = width;
  let isFull = false;
  for (const column of byRank) {
    if (wants !== null) left = eased(given, left, rankOf(column), wanted);
    if (given.has(column)) continue;
    const joining = [column, ...byRank.filter(({ key }) => key === column.partner)];
    const least = (each: Column<Row>): number => Math.min(each.min, wanted(each));
    const needed = joining.reduce((sum, each) => sum + least(each) + 1, given.size > 0 ? 0 : -1);
    for (const each of joining) given.set(each, least(each));
    left -= needed;
    if (left < 0 && (column.kept === true || rankOf(column) <= AFTER_FIRST)) left += narrowed(given, -left);
    if (left < 0) {
      for (const each of joining) given.delete(each);
      left += needed;
      if (wants === null) break;
      if (!isFull) left = widened(given, byRank, left, wanted);
      isFull = true;
    }
  }
  left = widened(given, byRank, left, wanted);
  widened(given, byRank, left, (column) => column.max);
  const placed: PlacedColumn<Row>[] = [];
  let at = 0;
  for (const column of columns) {
    const cells = given.get(column);
    if (cells === undefined) continue;
    placed.push({ column, left: at, width: cells });
    at += cells + 1;
  }
  return placed;
}

/** Gives cells to long contents before a column of this rank joins. @returns how many are left */
function eased<Row>(
  given: Map<Column<Row>, number>,
  left: number,
  rank: number,
  wanted: (column: Column<Row>) => number,
): number {
  let rest = left;
  for (const [column, now] of given) {
    if (column.comfort === undefined || rank < column.comfort.before) continue;
    const more = Math.max(0, Math.min(rest, Math.min(column.comfort.cells, wanted(column)) - now));
    given.set(column, now + more);
    rest -= more;
  }
  return rest;
}

/** Gives out `left` cells in turn, so that a long name does not starve the next one. @returns how many nobody wanted */
function widened<Row>(
  given: Map<Column<Row>, number>,
  order: readonly Column<Row>[],
  left: number,
  most: (column: Column<Row>) => number,
): number {
  for (let gave = true; left > 0 && gave; ) {
    gave = false;
    for (const column of order) {
      const now = given.get(column);
      if (now === undefined || now >= most(column) || left === 0) continue;
      const more = Math.min(left, column.weight ?? 1, most(column) - now);
      given.set(column, now + more);
      left -= more;
      gave = true;
    }
  }
  return left;
}

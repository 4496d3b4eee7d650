// Rows in the order in which they are shown: sorted, held where the order is frozen, pinned ones on top.

import type { AppRow, CategoryRow, FlowRow, HostRow, InterfaceRow, Snapshot } from '../aggregate/snapshot.ts';
import { sortValue, type TableSpec } from './column.ts';
import { type Picture, pictureOf } from './derive.ts';
import type { Sort, TableName, ViewState } from './state.ts';
import { APPS } from './tables/apps.ts';
import { CATEGORIES } from './tables/categories.ts';
import { CONNECTIONS } from './tables/connections.ts';
import { HOSTS } from './tables/hosts.ts';
import { INTERFACES } from './tables/interfaces.ts';

/** A row of any table. */
export type AnyRow = AppRow | FlowRow | HostRow | CategoryRow | InterfaceRow;

/** The table of a name, its row type forgotten: a table is only ever given its own rows, by `orderedRows`. */
export const SPECS = {
  apps: APPS,
  connections: CONNECTIONS,
  hosts: HOSTS,
  categories: CATEGORIES,
  interfaces: INTERFACES,
} as unknown as Readonly<Record<TableName, TableSpec<AnyRow>>>;

interface Kept {
  readonly picture: Picture;
  readonly sort: Sort;
  readonly frozen: readonly string[] | null;
  readonly pins: readonly string[];
  readonly rows: readonly AnyRow[];
}

const kept = new Map<TableName, Kept>();

/** Rows of a table as the state orders them. The last answer for each table is kept. */
export function orderedRows(state: ViewState, live: Snapshot, table: TableName): readonly AnyRow[] {
  const picture = pictureOf(state, live);
  const { sort } = state.tables[table];
  const frozen = state.frozen?.[table] ?? null;
  const pins = state.pins[table];
  const old = kept.get(table);
  if (old !== undefined && old.picture === picture && old.sort === sort && old.frozen === frozen && old.pins === pins)
    return old.rows;
  const rows = order(picture[table], SPECS[table], sort, frozen, pins);
  kept.set(table, { picture, sort, frozen, pins, rows });
  return rows;
}

function order(
  source: readonly AnyRow[],
  spec: TableSpec<AnyRow>,
  sort: Sort,
  frozen: readonly string[] | null,
  pins: readonly string[],
): readonly AnyRow[] {
  const value = sortValue(spec, sort.column);
  const keyed = source.map((row, index) => ({ row, index, key: value(row) }));
  const sign = sort.descending ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.key === b.key) return a.index - b.index;
    if (a.key === null) return 1;
    if (b.key === null) return -1;
    return sign * (a.key < b.key ? -1 : 1) || a.index - b.index;
  });
  let rows = keyed.map(({ row }) => row);
  if (frozen !== null) rows = first(rows, frozen);
  return pins.length > 0 ? first(rows, pins) : rows;
}

/** Rows whose ids are listed, in the order of the list; then the others as they were. */
function first(rows: readonly AnyRow[], ids: readonly string[]): AnyRow[] {
  const places = new Map(ids.map((id, index) => [id, index]));
  const listed: AnyRow[] = [];
  const rest: AnyRow[] = [];
  for (const row of rows) (places.has(row.id) ? listed : rest).push(row);
  listed.sort((a, b) => (places.get(a.id) as number) - (places.get(b.id) as number));
  return [...listed, ...rest];
}

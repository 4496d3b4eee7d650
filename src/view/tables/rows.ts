// Rows in the order in which they are shown: sorted, steady under a sort by rate, held where the order is frozen, pinned ones on top, branches under their rows.

import type { Alert } from '../../model/alert.ts';
import type { ListenerRow } from '../../model/listeners.ts';
import type { Average } from '../../model/options.ts';
import type { CategoryRow, InterfaceRow, NetEvent, Snapshot } from '../../model/snapshot.ts';
import { type Picture, pictureOf } from '../derive.ts';
import { showsLite } from '../layout.ts';
import type { Order, Sort, TableName, ViewState } from '../state.ts';
import { type AppLine, underApp, underBranch } from '../tree/app-tree.ts';
import { type Branch, hasMore } from '../tree/branch.ts';
import { containerTops, underContainer } from '../tree/container-tree.ts';
import { domains, type HostLine, underHost } from '../tree/host-tree.ts';
import { lineageTops, underProcess } from '../tree/lineage-tree.ts';
import { type ConnectionLine, folded, underLookups } from '../tree/lookups.ts';
import { byMachine, isMachineLine, MACHINE, type MachineLine } from '../tree/machines.ts';
import { type DnsLine, type ResolverLine, underGroup } from '../tree/questions.ts';
import { ALERTS } from './alerts.ts';
import { APPS } from './apps.ts';
import { CATEGORIES } from './categories.ts';
import { type Column, sortValue, type TableSpec } from './column.ts';
import { CONNECTIONS } from './connections.ts';
import { EVENTS } from './events.ts';
import { HOSTS } from './hosts.ts';
import { INTERFACES } from './interfaces.ts';
import { LISTENERS } from './listeners.ts';
import { QUESTIONS, RESOLVERS } from './questions.ts';
import { isByRate, isQuiet, orderToHold, type Rated, STEADY_MAX, type Standing, steady } from './steady.ts';

/** A row of any table. */
export type AnyRow =
  | AppLine
  | ConnectionLine
  | HostLine
  | CategoryRow
  | InterfaceRow
  | NetEvent
  | Alert
  | DnsLine
  | ResolverLine
  | ListenerRow
  | MachineLine;

/** The table of a name, its row type forgotten: a table is only ever given its own rows, by `orderedRows`. */
export const SPECS = {
  apps: APPS,
  connections: CONNECTIONS,
  hosts: HOSTS,
  categories: CATEGORIES,
  interfaces: INTERFACES,
  events: EVENTS,
  alerts: ALERTS,
  questions: QUESTIONS,
  resolvers: RESOLVERS,
  listeners: LISTENERS,
} as unknown as Readonly<Record<TableName, TableSpec<AnyRow>>>;

/** Columns that the lite screen shows of a table, in the order of the table. */
const LITE_COLUMNS: readonly string[] = ['app', 'host', 'rx-rate', 'tx-rate'];

/** Columns of a table; with several machines, theirs stands behind the first. */
export function allColumns({ hasMachines }: ViewState, table: TableName): readonly Column<AnyRow>[] {
  const { columns } = SPECS[table];
  return hasMachines ? (WITH_MACHINES.get(table) ?? columns) : columns;
}

const WITH_MACHINES: ReadonlyMap<TableName, readonly Column<AnyRow>[]> = new Map(
  (Object.entries(SPECS) as [TableName, TableSpec<AnyRow>][]).map(([table, { columns }]) => [
    table,
    [...columns.slice(0, 1), MACHINE as Column<AnyRow>, ...columns.slice(1)],
  ]),
);

/** Columns that a table may show. */
export function columnsOf(state: ViewState, table: TableName): readonly Column<AnyRow>[] {
  const columns = allColumns(state, table);
  return showsLite(state) ? columns.filter(({ key }) => LITE_COLUMNS.includes(key)) : columns;
}

interface Kept {
  readonly picture: Picture;
  readonly sort: Sort;
  readonly average: Average;
  readonly order: Order | null;
  readonly frozen: readonly string[] | null;
  readonly pins: readonly string[];
  readonly open: readonly string[];
  readonly byMachine: boolean;
  readonly rows: readonly AnyRow[];
}

const kept = new Map<TableName, Kept>();

/** Where a row hangs; undefined for one at the top. */
export function branchOf(row: AnyRow): Branch | undefined {
  return 'branch' in row ? row.branch : undefined;
}

/** Rows at the top of a table, in no order. */
export function topRows(picture: Picture, table: TableName): readonly AnyRow[] {
  if (table === 'connections') return folded(picture.connections);
  if (table === 'apps' && picture.byLineage) return lineageTops(picture);
  if (table === 'apps' && picture.byContainer) return containerTops(picture);
  return table === 'hosts' ? domains(picture.hosts) : picture[table];
}

/** Rows right under a row. */
export function childRows(row: AnyRow, picture: Picture, table: TableName): readonly AnyRow[] {
  if (table === 'hosts') return underHost(row as HostLine, picture);
  if (table === 'connections') return 'lookups' in row ? underLookups(row as ConnectionLine, picture) : [];
  if (table === 'questions') return underGroup(row as DnsLine, picture.asked);
  if (table !== 'apps') return [];
  const kind = branchOf(row)?.kind;
  if (kind === 'lineage') return underProcess(row as AppLine, picture);
  if (kind === 'container' || kind === 'contained') return underContainer(row as AppLine, picture);
  return branchOf(row) === undefined ? underApp(row as AppLine, picture) : underBranch(row as AppLine, picture);
}

/** True for a row that something can hang under. */
export function hasBranches(row: AnyRow, table: TableName): boolean {
  if (isMachineLine(row)) return true;
  const branch = branchOf(row);
  if (table === 'apps') return hasMore(branch);
  if (table === 'connections') return 'lookups' in row;
  if (table === 'questions') return 'group' in row;
  return table === 'hosts' && (row as HostLine).host !== null && branch?.kind !== 'app';
}

/** Rows of a table as the state orders them. The last answer for each table is kept. */
export function orderedRows(state: ViewState, live: Snapshot, table: TableName): readonly AnyRow[] {
  const picture = pictureOf(state, live);
  const { sort } = state.tables[table];
  const { average } = state;
  const order = heldOrder(state, table);
  const frozen = state.frozen?.[table] ?? null;
  const pins = state.pins[table];
  const open = state.open[table];
  const folds = state.byMachine && state.hasMachines;
  const old = kept.get(table);
  if (
    old !== undefined &&
    old.picture === picture &&
    old.sort === sort &&
    old.average === average &&
    old.order === order &&
    old.frozen === frozen &&
    old.pins === pins &&
    old.open === open &&
    old.byMachine === folds
  )
    return old.rows;
  const how = { table, sort, average, order };
  let top = sortedTop(topRows(picture, table), how);
  if (frozen !== null) top = first(top, frozen);
  if (pins.length > 0) top = first(top, pins);
  const isOpen = new Set(open);
  const below = (rows: readonly AnyRow[]) => (open.length === 0 ? rows : withBranches(rows, picture, how, isOpen));
  const rows = folds
    ? byMachine(top as readonly { readonly machine?: string }[], picture.snapshot.machines ?? []).flatMap(
        ([line, own]): readonly AnyRow[] => (isOpen.has(line.id) ? [line, ...below(own as readonly AnyRow[])] : [line]),
      )
    : below(top);
  kept.set(table, { picture, sort, average, order, frozen, pins, open, byMachine: folds, rows });
  return rows;
}

/** The order that a table holds; null where it is sorted in another way by now, and for a range of the past. */
function heldOrder({ orders, tables, average, chart }: ViewState, table: TableName): Order | null {
  const order = orders[table];
  const isHeld = order?.sort === tables[table].sort && order.average === average && chart.selection?.answer == null;
  return isHeld ? order : null;
}

/** The order that a table is to hold from this tick on; null where its sort is exact. */
export function nextOrder(state: ViewState, live: Snapshot, table: TableName): Order | null {
  const { sort } = state.tables[table];
  const { average } = state;
  if (!isByRate(sort) || (state.byMachine && state.hasMachines)) return null;
  const held = heldOrder(state, table);
  const { time } = pictureOf(state, live).snapshot;
  if (held?.time === time) return held; // paused
  const rate = sortValue(SPECS[table], sort.column);
  const rows: Standing[] = [];
  for (const row of orderedRows(state, live, table)) {
    if (isQuietRow(row, average)) continue;
    if (rows.length === STEADY_MAX) break;
    const branch = branchOf(row);
    const isLast = branch?.kind === 'rest' || branch?.kind === 'processes';
    rows.push({ id: row.id, parent: branch?.parent ?? '', rate: Number(rate(row, average)), mayRise: !isLast });
  }
  const order = orderToHold(rows, held, { sort, average }, time);
  const old = kept.get(table);
  // Rows stand in that order already: there is no need to sort them again.
  if (old !== undefined && rows.every(({ id }, index) => order.places.get(id) === index)) kept.set(table, { ...old, order });
  return order;
}

/** True for a row that sinks under a sort by rate. */
export function isQuietRow(row: AnyRow, average: Average): boolean {
  return 'means' in row && isQuiet(row, average);
}

/** The row with this id, hidden in a closed branch or not. */
export function rowWithId(state: ViewState, live: Snapshot, table: TableName, id: string): AnyRow | undefined {
  const shown = orderedRows(state, live, table).find((row) => row.id === id);
  const picture = pictureOf(state, live);
  // What closed while its details are open is still known, also where closed ones are not shown.
  return shown ?? (table === 'connections' ? picture.flows : picture[table]).find((row) => row.id === id);
}

/** Whatever branches are sorted by, what is no longer listed stands below them, and processes last. */
const BRANCH_ORDER: readonly ReadonlySet<Branch['kind'] | undefined>[] = [
  new Set(['host', 'app', 'process', 'lookup', 'lineage', 'contained']),
  new Set(['rest']),
  new Set(['processes']),
];

/** How the rows of a table are sorted. */
interface How {
  readonly table: TableName;
  readonly sort: Sort;
  readonly average: Average;
  readonly order: Order | null;
}

function withBranches(rows: readonly AnyRow[], picture: Picture, how: How, open: ReadonlySet<string>): readonly AnyRow[] {
  const out: AnyRow[] = [];
  const put = (row: AnyRow): void => {
    out.push(row);
    if (!open.has(row.id)) return;
    const ordered = arranged(exactly(childRows(row, picture, how.table), how), how.order);
    for (const kinds of BRANCH_ORDER) for (const branch of ordered) if (kinds.has(branchOf(branch)?.kind)) put(branch);
  };
  for (const row of rows) put(row);
  return out;
}

/** Rows sorted exactly: those that move with what they are sorted by, and under a sort by rate those that sink below them. */
interface Exact {
  readonly active: readonly Rated<AnyRow>[];
  readonly quiet: readonly AnyRow[];
}

const exact = new WeakMap<readonly AnyRow[], { readonly sort: Sort; readonly average: Average; readonly rows: Exact }>();

/** Rows at the top of a table in order. A tick asks twice, and only the order that is held has changed meanwhile. */
function sortedTop(source: readonly AnyRow[], how: How): AnyRow[] {
  let known = exact.get(source);
  if (known?.sort !== how.sort || known.average !== how.average) {
    known = { sort: how.sort, average: how.average, rows: exactly(source, how) };
    exact.set(source, known);
  }
  return arranged(known.rows, how.order);
}

function arranged({ active, quiet }: Exact, order: Order | null): AnyRow[] {
  const rows = active.map(({ row }) => row);
  if (order !== null) for (const [place, row] of steady(active.slice(0, STEADY_MAX), order.places).entries()) rows[place] = row;
  for (const row of quiet) rows.push(row);
  return rows;
}

function exactly(source: readonly AnyRow[], { table, sort, average }: How): Exact {
  const value = sortValue(SPECS[table], sort.column);
  const keys = source.map((row) => knownKey(value(row, average)));
  const totals = source.map(totalOf);
  const sign = sort.descending ? -1 : 1;
  const compare = (a: number, b: number): number => {
    const left = keys[a] as (typeof keys)[number];
    const right = keys[b] as (typeof keys)[number];
    if (left === right) return (totals[b] as number) - (totals[a] as number) || a - b;
    if (left === null) return 1;
    if (right === null) return -1;
    return left < right ? -sign : sign;
  };
  const rowAt = (index: number): AnyRow => source[index] as AnyRow;
  const active: number[] = [];
  const quiet: number[] = [];
  const byRate = isByRate(sort);
  for (const [index, row] of source.entries()) (byRate && isQuietRow(row, average) ? quiet : active).push(index);
  return {
    active: active.sort(compare).map((index) => ({ row: rowAt(index), rate: Number(keys[index]) })),
    quiet: quiet.sort(compare).map(rowAt),
  };
}

/** What decides between equals: all that moved, so that quiet rows stand still. Connections come in the order of what happened last. */
function totalOf(row: AnyRow): number {
  return 'recent' in row ? row.rxBytes + row.txBytes || 0 : 0;
}

/** A number that nobody knows sorts as unknown. */
function knownKey(key: number | string | null): number | string | null {
  return typeof key === 'number' && Number.isNaN(key) ? null : key;
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

// ViewState: what the user chose, and nothing about the network. Plain data that never changes: the reducer makes new states.

import type { Filter } from '../filter/filter.ts';
import type { Mute } from '../model/alert.ts';
import type { Average, BudgetPlan, UnitMode } from '../model/options.ts';
import type { PacketPage } from '../model/packet-page.ts';
import type { RateSeries, Snapshot } from '../model/snapshot.ts';
import type { InterfaceItem } from '../model/terms.ts';
import { type ChartState, NEW_CHART } from './chart/range.ts';
import { type HistoryState, initialHistory } from './history/state.ts';
import type { Grouping } from './tree/questions.ts';

/** Cells that a column's contents took at most, and when they last did, epoch ms. */
export interface ColumnWant {
  readonly cells: number;
  readonly at: number;
}

/** What is wrong with a filter text, and where: the UTF-16 unit, from 0. */
interface FilterProblem {
  readonly message: string;
  readonly column: number;
}

/** Tables of live traffic. */
export const TABLES = [
  'apps',
  'connections',
  'hosts',
  'categories',
  'interfaces',
  'events',
  'alerts',
  'questions',
  'resolvers',
  'listeners',
] as const;
export type TableName = (typeof TABLES)[number];

/** What fills the screen. */
export const VIEWS = [
  'overview',
  'apps',
  'connections',
  'hosts',
  'categories',
  'interfaces',
  'events',
  'history',
  'dns',
  'listeners',
] as const;
export type ViewName = (typeof VIEWS)[number];

/** How a table is sorted. */
export interface Sort {
  /** Key of a column of the table. */
  readonly column: string;
  readonly descending: boolean;
}

/** The order that the rows of a table hold while they are sorted by a rate. */
export interface Order {
  /** It counts for this sort and average alone. */
  readonly sort: Sort;
  readonly average: Average;
  /** Time of the tick that it was made at, epoch ms. */
  readonly time: number;
  /** Places of rows, branches too, by id. */
  readonly places: ReadonlyMap<string, number>;
  /** Rows that are a little faster than the one above them: which that is, and since when, epoch ms. */
  readonly rising: ReadonlyMap<string, { readonly over: string; readonly since: number }>;
}

/** Cursor, scrolling and sorting of one table. */
export interface TableState {
  readonly sort: Sort;
  /** Columns of the terminal when the sort was chosen: while it has as many, the sort's column stays. Infinity until one is chosen. */
  readonly sortedAt: number;
  /** Id of the selected row; null follows whatever is first. */
  readonly selected: string | null;
  /** Index of the selected row when it was last seen: the cursor stays there when the row goes away. */
  readonly index: number;
  /** First visible row. */
  readonly top: number;
  /** True for rows in order of time, newest last: following means staying on the last one. */
  readonly tail: boolean;
}

/** The filter and its input. */
export interface FilterState {
  /** The input, valid or not. */
  readonly text: string;
  /** The last valid text and its filter: they stay in force while the input is invalid. */
  readonly applied: string;
  readonly filter: Filter | null;
  readonly problem: FilterProblem | null;
  /** Cursor position in `text` while it is edited; null when the input is closed. */
  readonly cursor: number | null;
  /** Filters used before, newest last. */
  readonly recent: readonly string[];
  /** Index of the recent filter in the input; null while the user's own text is there, which `typed` keeps meanwhile. */
  readonly recalled: number | null;
  readonly typed: string;
  /** The last completion by Tab; null after any other key. */
  readonly offer: Offer | null;
}

/** A completion that Tab put into the input: where it begins, all items, and which one stands there now. */
export interface Offer {
  readonly from: number;
  readonly items: readonly string[];
  readonly index: number;
}

/** All about a row. */
export interface Details {
  readonly kind: 'details';
  readonly table: TableName;
  readonly id: string;
  readonly top: number;
  /** Of a connection, its last packets in place of the facts. */
  readonly showsPackets: boolean;
  /** Those as they were when the details opened; null until they are known, and for other rows. */
  readonly page: PacketPage | null;
}

/** What lies over the view. */
export type Popup =
  | { readonly kind: 'help'; readonly top: number }
  | { readonly kind: 'capture'; readonly top: number }
  | Details
  | {
      readonly kind: 'interfaces';
      readonly items: readonly InterfaceItem[] | null;
      readonly index: number;
      readonly chosen: readonly string[];
      /** What became of the choice: that it is being opened, or why it was refused; outside text. */
      readonly note: string | null;
    }
  | { readonly kind: 'export'; readonly index: number }
  /** What to silence of an alert and for how long, and what to hear of again. */
  | { readonly kind: 'mute'; readonly items: readonly MuteItem[]; readonly index: number }
  | { readonly kind: 'themes'; readonly index: number; readonly before: string };

/** One way to silence alerts (`lastsMs` is null for good), or a mute to end. */
export type MuteItem =
  | { readonly type: 'mute'; readonly mute: Omit<Mute, 'until'>; readonly lastsMs: number | null }
  | { readonly type: 'unmute'; readonly mute: Mute };

/** A row with a chart of its own, and its rates in the ticks in which it was listed. */
export interface Watch {
  readonly table: TableName;
  readonly id: string;
  readonly series: RateSeries;
}

/** Rows that have charts of their own; the one looked at last stands at the end. */
export interface Watches {
  /** Time of the last tick, epoch ms. */
  readonly time: number;
  /** The rates count only what this filter matches. */
  readonly filter: Filter | null;
  readonly rows: readonly Watch[];
}

/** All that the user chose; with a snapshot it makes a frame. Never changed: each action gives a new one. */
export interface ViewState {
  readonly size: { readonly columns: number; readonly rows: number };
  readonly view: ViewName;
  /** The focused table. */
  readonly pane: TableName;
  readonly tables: Readonly<Record<TableName, TableState>>;
  readonly filter: FilterState;
  /** The snapshot on the screen while paused; capture goes on. */
  readonly paused: Snapshot | null;
  /** Renewed by each tick, for tables that are shown; null for others. */
  readonly orders: Readonly<Record<TableName, Order | null>>;
  /** Totals count from this snapshot; null counts from the start. */
  readonly since: Snapshot | null;
  /** Row ids in the order in which they were frozen; null when rows sort freely. */
  readonly frozen: Readonly<Record<TableName, readonly string[]>> | null;
  /** Ids of rows kept on top, per table; bounded by `PINS_MAX`. */
  readonly pins: Readonly<Record<TableName, readonly string[]>>;
  /** Ids of expanded rows, per table; bounded by `OPEN_MAX`. */
  readonly open: Readonly<Record<TableName, readonly string[]>>;
  /** What columns needed lately, per table and column: they don't come and go with a single row. */
  readonly wants: Readonly<Record<TableName, Readonly<Record<string, ColumnWant>>>>;
  /** The focused pane fills the screen. */
  readonly zoomed: boolean;
  /** The overview is the lite screen. */
  readonly lite: boolean;
  readonly closed: boolean;
  /** The events view lists connections that opened and closed, too. */
  readonly connectionLog: boolean;
  /** What questions of DNS are grouped by. */
  readonly grouping: Grouping;
  /** Apps stand below what started them. */
  readonly byLineage: boolean;
  /** Apps stand below their container. */
  readonly byContainer: boolean;
  /** Sessions that are followed. */
  readonly followed: readonly Followed[];
  /** There are several machines, and so a column of them. */
  readonly hasMachines: boolean;
  /** Rows stand below their machine. */
  readonly byMachine: boolean;
  /** There are alerts: the events view shows them first. */
  readonly hasAlerts: boolean;
  /** Time of the newest alert that the user saw in the events view, epoch ms. */
  readonly alertsSeen: number;
  readonly chart: ChartState;
  /** Rates of the rows that the user looked at. */
  readonly watches: Watches;
  readonly names: boolean;
  readonly services: boolean;
  readonly privacy: boolean;
  /** Details show the first segment of a request's path. */
  readonly paths: boolean;
  readonly units: UnitMode;
  /** Seconds over which rows show rates, and by which they are ordered. */
  readonly average: Average;
  readonly popup: Popup | null;
  readonly theme: string;
  /** Names of the themes that can be picked. */
  readonly themes: readonly string[];
  /** The view of recorded history, and the budget. */
  readonly history: HistoryState;
  /** A key was pressed: whoever is there has seen the first screen. */
  readonly begun: boolean;
  /** One short line on what the last key did; empty most of the time. */
  readonly notice: string;
}

/** Pins a table can hold. */
export const PINS_MAX = 32;
/** Rows of a table that can be expanded at a time; opening one more closes the oldest. */
export const OPEN_MAX = 64;

/** A process that is followed. */
export interface Followed {
  readonly pid: number;
  /** Outside text. */
  readonly name: string;
}

/** What a run may start with; the rest has defaults. */
export interface ViewDefaults {
  readonly columns: number;
  readonly rows: number;
  readonly view?: ViewName;
  readonly units?: UnitMode;
  /** null leaves it to what was saved. */
  readonly average?: Average | null;
  readonly names?: boolean;
  readonly closed?: boolean;
  readonly lite?: boolean;
  readonly theme?: string;
  readonly themes?: readonly string[];
  readonly budget?: BudgetPlan | null;
  readonly historyFile?: string | null;
}

const NEW_TABLE: TableState = {
  ...{ sort: { column: 'rate', descending: true }, sortedAt: Number.POSITIVE_INFINITY },
  ...{ selected: null, index: 0, top: 0, tail: false },
};
const EVENT_TABLE: TableState = { ...NEW_TABLE, sort: { column: 'time', descending: false }, tail: true };
/** How each table is sorted at first. */
const NEW_TABLES: Partial<Record<TableName, TableState>> = {
  events: EVENT_TABLE,
  alerts: EVENT_TABLE,
  questions: { ...NEW_TABLE, sort: { column: 'time', descending: true } },
  listeners: { ...NEW_TABLE, sort: { column: 'port', descending: false } },
  resolvers: { ...NEW_TABLE, sort: { column: 'asked', descending: true } },
};
const NO_FILTER: FilterState = {
  text: '',
  applied: '',
  filter: null,
  problem: null,
  cursor: null,
  recent: [],
  recalled: null,
  typed: '',
  offer: null,
};
const NO_WATCHES: Watches = { time: 0, filter: null, rows: [] };
const VIEW_PANES: Record<ViewName, TableName> = {
  overview: 'apps',
  apps: 'apps',
  connections: 'connections',
  hosts: 'hosts',
  categories: 'categories',
  interfaces: 'interfaces',
  events: 'events',
  history: 'apps',
  dns: 'questions',
  listeners: 'listeners',
};

/** Makes one value per table. */
export function perTable<T>(make: (name: TableName) => T): Readonly<Record<TableName, T>> {
  return Object.fromEntries(TABLES.map((name) => [name, make(name)])) as Record<TableName, T>;
}

/** The table that has the focus when a view opens. */
export function paneOf(view: ViewName): TableName {
  return VIEW_PANES[view];
}

/** The state a run starts in. */
export function initialState(defaults: ViewDefaults): ViewState {
  const view = defaults.view ?? 'overview';
  return {
    size: { columns: defaults.columns, rows: defaults.rows },
    view,
    pane: paneOf(view),
    tables: perTable((name) => NEW_TABLES[name] ?? NEW_TABLE),
    filter: NO_FILTER,
    paused: null,
    since: null,
    orders: perTable(() => null),
    frozen: null,
    pins: perTable(() => []),
    open: perTable(() => []),
    wants: perTable(() => ({})),
    zoomed: false,
    lite: defaults.lite ?? false,
    closed: defaults.closed ?? false,
    connectionLog: false,
    byLineage: false,
    byContainer: false,
    followed: [],
    hasMachines: false,
    byMachine: false,
    grouping: 'none',
    hasAlerts: false,
    alertsSeen: 0,
    chart: NEW_CHART,
    watches: NO_WATCHES,
    names: defaults.names ?? true,
    services: false,
    privacy: false,
    paths: false,
    units: defaults.units ?? 'bytes',
    average: defaults.average ?? 10,
    popup: null,
    theme: defaults.theme ?? 'netmon',
    themes: defaults.themes ?? [],
    history: initialHistory(defaults.budget ?? null, defaults.historyFile ?? null),
    begun: false,
    notice: '',
  };
}

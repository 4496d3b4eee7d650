// ViewState: everything the user chose, and nothing that the network said. Plain and never changed in place: the reducer makes new ones.

import type { Filter } from '../filter/filter.ts';
import type { BudgetPlan, UnitMode } from '../model/options.ts';
import type { RateSeries, Snapshot } from '../model/snapshot.ts';
import type { InterfaceItem } from '../model/terms.ts';
import { type ChartState, NEW_CHART } from './chart/range.ts';
import { type HistoryState, initialHistory } from './history/state.ts';

/** Where a filter text is wrong: what, and at which UTF-16 unit of it, from 0. */
interface FilterProblem {
  readonly message: string;
  readonly column: number;
}

/** Tables that rows can be chosen in. */
export const TABLES = ['apps', 'connections', 'hosts', 'categories', 'interfaces', 'events'] as const;
export type TableName = (typeof TABLES)[number];

/** What fills the screen. */
export const VIEWS = ['overview', 'apps', 'connections', 'hosts', 'categories', 'interfaces', 'events', 'history'] as const;
export type ViewName = (typeof VIEWS)[number];

/** How a table is sorted. */
export interface Sort {
  /** Key of a column of the table. */
  readonly column: string;
  readonly descending: boolean;
}

/** Cursor, scrolling and sorting of one table. */
export interface TableState {
  readonly sort: Sort;
  /** Id of the chosen row; null follows whatever is first. */
  readonly selected: string | null;
  /** Where the chosen row was last, so that the cursor stays near when the row goes away. */
  readonly index: number;
  /** First visible row. */
  readonly top: number;
  /** True where rows stand in the order of time, the newest last: a cursor that follows does so at the end. */
  readonly tail: boolean;
}

/** The filter and its input. */
export interface FilterState {
  /** What stands in the input, right or wrong. */
  readonly text: string;
  /** The last text that was right, and its filter: they stay in force while an error is typed. */
  readonly applied: string;
  readonly filter: Filter | null;
  readonly problem: FilterProblem | null;
  /** Cursor position in `text` while it is edited; null when the input is closed. */
  readonly cursor: number | null;
  /** Filters that were kept, the newest last. */
  readonly recent: readonly string[];
  /** Which of them stands in the input; null what was typed, which waits in `typed` meanwhile. */
  readonly recalled: number | null;
  readonly typed: string;
  /** What Tab put in last; null after any other key. */
  readonly offer: Offer | null;
}

/** What lies over the view. */
export type Popup =
  | { readonly kind: 'help'; readonly top: number }
  | { readonly kind: 'capture'; readonly top: number }
  | { readonly kind: 'details'; readonly table: TableName; readonly id: string; readonly top: number }
  | {
      readonly kind: 'interfaces';
      readonly items: readonly InterfaceItem[] | null;
      readonly index: number;
      readonly chosen: readonly string[];
    }
  | { readonly kind: 'export'; readonly index: number }
  | { readonly kind: 'themes'; readonly index: number; readonly before: string };

/** All that the user chose; with a snapshot it makes a frame. Never changed: each action gives a new one. */
export interface ViewState {
  readonly size: { readonly columns: number; readonly rows: number };
  readonly view: ViewName;
  /** The focused table. */
  readonly pane: TableName;
  readonly tables: Readonly<Record<TableName, TableState>>;
  readonly filter: FilterState;
  /** The picture that is held; capture goes on. */
  readonly paused: Snapshot | null;
  /** Totals are counted from this snapshot on; null since the start. */
  readonly since: Snapshot | null;
  /** Row ids in the order in which they were frozen; null when rows sort freely. */
  readonly frozen: Readonly<Record<TableName, readonly string[]>> | null;
  /** Ids of rows kept on top, per table; bounded by `PINS_MAX`. */
  readonly pins: Readonly<Record<TableName, readonly string[]>>;
  /** Ids of rows whose branches are shown, per table; bounded by `OPEN_MAX`. */
  readonly open: Readonly<Record<TableName, readonly string[]>>;
  /** The focused pane of the overview has the whole screen. */
  readonly zoomed: boolean;
  readonly closed: boolean;
  readonly chart: ChartState;
  /** What the rows moved that were looked at. */
  readonly watches: Watches;
  readonly names: boolean;
  readonly services: boolean;
  readonly privacy: boolean;
  readonly units: UnitMode;
  readonly popup: Popup | null;
  readonly theme: string;
  /** Names of the themes that can be picked. */
  readonly themes: readonly string[];
  /** The view of recorded history, and the budget. */
  readonly history: HistoryState;
  /** One short line on what the last key did; empty most of the time. */
  readonly notice: string;
}

/** Pins a table can hold. */
export const PINS_MAX = 32;
/** Rows of a table that can be open at a time; the one opened first is closed for another. */
export const OPEN_MAX = 64;

/** What a run may start with; the rest has defaults. */
export interface ViewDefaults {
  readonly columns: number;
  readonly rows: number;
  readonly view?: ViewName;
  readonly units?: UnitMode;
  readonly names?: boolean;
  readonly closed?: boolean;
  readonly theme?: string;
  readonly themes?: readonly string[];
  readonly budget?: BudgetPlan | null;
}

const NEW_TABLE: TableState = { sort: { column: 'rate', descending: true }, selected: null, index: 0, top: 0, tail: false };
const EVENT_TABLE: TableState = { ...NEW_TABLE, sort: { column: 'time', descending: false }, tail: true };
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
const VIEW_PANES: Record<ViewName, TableName> = {
  overview: 'apps',
  apps: 'apps',
  connections: 'connections',
  hosts: 'hosts',
  categories: 'categories',
  interfaces: 'interfaces',
  events: 'events',
  history: 'apps',
};

/** One of something for each table. */
export function perTable<T>(make: (name: TableName) => T): Readonly<Record<TableName, T>> {
  return Object.fromEntries(TABLES.map((name) => [name, make(name)])) as Record<TableName, T>;
}

/** The table that a view shows first. */
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
    tables: perTable((name) => (name === 'events' ? EVENT_TABLE : NEW_TABLE)),
    filter: NO_FILTER,
    paused: null,
    since: null,
    frozen: null,
    pins: perTable(() => []),
    open: perTable(() => []),
    zoomed: false,
    closed: defaults.closed ?? false,
    chart: NEW_CHART,
    watches: NO_WATCHES,
    names: defaults.names ?? true,
    services: false,
    privacy: false,
    units: defaults.units ?? 'bytes',
    popup: null,
    theme: defaults.theme ?? 'netmon',
    themes: defaults.themes ?? [],
    history: initialHistory(defaults.budget ?? null),
    notice: '',
  };
}

// The rows that are followed for charts of their own, as the state holds them. Types and the empty one only.

/** One row, and its rates in the ticks in which it was listed. */
export interface Watch {
  readonly table: TableName;
  readonly id: string;
  readonly series: RateSeries;
}

/** Rows that are followed, the one looked at last at the end. */
export interface Watches {
  /** Time of the tick that was taken last, epoch ms. */
  readonly time: number;
  /** Rates of rows are those of what matches. */
  readonly filter: Filter | null;
  readonly rows: readonly Watch[];
}

/** No row. */
const NO_WATCHES: Watches = { time: 0, filter: null, rows: [] };

/** An offer that Tab put into the input: where, which of them, what stood there before. */
export interface Offer {
  readonly from: number;
  readonly items: readonly string[];
  readonly index: number;
}

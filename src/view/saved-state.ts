// The state that is saved from one run to the next: view, pane, zoom, average and sorting. Anybody may have edited the file: everything is checked,
// and invalid parts are ignored.

import { AVERAGES, type Average } from '../model/options.ts';
import { panesOf } from './layout.ts';
import { paneOf, perTable, TABLES, type TableName, type TableState, VIEWS, type ViewName, type ViewState } from './state.ts';
import { sortKeys } from './tables/column.ts';
import { SPECS } from './tables/rows.ts';
import { GROUPINGS } from './tree/questions.ts';

/** Version of the file; another one is not read. */
const VERSION = 1;

/** The state as plain data for a file. */
export function savedStateOf(state: ViewState): unknown {
  const sorts = perTable((name) => state.tables[name].sort);
  return {
    version: VERSION,
    view: state.view,
    pane: state.pane,
    zoomed: state.zoomed,
    lite: state.lite,
    closed: state.closed,
    services: state.services,
    grouping: state.grouping,
    average: state.average,
    sorts,
  };
}

/** The state with the saved parts restored; unchanged when they are of no use. @param average that the user asked for in this run; null for none */
export function restored(state: ViewState, saved: unknown, average: Average | null = null): ViewState {
  if (!isRecord(saved) || saved['version'] !== VERSION) return state;
  const view = VIEWS.find((name): name is ViewName => name === saved['view']) ?? state.view;
  const pane = TABLES.find((name) => name === saved['pane']);
  const lite = saved['lite'] === true;
  const keepsPane = pane !== undefined && panesOf({ ...state, view, lite }).includes(pane);
  return {
    ...state,
    view,
    pane: keepsPane ? pane : paneOf(view),
    zoomed: view === 'overview' && saved['zoomed'] === true,
    lite,
    closed: saved['closed'] === true,
    services: saved['services'] === true,
    grouping: GROUPINGS.find((word) => word === saved['grouping']) ?? state.grouping,
    average: average ?? AVERAGES.find((seconds) => seconds === saved['average']) ?? state.average,
    tables: perTable((name) => sorted(name, state.tables[name], saved['sorts'])),
  };
}

/** The state with the lite screen, or without. @param lite null leaves it as it is */
export function withLite(state: ViewState, lite: boolean | null): ViewState {
  if (lite === null) return state;
  return lite ? { ...state, lite, view: 'overview', pane: 'apps', zoomed: false } : { ...state, lite };
}

function sorted(name: TableName, table: TableState, sorts: unknown): TableState {
  const sort = isRecord(sorts) ? sorts[name] : undefined;
  if (!isRecord(sort) || typeof sort['column'] !== 'string' || typeof sort['descending'] !== 'boolean') return table;
  if (!sortKeys(SPECS[name]).includes(sort['column'])) return table;
  return { ...table, sort: { column: sort['column'], descending: sort['descending'] } };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Rates of the rows that the user looks at, for their charts: selected rows, pinned ones, and those with details open. Most rows keep no rates
// otherwise. Pure: each tick makes new series.

import type { RateSeries, Snapshot } from '../../model/snapshot.ts';
import { pictureOf } from '../derive.ts';
import type { TableName, ViewState, Watch } from '../state.ts';
import { type AnyRow, orderedRows, topRows } from '../tables/rows.ts';
import { selectedRow } from './navigation.ts';

/** Most rows that are followed; one more replaces the one looked at longest ago. */
const ROWS_MAX = 40;
/** Slots of a series, and the length of the shortest, ms: five minutes. Shorter ticks are joined. */
const SLOTS = 300;
const LEAST_MS = 900;

/**
 * The series of a row; null before its first tick. A short tick at its end waits for the one that it is joined with, as in the chart of all traffic:
 * by itself it would be a peak that the other chart never has.
 */
export function watchedSeries({ watches }: ViewState, table: TableName, id: string): RateSeries | null {
  const series = watches.rows.find((watch) => watch.table === table && watch.id === id)?.series ?? null;
  if (series === null || series.ends.length < 2 || (series.lengths.at(-1) as number) >= LEAST_MS) return series;
  const { ends, lengths, rx, tx } = series;
  return { ends: ends.slice(0, -1), lengths: lengths.slice(0, -1), rx: rx.slice(0, -1), tx: tx.slice(0, -1) };
}

/** Appends a tick. Nothing is appended while the picture is not live: the chart has a gap there. */
export function updateWatches(state: ViewState, live: Snapshot): ViewState {
  const { filter } = state.filter;
  if (state.paused !== null || state.chart.selection !== null || state.view === 'history' || live.seq < 0) return state;
  if (live.time === state.watches.time) return state;
  const before = state.watches.filter === filter ? state.watches.rows : [];
  const rows = ordered(before, wanted(state, live));
  const found = rowsOf(state, live, rows);
  const next = rows.map((watch) => {
    const row = found.get(watch.table)?.get(watch.id);
    return row === undefined || !('rxRate' in row) ? watch : { ...watch, series: appendTick(watch.series, row, live) };
  });
  return { ...state, watches: { time: live.time, filter, rows: next } };
}

/** Tables whose rows have no rates. */
const UNCHARTED: ReadonlySet<TableName> = new Set(['events', 'alerts', 'questions', 'resolvers', 'listeners']);

interface Wanted {
  readonly table: TableName;
  readonly id: string;
}

/** Rows that are looked at now, the most important last. */
function wanted(state: ViewState, live: Snapshot): readonly Wanted[] {
  const { pane, popup } = state;
  const chosen = selectedRow(state, live);
  return [
    ...state.pins[pane].map((id) => ({ table: pane, id })),
    ...(chosen === undefined ? [] : [{ table: pane, id: chosen.id }]),
    ...(popup?.kind === 'details' ? [{ table: popup.table, id: popup.id }] : []),
  ].filter(({ table }) => !UNCHARTED.has(table));
}

/** The rows that were followed with those that are wanted behind them. */
function ordered(before: readonly Watch[], now: readonly Wanted[]): readonly Watch[] {
  const rows = new Map(before.map((watch) => [keyOf(watch), watch]));
  for (const { table, id } of now) {
    const key = keyOf({ table, id });
    const watch = rows.get(key) ?? { table, id, series: { ends: [], lengths: [], rx: [], tx: [] } };
    rows.delete(key);
    rows.set(key, watch);
  }
  return [...rows.values()].slice(-ROWS_MAX);
}

function keyOf({ table, id }: Wanted): string {
  return `${table} ${id}`;
}

/** The present rows of all that are followed: branches only of the table in focus, for only those are made. */
function rowsOf(
  state: ViewState,
  live: Snapshot,
  watches: readonly Watch[],
): ReadonlyMap<TableName, ReadonlyMap<string, AnyRow>> {
  const found = new Map<TableName, Map<string, AnyRow>>();
  for (const { table } of watches) {
    if (found.has(table)) continue;
    const ids = new Set(watches.flatMap((watch) => (watch.table === table ? [watch.id] : [])));
    const all = table === state.pane ? orderedRows(state, live, table) : topRows(pictureOf(state, live), table);
    const rows = new Map<string, AnyRow>();
    for (const row of all) if (ids.has(row.id)) rows.set(row.id, row);
    found.set(table, rows);
  }
  return found;
}

function appendTick(
  series: RateSeries,
  row: { rxRate: number; txRate: number },
  { time, intervalMs, gaps }: Snapshot,
): RateSeries {
  const isUnmeasured = gaps.some(({ reason }) => reason !== 'loss');
  const length = Math.max(1, intervalMs);
  const rx = isUnmeasured ? Number.NaN : row.rxRate;
  const tx = isUnmeasured ? Number.NaN : row.txRate;
  const last = series.ends.length - 1;
  const lastLength = series.lengths[last] ?? LEAST_MS;
  // A clock that was set back begins the chart anew: its times rise.
  if (last >= 0 && time <= (series.ends[last] as number)) return { ends: [time], lengths: [length], rx: [rx], tx: [tx] };
  const joins = lastLength < LEAST_MS && time - length - (series.ends[last] as number) < LEAST_MS;
  const kept = joins ? last : last + 1;
  const from = Math.max(0, kept + 1 - SLOTS);
  const sum = joins ? lastLength + length : length;
  const mean = (old: readonly number[], rate: number) =>
    joins ? ((old[last] as number) * lastLength + rate * length) / sum : rate;
  return {
    ends: [...series.ends.slice(from, kept), time],
    lengths: [...series.lengths.slice(from, kept), sum],
    rx: [...series.rx.slice(from, kept), mean(series.rx, rx)],
    tx: [...series.tx.slice(from, kept), mean(series.tx, tx)],
  };
}

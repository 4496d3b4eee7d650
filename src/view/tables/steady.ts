// Steady order: rows that are sorted by a rate change places when the difference is clear, or has lasted. Everything else is chance, and a
// table that follows chance can't be read.

import type { Average } from '../../model/options.ts';
import type { Traffic } from '../../model/snapshot.ts';
import type { Order } from '../state.ts';
import { shownRate } from '../traffic.ts';

/** A row overtakes another at once when it is this much faster, and by so many bytes/s more. */
const MARGIN = 1.25;
const FLOOR = 8;
/** A row that is faster at all than the one above it, for this long, takes its place. */
const LASTING_MS = 10_000;

/** Rows that stand steadily, the fastest. Nobody follows the others, and each takes time of every tick. */
export const STEADY_MAX = 200;

/** Sorts in which rows stand steadily when the highest come first. All others are exact. */
const RATE_SORTS: readonly string[] = ['rate', 'rx-rate', 'tx-rate'];

/** True for a sort by a rate, the fastest row first. */
export function isByRate({ column, descending }: Order['sort']): boolean {
  return descending && RATE_SORTS.includes(column);
}

/** True for a row that moved nothing in the window, nor in the last 10 s if that is longer. */
export function isQuiet(row: Traffic, average: Average): boolean {
  return row.means.length > 0 && shownRate(row, average === 2 ? 10 : average) === 0;
}

/** A row and what it is sorted by. */
export interface Rated<Row> {
  readonly row: Row;
  readonly rate: number;
}

/**
 * Rows as they stood before, but that every row stands above all that are clearly slower.
 *
 * It takes in turn, of the rows that no remaining one is clearly faster than, the one that stood highest. "Clearly faster" can't run in a circle,
 * so there always is one; and applied to its own result, nothing changes.
 *
 * @param exact the fastest first
 * @param places where rows stood, by id; a row that didn't stand anywhere takes the place of the next slower one
 */
export function steady<Row extends { readonly id: string }>(
  exact: readonly Rated<Row>[],
  places: ReadonlyMap<string, number>,
): Row[] {
  const ranks = new Array<number>(exact.length);
  let slower = Number.POSITIVE_INFINITY;
  for (let i = exact.length - 1; i >= 0; i--) {
    const place = places.get((exact[i] as Rated<Row>).row.id);
    ranks[i] = place ?? slower - 0.5;
    slower = place ?? slower;
  }
  const out: Row[] = [];
  const taken = new Uint8Array(exact.length);
  const waiting: number[] = []; // the highest last
  let fastest = 0;
  let next = 0;
  while (out.length < exact.length) {
    while (taken[fastest] === 1) fastest++;
    const { rate } = exact[fastest] as Rated<Row>;
    while (next < exact.length && rate <= (exact[next] as Rated<Row>).rate * MARGIN + FLOOR) insert(waiting, next++, ranks);
    const chosen = waiting.pop() as number;
    taken[chosen] = 1;
    out.push((exact[chosen] as Rated<Row>).row);
  }
  return out;
}

function insert(waiting: number[], index: number, ranks: readonly number[]): void {
  const rank = ranks[index] as number;
  let low = 0;
  let high = waiting.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = waiting[middle] as number;
    if ((ranks[other] as number) > rank || (ranks[other] === rank && other > index)) low = middle + 1;
    else high = middle;
  }
  waiting.splice(low, 0, index);
}

/** A row as it stands in its table; `parent` is the id of the row that it hangs under, empty at the top. */
export interface Standing {
  readonly id: string;
  readonly parent: string;
  readonly rate: number;
  /** False for a row that doesn't stand by its rate. */
  readonly mayRise: boolean;
}

/**
 * The order to hold from this tick on: that of the rows, in which a row that has been faster than the one above it for long takes its place.
 *
 * @param rows as they stand
 * @param before null where no order was held
 * @param time of the tick, epoch ms
 */
export function orderToHold(
  rows: readonly Standing[],
  before: Order | null,
  { sort, average }: Pick<Order, 'sort' | 'average'>,
  time: number,
): Order {
  const places = new Map(rows.map(({ id }, index) => [id, index]));
  const rising = new Map<string, { readonly over: string; readonly since: number }>();
  const above = new Map<string, Standing>();
  for (const row of rows) {
    const over = above.get(row.parent);
    above.set(row.parent, row);
    if (over === undefined || !row.mayRise || !over.mayRise || row.rate <= over.rate) continue;
    const known = before?.rising.get(row.id);
    const since = known?.over === over.id ? Math.min(known.since, time) : time; // the clock may have been set back
    if (time - since < LASTING_MS) {
      rising.set(row.id, { over: over.id, since });
      continue;
    }
    const place = places.get(row.id) as number;
    places.set(row.id, places.get(over.id) as number);
    places.set(over.id, place);
    above.set(row.parent, over);
  }
  return { sort, average, time, places, rising };
}

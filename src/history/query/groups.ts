// Sums, groups of sums by label, and rows made of groups: most bytes first, what is beyond the top as one row. Pure.

import type { HistoryRow, HistoryTotals } from '../../model/history.ts';

/** Sums that grow. `first` and `last` are the starts of the first and last bucket that was summed, epoch ms. */
export interface Sums {
  rxBytes: number;
  txBytes: number;
  rxPackets: number;
  txPackets: number;
  flows: number;
  first: number;
  last: number;
}

/** Sums of one combination of labels; 0 is no label. Whoever groups knows what each place stands for. */
export interface ColumnGroup extends Sums {
  readonly values: readonly number[];
}

/** Where in the values of a group its key, reason and detail are; -1 for none. */
export interface Places {
  readonly key: number;
  readonly reason: number;
  readonly detail: number;
}

/** Empty sums. */
export function noSums(): Sums {
  return {
    rxBytes: 0,
    txBytes: 0,
    rxPackets: 0,
    txPackets: 0,
    flows: 0,
    first: Number.POSITIVE_INFINITY,
    last: Number.NEGATIVE_INFINITY,
  };
}

/** Adds `more` to `to` in place. */
export function addSums(to: Sums, more: Sums): void {
  to.rxBytes += more.rxBytes;
  to.txBytes += more.txBytes;
  to.rxPackets += more.rxPackets;
  to.txPackets += more.txPackets;
  to.flows += more.flows;
  to.first = Math.min(to.first, more.first);
  to.last = Math.max(to.last, more.last);
}

/** The sums without their times. */
export function totalsOf(sums: Sums): HistoryTotals {
  const { rxBytes, txBytes, rxPackets, txPackets, flows } = sums;
  return { rxBytes, txBytes, rxPackets, txPackets, flows };
}

/** Numbers of labels and of groups are below this: both fit into one exact number. */
const LABELS = 2 ** 31;

/** Groups by their values. It is a tree with numbers for keys: joining the values into a text took half the time of a query. */
export class Groups {
  readonly list: ColumnGroup[] = [];
  readonly #next: Map<number, number>[] = [];

  /** The group of values; an empty one if they are new. */
  of(values: readonly number[]): ColumnGroup {
    let place = 0;
    const last = values.length - 1;
    for (let i = 0; i < last; i++) place = this.#step(i, place * LABELS + (values[i] as number), this.#next[i]?.size ?? 0);
    place = this.#step(last, place * LABELS + (values[last] as number), this.list.length);
    let group = this.list[place];
    if (group === undefined) {
      group = { values, ...noSums() };
      this.list.push(group);
    }
    return group;
  }

  #step(column: number, key: number, added: number): number {
    let next = this.#next[column];
    if (next === undefined) {
      next = new Map();
      this.#next[column] = next;
    }
    const known = next.get(key);
    if (known !== undefined) return known;
    next.set(key, added);
    return added;
  }
}

/** Merges groups that have the same values at the given places. */
export function regroup(groups: Iterable<ColumnGroup>, places: readonly number[]): ColumnGroup[] {
  const fewer = new Groups();
  for (const group of groups) addSums(fewer.of(places.map((place) => group.values[place] ?? 0)), group);
  return fewer.list;
}

interface Entity extends Sums {
  readonly key: number;
  readonly reason: number;
  detail: number;
  /** Bytes under that detail. */
  most: number;
}

/**
 * Rows of groups, most bytes first; the last row sums what is beyond `top`.
 *
 * @param groups no two with the same key, reason and detail
 * @param text text of a label, called only for rows that are returned
 * @param noKey reason of a row with neither key nor reason
 */
export function entityRows(
  groups: Iterable<ColumnGroup>,
  places: Places,
  top: number,
  text: (label: number) => string | null,
  noKey: string,
): HistoryRow[] {
  const entities = new Map<number, Entity>();
  for (const group of groups) {
    const key = group.values[places.key] ?? 0;
    const reason = key === 0 ? (group.values[places.reason] ?? 0) : 0;
    const detail = group.values[places.detail] ?? 0;
    let entity = entities.get(key === 0 ? -reason : key);
    if (entity === undefined) {
      entity = { key, reason, detail: 0, most: Number.NEGATIVE_INFINITY, ...noSums() };
      entities.set(key === 0 ? -reason : key, entity);
    }
    addSums(entity, group);
    if (detail !== 0 && bytesOf(group) > entity.most) {
      entity.detail = detail;
      entity.most = bytesOf(group);
    }
  }
  const sorted = [...entities.values()].sort((a, b) => bytesOf(b) - bytesOf(a) || a.key - b.key || a.reason - b.reason);
  const rows = sorted.slice(0, top).map((entity) => {
    const key = text(entity.key);
    return rowOf(entity, key, key === null ? (text(entity.reason) ?? noKey) : null, text(entity.detail));
  });
  const rest = sorted.slice(top);
  if (rest.length === 0) return rows;
  const sums = noSums();
  for (const entity of rest) addSums(sums, entity);
  rows.push(rowOf(sums, null, `${rest.length} more`, null));
  return rows;
}

/** A row of an app, host ..., and not of an hour or day. */
function rowOf(sums: Sums, key: string | null, reason: string | null, detail: string | null): HistoryRow {
  return { key, reason, start: null, detail, ...totalsOf(sums), firstSeen: sums.first, lastSeen: sums.last };
}

function bytesOf(sums: Sums): number {
  return sums.rxBytes + sums.txBytes;
}

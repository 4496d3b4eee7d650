// Sums into rows: groups of the same key made one, sorted, the many small ones folded. Pure.

import type { HistoryRow, HistoryTotals } from '../net/history.ts';

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

/** What was summed under one key and one detail. */
export interface Group extends Sums {
  readonly key: string | null;
  readonly reason: string | null;
  readonly detail: string | null;
}

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

export function addSums(to: Sums, more: Sums): void {
  to.rxBytes += more.rxBytes;
  to.txBytes += more.txBytes;
  to.rxPackets += more.rxPackets;
  to.txPackets += more.txPackets;
  to.flows += more.flows;
  to.first = Math.min(to.first, more.first);
  to.last = Math.max(to.last, more.last);
}

export function totalsOf(sums: Sums): HistoryTotals {
  const { rxBytes, txBytes, rxPackets, txPackets, flows } = sums;
  return { rxBytes, txBytes, rxPackets, txPackets, flows };
}

interface Entity extends Sums {
  readonly key: string | null;
  readonly reason: string | null;
  detail: string | null;
  /** Bytes under each detail. */
  readonly details: Map<string | null, number>;
}

/** Rows of groups, most bytes first; those beyond `top` are the last row. */
export function entityRows(groups: Iterable<Group>, top: number): HistoryRow[] {
  const entities = new Map<string, Entity>();
  for (const group of groups) {
    const name = group.key === null ? `-${group.reason}` : `+${group.key}`;
    let entity = entities.get(name);
    if (entity === undefined) {
      entity = { key: group.key, reason: group.reason, detail: null, details: new Map(), ...noSums() };
      entities.set(name, entity);
    }
    addSums(entity, group);
    entity.details.set(group.detail, (entity.details.get(group.detail) ?? 0) + bytesOf(group));
  }
  const sorted = [...entities.values()].sort((a, b) => bytesOf(b) - bytesOf(a) || compareText(a.key ?? '', b.key ?? ''));
  const rows = sorted.slice(0, top).map((entity) => rowOf(entity, entity.key, entity.reason, mostOf(entity.details)));
  const rest = sorted.slice(top);
  if (rest.length === 0) return rows;
  const sums = noSums();
  for (const entity of rest) addSums(sums, entity);
  rows.push(rowOf(sums, null, `${rest.length} more`, null));
  return rows;
}

/** A row that is no hour or day. */
function rowOf(sums: Sums, key: string | null, reason: string | null, detail: string | null): HistoryRow {
  return { key, reason, start: null, detail, ...totalsOf(sums), firstSeen: sums.first, lastSeen: sums.last };
}

/** The detail that moved most, known ones first. */
function mostOf(details: ReadonlyMap<string | null, number>): string | null {
  let [most, bytes]: [string | null, number] = [null, Number.NEGATIVE_INFINITY];
  for (const [detail, moved] of details) if (detail !== null && moved > bytes) [most, bytes] = [detail, moved];
  return most;
}

function bytesOf(sums: Sums): number {
  return sums.rxBytes + sums.txBytes;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

// App rows of a snapshot, and what all rows of totals share. A row that didn't change stays the same object.

import { type AppRow, type HostRow, NO_MEANS, type Traffic } from '../../model/snapshot.ts';
import type { ProcessDirectory } from '../../model/terms.ts';
import { counted } from '../../net/counted.ts';
import { type Accumulators, COLUMN, OWNERLESS } from '../accumulators.ts';
import { CARRIER, ownerlessReason } from '../booking.ts';
import { type Rest, Selection, tellsRest } from './selection.ts';

/** Whole seconds of a row's sparkline. */
export const RECENT_SECONDS = 60;

/** Totals and rates of one entity. */
export function trafficOf(accumulators: Accumulators, entity: number, intervalMs: number): Traffic {
  const moved = accumulators.moved(entity);
  return {
    rxBytes: accumulators.get(entity, COLUMN.RX),
    txBytes: accumulators.get(entity, COLUMN.TX),
    rxPackets: accumulators.get(entity, COLUMN.RX_PACKETS),
    txPackets: accumulators.get(entity, COLUMN.TX_PACKETS),
    rxRate: moved ? Math.round((accumulators.get(entity, COLUMN.TICK_RX) * 1000) / intervalMs) : 0,
    txRate: moved ? Math.round((accumulators.get(entity, COLUMN.TICK_TX) * 1000) / intervalMs) : 0,
    means: accumulators.meansOf(entity),
  };
}

/** Sums several traffics, for a folded row. */
export function sumTraffic(rows: Iterable<Traffic>): Traffic {
  const sum = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, rxRate: 0, txRate: 0, means: NO_MEANS };
  for (const row of rows) {
    sum.rxBytes += row.rxBytes;
    sum.txBytes += row.txBytes;
    sum.rxPackets += row.rxPackets;
    sum.txPackets += row.txPackets;
    sum.rxRate += row.rxRate;
    sum.txRate += row.txRate;
    sum.means = sumMeans(sum.means, row.means);
  }
  return sum;
}

/** Means of two rows added up; none are nothing. */
export function sumMeans(a: readonly number[], b: readonly number[]): readonly number[] {
  return a.length === 0 ? b : a.map((mean, i) => mean + (b[i] ?? 0));
}

/** `all` less `part`, never below 0. */
export function lessMeans(all: readonly number[], part: readonly number[]): readonly number[] {
  return all.map((mean, i) => Math.max(0, mean - (part[i] ?? 0)));
}

/** `all` less `part`, never below 0: the counters of a tunnel and its carrier are a moment apart. */
function lessTraffic(all: Traffic, part: Traffic): Traffic {
  return {
    rxBytes: Math.max(0, all.rxBytes - part.rxBytes),
    txBytes: Math.max(0, all.txBytes - part.txBytes),
    rxPackets: all.rxPackets,
    txPackets: all.txPackets,
    rxRate: Math.max(0, all.rxRate - part.rxRate),
    txRate: Math.max(0, all.txRate - part.txRate),
    means: lessMeans(all.means, part.means),
  };
}

/** Rows of the apps table. */
export class AppRows {
  readonly #apps: Accumulators;
  readonly #ids: Accumulators;
  readonly #directory: ProcessDirectory;
  readonly #selection: Selection;
  readonly #rows = new RowCache<AppRow>();
  #rest: AppRow | null = null;

  /** @param ids give rows their serial numbers: the apps of all traffic, filtered or not */
  constructor(apps: Accumulators, directory: ProcessDirectory, ids: Accumulators = apps) {
    this.#ids = ids;
    this.#apps = apps;
    this.#selection = new Selection(apps);
    this.#directory = directory;
  }

  /** @param tunnelled what moved inside captured tunnels. Apps inside have it, so the carrier's row shows only the rest. */
  select(limit: number, intervalMs: number, tunnelled: Traffic): AppRow[] {
    const shown = this.#selection.choose(limit);
    const rows = shown.map((entity) => {
      const row = this.#row(entity, intervalMs);
      return entity === CARRIER ? { ...row, ...lessTraffic(row, tunnelled) } : row;
    });
    const rest = this.#selection.rest(intervalMs);
    if (rest !== null) rows.push(this.#folded(rest));
    this.#rows.retain(shown);
    return rows;
  }

  /** Forgets the rows of evicted apps. */
  forget(entities: readonly number[]): void {
    for (const entity of entities) this.#rows.delete(entity);
  }

  /** Rows remembered for the next snapshot. */
  get kept(): number {
    return this.#rows.size;
  }

  #row(entity: number, intervalMs: number): AppRow {
    const old = this.#rows.get(entity);
    const app = entity < OWNERLESS ? undefined : this.#directory.app(entity - OWNERLESS);
    const still =
      !this.#apps.moved(entity) &&
      old !== undefined &&
      old.rxRate === 0 &&
      old.txRate === 0 &&
      holds(old, this.#apps, entity) &&
      old.processes === (app?.processes ?? old.processes);
    if (still && !hasMotion(old.recent) && !hasMotion(old.means)) return old;
    const made: AppRow = {
      id: `app:${this.#ids.serial(entity)}`,
      app: app?.name ?? null,
      reason: app === undefined ? ownerlessReason(entity) : null,
      exe: app?.exe ?? null,
      pids: app?.pids ?? [],
      processes: app?.processes ?? [],
      processCount: app?.processCount ?? 0,
      user: app?.user ?? null,
      flows: this.#apps.get(entity, COLUMN.FLOWS),
      firstSeen: this.#apps.get(entity, COLUMN.FIRST),
      lastSeen: this.#apps.get(entity, COLUMN.LAST),
      recent: this.#apps.recent(entity, RECENT_SECONDS),
      ...trafficOf(this.#apps, entity, intervalMs),
    };
    this.#rows.set(entity, made);
    return made;
  }

  #folded({ count, ...sums }: Rest): AppRow {
    const reason = counted(count, 'more app');
    if (this.#rest !== null && tellsRest(this.#rest, reason, { count, ...sums })) return this.#rest;
    const nothing = { app: null, exe: null, pids: [], processes: [], processCount: 0, user: null, recent: [] };
    this.#rest = { id: 'app:rest', ...nothing, reason, ...sums };
    return this.#rest;
  }
}

/** True if a row agrees with the totals. It may have been hidden in the ticks in which they moved. */
export function holds(row: AppRow | HostRow, accumulators: Accumulators, entity: number): boolean {
  return (
    row.rxBytes === accumulators.get(entity, COLUMN.RX) &&
    row.txBytes === accumulators.get(entity, COLUMN.TX) &&
    row.rxPackets === accumulators.get(entity, COLUMN.RX_PACKETS) &&
    row.txPackets === accumulators.get(entity, COLUMN.TX_PACKETS) &&
    row.flows === accumulators.get(entity, COLUMN.FLOWS)
  );
}

/** True while a sparkline or a mean still has something to scroll out of sight. By index: an iterator would make an object of each value, for every row, every tick. */
export function hasMotion(recent: readonly number[]): boolean {
  for (let i = 0; i < recent.length; i++) if (recent[i] !== 0) return true;
  return false;
}

/** Hidden rows that are kept before any is dropped. */
const SPARE = 64;

/** Rows as they were made last, by dense number: one that didn't change is reused. */
export class RowCache<Row> {
  readonly #rows = new Map<number, Row>();

  /** Rows kept: after `retain` at most twice those shown, plus `SPARE`. */
  get size(): number {
    return this.#rows.size;
  }

  get(id: number): Row | undefined {
    return this.#rows.get(id);
  }

  set(id: number, row: Row): void {
    this.#rows.set(id, row);
  }

  delete(id: number): void {
    this.#rows.delete(id);
  }

  /** Drops all rows but those shown, once there are enough others to make it worth the walk. */
  retain(shown: readonly number[]): void {
    if (this.#rows.size <= 2 * shown.length + SPARE) return;
    const kept = new Set(shown);
    for (const id of this.#rows.keys()) if (!kept.has(id)) this.#rows.delete(id);
  }
}

// Rows of one table of one machine, made of what its stream says: with means and sparklines, which are this side's own. A row that didn't change stays
// the same object.

import { Means, type MeansClock } from '../aggregate/means.ts';
import type { ReadRow, TableChanges } from '../stream/decoder.ts';
import type { Draft } from '../stream/tables.ts';

/** Seconds of a sparkline. */
const RECENT = 60;

/** What this side adds to a row. */
export interface Added {
  readonly means: readonly number[];
  /** Bytes/s of the last seconds, oldest first: RX and TX together or, where both are kept, RX. */
  readonly recent: readonly number[];
  /** TX; empty unless both are kept. */
  readonly recentTx: readonly number[];
}

/** What sparklines of a table show. */
export type Sparklines = 'none' | 'sum' | 'both';

/** Makes a row of its fields. */
export type MakeRow<Row> = (fields: Draft, added: Added) => Row;

interface Entry<Row> {
  /** Where its means are kept; reused once it goes. */
  readonly slot: number;
  readonly read: ReadRow;
  row: Row;
  recent: readonly number[];
  recentTx: readonly number[];
}

const NOTHING: readonly number[] = [];

/** The rows of a table. */
export class RowBook<Row extends object> {
  readonly #make: MakeRow<Row>;
  readonly #means: Means;
  readonly #sparklines: Sparklines;
  readonly #entries = new Map<number, Entry<Row>>();
  /** Those whose means or sparklines are not all zero. */
  #moving = new Set<Entry<Row>>();
  readonly #free: number[] = [];
  #slots = 0;
  #rows: readonly Row[] | null = [];

  constructor(clock: MeansClock, make: MakeRow<Row>, sparklines: Sparklines) {
    this.#make = make;
    this.#means = new Means(clock);
    this.#sparklines = sparklines;
  }

  /** All rows; the same list while nothing changes. */
  get rows(): readonly Row[] {
    this.#rows ??= [...this.#entries.values()].map(({ row }) => row);
    return this.#rows;
  }

  /** Takes what a frame did. Call it between the clock's `close` and `begin`. */
  take({ changed, removed }: TableChanges, intervalMs: number): void {
    for (const { handle } of removed) this.#remove(handle);
    const touched = new Set<Entry<Row>>();
    for (const read of changed) {
      const entry = this.#entries.get(read.handle) ?? this.#add(read);
      const [rx, tx] = [rateOf(read, 'rxRate'), rateOf(read, 'txRate')];
      this.#means.add(entry.slot, (rx * intervalMs) / 1000, (tx * intervalMs) / 1000);
      touched.add(entry);
    }
    for (const entry of this.#moving) touched.add(entry);
    const moving = new Set<Entry<Row>>();
    for (const entry of touched) if (this.#renew(entry)) moving.add(entry);
    this.#moving = moving;
    if (touched.size > 0 || removed.length > 0) this.#rows = null;
  }

  /** Makes every row again, because fields of all have changed. */
  renewAll(): void {
    for (const entry of this.#entries.values()) this.#renew(entry, false);
    this.#rows = null;
  }

  #add(read: ReadRow): Entry<Row> {
    const slot = this.#free.pop() ?? this.#slots++;
    const entry: Entry<Row> = { slot, read, row: {} as Row, recent: NOTHING, recentTx: NOTHING };
    this.#entries.set(read.handle, entry);
    return entry;
  }

  #remove(handle: number): void {
    const entry = this.#entries.get(handle);
    if (entry === undefined) return;
    this.#entries.delete(handle);
    this.#moving.delete(entry);
    this.#means.clear(entry.slot);
    this.#free.push(entry.slot);
  }

  /** @param isTick a second has gone by, too @returns whether it will change by itself */
  #renew(entry: Entry<Row>, isTick = true): boolean {
    const { read, slot } = entry;
    if (isTick && this.#sparklines !== 'none') {
      const [rx, tx] = [rateOf(read, 'rxRate'), rateOf(read, 'txRate')];
      const keepsBoth = this.#sparklines === 'both';
      entry.recent = longer(entry.recent, keepsBoth ? rx : rx + tx);
      if (keepsBoth) entry.recentTx = longer(entry.recentTx, tx);
    }
    const { recent, recentTx } = entry;
    const means = this.#means.of(slot);
    entry.row = this.#make(read.fields, { means, recent, recentTx });
    return isMoving(means) || isMoving(recent) || isMoving(recentTx);
  }
}

function rateOf({ fields }: ReadRow, name: 'rxRate' | 'txRate'): number {
  const value = fields[name];
  return typeof value === 'number' ? value : 0;
}

function longer(recent: readonly number[], rate: number): readonly number[] {
  if (rate === 0 && recent.length === 0) return recent;
  return [...recent.slice(1 - RECENT), rate];
}

function isMoving(values: readonly number[]): boolean {
  return values.some((value) => value !== 0);
}

// One resolution of the rate history: a ring of slots, each a tick or several, with the total and the heaviest rows of every kind. It never grows.

import { RANGE_KINDS } from '../model/range-totals.ts';
import type { RateSeries } from '../model/snapshot.ts';

/** Rows that a slot keeps of each kind, in the order of RANGE_KINDS. The others are one sum. */
export const KEPT: readonly number[] = [16, 24, 20, 6, 24];
const ROWS = KEPT.reduce((sum, each) => sum + each, 0);
const FIRST = KEPT.map((_, kind) => KEPT.slice(0, kind).reduce((sum, each) => sum + each, 0));
const KINDS = RANGE_KINDS.length;
/** Doubles of a slot, and where some of them lie; see Resolution. */
const SLOT = 7;
const PEAK_RX = 4;
const PEAK_TX = 5;
const MEASURED = 6;

/**
 * `slots`, 7 doubles a slot, bytes of the total, rates in bytes/s; NaN if nothing of the slot was measured:
 *
 *     start | end | RX | TX | highest RX rate | highest TX rate | measured ms
 *
 * A slot of the finest resolution has one rate each way. A coarser slot keeps the highest of its finer ones, which shows a burst at full height.
 *
 * `rests`, 2 doubles a kind and slot: RX | TX. `counts`, a byte a kind and slot. `rows`, 3 doubles a row, one kind after the other:
 *
 *     id | RX | TX
 */
export class Resolution {
  readonly kinds: readonly Heaviest[] = KEPT.map((capacity) => new Heaviest(capacity));
  /** Slots that are filled. */
  count = 0;
  #next = 0;
  readonly #size: number;
  readonly #least: number;
  readonly #isFinest: boolean;
  readonly #slots: Float64Array;
  readonly #rests: Float64Array;
  readonly #counts: Uint8Array;
  readonly #rows: Float64Array;
  #start = 0;
  #rx = 0;
  #tx = 0;
  #peakRx = Number.NaN;
  #peakTx = Number.NaN;
  #measured = 0;
  #gap = false;
  /** Nothing has been added since the last slot was closed. */
  isEmpty = true;
  #series: RateSeries | null = null;

  /**
   * @param leastMs a slot this long is closed
   * @param isFinest filled with ticks; otherwise with slots of a finer resolution
   */
  constructor(size: number, leastMs: number, isFinest: boolean) {
    this.#isFinest = isFinest;
    this.#size = size;
    this.#least = leastMs;
    this.#slots = new Float64Array(size * SLOT);
    this.#rests = new Float64Array(size * KINDS * 2);
    this.#counts = new Uint8Array(size * KINDS);
    this.#rows = new Float64Array(size * ROWS * 3);
  }

  /** Bytes that `size` slots take at most. */
  static bytes(size: number): number {
    return size * (SLOT * 8 + KINDS * (2 * 8 + 1) + ROWS * 3 * 8);
  }

  /** Adds a tick's total to the open slot of the finest resolution. Its rows are added through `kinds`. */
  add(start: number, rx: number, tx: number, isGap: boolean): void {
    if (this.isEmpty) this.#start = start;
    this.isEmpty = false;
    this.#rx += rx;
    this.#tx += tx;
    this.#gap ||= isGap;
  }

  /** Adds a finer slot to the open one. */
  #join(finer: Resolution, slot: number): void {
    this.add(finer.start(slot), finer.rx(slot), finer.tx(slot), false);
    this.#peakRx = higher(this.#peakRx, finer.#slots[slot * SLOT + PEAK_RX] as number);
    this.#peakTx = higher(this.#peakTx, finer.#slots[slot * SLOT + PEAK_TX] as number);
    this.#measured += finer.measured(slot);
  }

  /** Closes the open slot if it is long enough, and adds it to the next coarser resolution. @returns true if it was closed */
  close(end: number, coarser: Resolution | null): boolean {
    if (this.isEmpty || end - this.#start < this.#least) return false;
    const slot = this.#next;
    if (this.#isFinest && !this.#gap) {
      this.#measured = end - this.#start;
      this.#peakRx = (this.#rx * 1000) / this.#measured;
      this.#peakTx = (this.#tx * 1000) / this.#measured;
    }
    this.#slots.set([this.#start, end, this.#rx, this.#tx, this.#peakRx, this.#peakTx, this.#measured], slot * SLOT);
    if (coarser !== null) coarser.#join(this, slot);
    for (const [kind, heaviest] of this.kinds.entries()) {
      this.#keep(slot, kind, heaviest);
      const into = coarser?.kinds[kind];
      into?.addRest(heaviest.restRx, heaviest.restTx);
      for (let i = 0; i < heaviest.count; i++)
        into?.add(heaviest.ids[i] as number, heaviest.rx[i] as number, heaviest.tx[i] as number, -1, false);
      heaviest.clear();
    }
    this.#next = (slot + 1) % this.#size;
    this.count = Math.min(this.count + 1, this.#size);
    this.#rx = this.#tx = this.#measured = 0;
    this.#peakRx = this.#peakTx = Number.NaN;
    this.#gap = false;
    this.isEmpty = true;
    this.#series = null;
    return true;
  }

  /** Moves all times by `ms`. */
  shift(ms: number): void {
    for (let at = 0; at < this.#slots.length; at += SLOT) {
      this.#slots[at] = (this.#slots[at] as number) + ms;
      this.#slots[at + 1] = (this.#slots[at + 1] as number) + ms;
    }
    this.#start += ms;
    this.#series = null;
  }

  #keep(slot: number, kind: number, heaviest: Heaviest): void {
    const rows = this.#rows;
    let at = (slot * ROWS + (FIRST[kind] as number)) * 3;
    for (let i = 0; i < heaviest.count; i++) {
      rows[at++] = heaviest.ids[i] as number;
      rows[at++] = heaviest.rx[i] as number;
      rows[at++] = heaviest.tx[i] as number;
    }
    this.#counts[slot * KINDS + kind] = heaviest.count;
    this.#rests[(slot * KINDS + kind) * 2] = heaviest.restRx;
    this.#rests[(slot * KINDS + kind) * 2 + 1] = heaviest.restTx;
  }

  /** Slot by age; 0 is the oldest. */
  slot(index: number): number {
    return (this.#next - this.count + index + this.#size) % this.#size;
  }

  start(slot: number): number {
    return this.#slots[slot * SLOT] as number;
  }

  end(slot: number): number {
    return this.#slots[slot * SLOT + 1] as number;
  }

  rx(slot: number): number {
    return this.#slots[slot * SLOT + 2] as number;
  }

  tx(slot: number): number {
    return this.#slots[slot * SLOT + 3] as number;
  }

  /** Milliseconds of the slot that were measured. */
  measured(slot: number): number {
    return this.#slots[slot * SLOT + MEASURED] as number;
  }

  /** Calls back with each row of a kind that a slot keeps. */
  eachRow(slot: number, kind: number, visit: (id: number, rx: number, tx: number) => void): void {
    const count = this.#counts[slot * KINDS + kind] as number;
    let at = (slot * ROWS + (FIRST[kind] as number)) * 3;
    for (let i = 0; i < count; i++, at += 3)
      visit(this.#rows[at] as number, this.#rows[at + 1] as number, this.#rows[at + 2] as number);
  }

  restRx(slot: number, kind: number): number {
    return this.#rests[(slot * KINDS + kind) * 2] as number;
  }

  restTx(slot: number, kind: number): number {
    return this.#rests[(slot * KINDS + kind) * 2 + 1] as number;
  }

  /** Rates of all slots; the same object until another slot is closed. */
  series(): RateSeries {
    if (this.#series !== null) return this.#series;
    const ends = new Array<number>(this.count);
    const lengths = new Array<number>(this.count);
    const rx = new Array<number>(this.count);
    const tx = new Array<number>(this.count);
    for (let i = 0; i < this.count; i++) {
      const slot = this.slot(i);
      ends[i] = this.end(slot);
      lengths[i] = this.end(slot) - this.start(slot);
      rx[i] = Math.round(this.#slots[slot * SLOT + PEAK_RX] as number);
      tx[i] = Math.round(this.#slots[slot * SLOT + PEAK_TX] as number);
    }
    this.#series = { ends, lengths, rx, tx };
    return this.#series;
  }
}

/** The higher of two rates; NaN is none. */
function higher(a: number, b: number): number {
  return Number.isNaN(a) || b > a ? b : a;
}

/** Keeps the `capacity` heaviest of what is added, and the sum of all others, so the total stays exact. */
export class Heaviest {
  readonly ids: Float64Array;
  readonly rx: Float64Array;
  readonly tx: Float64Array;
  /** Tag of the newest addition; -1 for what was merged. */
  readonly tags: Int32Array;
  count = 0;
  /** What all others moved. */
  restRx = 0;
  restTx = 0;
  /** Index of the lightest, once full. */
  #least = 0;

  constructor(capacity: number) {
    this.ids = new Float64Array(capacity);
    this.rx = new Float64Array(capacity);
    this.tx = new Float64Array(capacity);
    this.tags = new Int32Array(capacity);
  }

  /** Adds what `id` moved. @param isNew true if it is known not to have been added before */
  add(id: number, rx: number, tx: number, tag: number, isNew: boolean): void {
    const at = isNew ? -1 : this.#find(id);
    if (at >= 0) {
      this.rx[at] = (this.rx[at] as number) + rx;
      this.tx[at] = (this.tx[at] as number) + tx;
      this.tags[at] = tag;
      if (at === this.#least) this.#findLeast();
      return;
    }
    if (this.count < this.ids.length) {
      this.#put(this.count++, id, rx, tx, tag);
      if (this.count === this.ids.length) this.#findLeast();
      return;
    }
    const least = this.#least;
    if (rx + tx <= (this.rx[least] as number) + (this.tx[least] as number)) {
      this.addRest(rx, tx);
      return;
    }
    this.addRest(this.rx[least] as number, this.tx[least] as number);
    this.#put(least, id, rx, tx, tag);
    this.#findLeast();
  }

  /** Adds to the sum of all others. */
  addRest(rx: number, tx: number): void {
    this.restRx += rx;
    this.restTx += tx;
  }

  clear(): void {
    this.count = 0;
    this.restRx = 0;
    this.restTx = 0;
    this.#least = 0;
  }

  #find(id: number): number {
    for (let i = 0; i < this.count; i++) if (this.ids[i] === id) return i;
    return -1;
  }

  #put(at: number, id: number, rx: number, tx: number, tag: number): void {
    this.ids[at] = id;
    this.rx[at] = rx;
    this.tx[at] = tx;
    this.tags[at] = tag;
  }

  #findLeast(): void {
    let least = 0;
    let bytes = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.count; i++) {
      const each = (this.rx[i] as number) + (this.tx[i] as number);
      if (each >= bytes) continue;
      bytes = each;
      least = i;
    }
    this.#least = least;
  }
}

// What of each flow has been booked, and where, beside the rows of the flow table. It keeps; what is written, Booking decides.

import { type Arena, arenaOf } from '../net/arrays.ts';

/**
 * 64 bytes a row of the flow table, one cache line:
 *
 *     doubles  0..3 RX, TX, RX packets, TX packets booked | 4 RX of the tick that is being closed | 5 its TX
 *     ints     12 app | 13 app at the far end | 14 host | 15 category that its host was told of << 16 | category it is booked under
 *
 * App, peer and host are kept inverted and categories one higher, so that a row that was never written says NEVER.
 */
const INTS = 16;
export const DOUBLES = INTS / 2;
export const TICK_RX = 4;
export const TICK_TX = 5;
export const PLACE = { APP: 12, PEER: 13, HOST: 14 } as const;
const CATEGORIES = 15;

/** The rows, in an arena that grows with the flow table. */
export class BookedRows {
  #arena: Arena = arenaOf(0);
  doubles = this.#arena.doubles;
  #ints = this.#arena.ints;

  /** Makes room. @param rows of the flow table */
  reserve(rows: number): void {
    if (this.#ints.length >= rows * INTS) return;
    this.#arena = arenaOf(rows * INTS * 4, this.#arena);
    this.doubles = this.#arena.doubles;
    this.#ints = this.#arena.ints;
  }

  /** Forgets all of a row. */
  clear(row: number): void {
    const ints = this.#ints;
    for (let i = row * INTS; i < row * INTS + INTS; i++) ints[i] = 0;
  }

  /** Entity under which a row was booked, -1 where it was not. @param column of PLACE */
  place(row: number, column: number): number {
    return ~(this.#ints[row * INTS + column] ?? 0);
  }

  setPlace(row: number, column: number, entity: number): void {
    this.#ints[row * INTS + column] = ~entity;
  }

  /** Category that the row's host was told of, -1 where it was not. */
  toldCategory(row: number): number {
    return ((this.#ints[row * INTS + CATEGORIES] ?? 0) >>> 16) - 1;
  }

  /** Category under which the row was booked, -1 where it was not. */
  bookedCategory(row: number): number {
    return ((this.#ints[row * INTS + CATEGORIES] ?? 0) & 0xffff) - 1;
  }

  setCategories(row: number, told: number, booked: number): void {
    this.#ints[row * INTS + CATEGORIES] = ((told + 1) << 16) | (booked + 1);
  }
}

// Naming's columns for the flow table's rows. A serial number shows when another flow took a row; its columns are then reset.

import type { FlowTable } from '../../flow/flow-table.ts';
import { type Arena, arenaOf } from '../../net/bytes.ts';

/**
 * Layout of `ints`, 8 words per row. That is half a cache line, so one access loads everything that naming knows about a flow.
 *
 *     0..1 serial number of the flow, as a double | 2 name | 3 application | 4 category
 *     5 owner for which the category was decided | 6 bits of MARK | 7 source of the name
 *
 * Name, application and category are -1 until known.
 */
const INTS = 8;
export const COLUMN = { NAME: 2, APPLICATION: 3, CATEGORY: 4, CATEGORY_OWNER: 5, MARKS: 6, SOURCE: 7 } as const;
const { NAME, APPLICATION, CATEGORY, MARKS, SOURCE } = COLUMN;

/** The columns of all rows. */
export class FlowColumns {
  readonly #flows: FlowTable;
  #arena: Arena = arenaOf(0);
  #ints = this.#arena.ints;
  #doubles = this.#arena.doubles;

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  /** Resets the row's columns if another flow took the row. @returns whether it did */
  claim(row: number): boolean {
    const base = row * INTS;
    if (base >= this.#ints.length) this.#grow();
    const serial = this.#flows.serial(row);
    if (this.#doubles[base / 2] === serial) return false;
    this.#doubles[base / 2] = serial;
    const ints = this.#ints;
    ints[base + NAME] = -1;
    ints[base + APPLICATION] = -1;
    ints[base + CATEGORY] = -1;
    ints[base + MARKS] = 0;
    ints[base + SOURCE] = 0;
    return true;
  }

  /** Reads a column. Call `claim` first. */
  get(row: number, column: number): number {
    return this.#ints[row * INTS + column] as number;
  }

  set(row: number, column: number, value: number): void {
    this.#ints[row * INTS + column] = value;
  }

  mark(row: number, bit: number): void {
    const at = row * INTS + MARKS;
    this.#ints[at] = (this.#ints[at] as number) | bit;
  }

  isMarked(row: number, bit: number): boolean {
    return (this.get(row, MARKS) & bit) !== 0;
  }

  #grow(): void {
    this.#arena = arenaOf(this.#flows.capacity * INTS * 4, this.#arena);
    this.#ints = this.#arena.ints;
    this.#doubles = this.#arena.doubles;
  }
}

/** Bits for what else is known about a flow's name. */
export const MARK = {
  /** Its hello is encrypted, so the outer name says nothing. */
  ECH: 1,
  /** Its name was known, but the table of names was full. */
  REFUSED: 4,
  /** The other end opened the flow, and its hello named this machine. */
  NAMES_US: 8,
  /** It asked for a public resolver that answers over HTTPS. */
  RESOLVER: 16,
} as const;

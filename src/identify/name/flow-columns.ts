// Columns of naming beside the flow table's rows. A serial number shows when another flow took the row; its columns then start afresh.

import type { FlowTable } from '../../flow/flow-table.ts';
import { type Arena, arenaOf } from '../../net/bytes.ts';

/**
 * `ints`, 8 words a row. That is half a cache line: one access loads all that naming knows of a flow.
 *
 *     0..1 serial number of the flow they are about, as a double | 2 name | 3 application | 4 category
 *     5 owner for which the category was decided | 6 bits of MARK | 7 source of the name
 *
 * Name, application and category are -1 where there is none yet.
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

  /** Makes the row's columns those of the flow that has it now. @returns true when it is another flow than before */
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

  /** A column of COLUMN, after `claim`. */
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

/** What else is known of a flow's naming. */
export const MARK = {
  /** Its hello is encrypted, the outer name tells nothing. */
  ECH: 1,
  /** A name was known, but there was no room for it. */
  REFUSED: 4,
  /** The other end opened it and named this machine. */
  NAMES_US: 8,
} as const;

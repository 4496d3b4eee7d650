// Columns beside the flow table's rows that naming fills; a row that was given to another flow begins anew by its serial number.

import type { FlowTable } from '../../flow/flow-table.ts';
import { COUNTERS, SERIAL } from '../../flow/layout.ts';
import { widened } from '../../net/arrays.ts';

/** Name, its source, application and category of each flow; -1 where there is none yet. */
export class FlowColumns {
  readonly #flows: FlowTable;
  #serials = new Float64Array(0);
  name: Int32Array = new Int32Array(0);
  source: Int32Array = new Int32Array(0);
  application: Int32Array = new Int32Array(0);
  category: Int32Array = new Int32Array(0);
  /** For which owner the category was decided: see `FlowNames.categoryOf`. */
  categoryOwner: Int32Array = new Int32Array(0);
  /** Bits of MARK. */
  marks: Int32Array = new Int32Array(0);

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  /** Makes the row's columns those of the flow that has it now. @returns true when it is another flow than before */
  claim(row: number): boolean {
    if (row >= this.name.length) this.#grow();
    const serial = this.#flows.counters[row * COUNTERS + SERIAL] as number;
    if (this.#serials[row] === serial) return false;
    this.#serials[row] = serial;
    this.name[row] = -1;
    this.source[row] = 0;
    this.application[row] = -1;
    this.category[row] = -1;
    this.marks[row] = 0;
    return true;
  }

  mark(row: number, bit: number): void {
    this.marks[row] = (this.marks[row] as number) | bit;
  }

  isMarked(row: number, bit: number): boolean {
    return ((this.marks[row] as number) & bit) !== 0;
  }

  #grow(): void {
    const rows = this.#flows.capacity;
    const serials = new Float64Array(rows);
    serials.set(this.#serials);
    this.#serials = serials;
    this.name = widened(this.name, rows);
    this.source = widened(this.source, rows);
    this.application = widened(this.application, rows);
    this.category = widened(this.category, rows);
    this.categoryOwner = widened(this.categoryOwner, rows);
    this.marks = widened(this.marks, rows);
  }
}

/** What else is known of a flow's naming. */
export const MARK = {
  /** Its hello is encrypted, the outer name tells nothing. */
  ECH: 1,
  /** Nothing more will be learnt from its packets. */
  INSPECTED: 2,
  /** A name was known, but there was no room for it. */
  REFUSED: 4,
  /** The other end opened it and named this machine. */
  NAMES_US: 8,
} as const;

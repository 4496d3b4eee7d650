// What flows asked DNS for, as it stood on the wire: text is made only for rows that are shown. Bounded: of two flows that share a place, the newer
// has it.

import type { FlowTable } from '../../flow/flow-table.ts';
import type { Asked } from '../../model/terms.ts';

/** Flows whose question is kept, a power of two. */
const PLACES = 1024;
/** Longest name, with a length in front of each label and without the root. */
const NAME_BYTES = 255;

/** The last question of each of many flows. */
export class Questions {
  readonly #flows: FlowTable;
  /** Made for the first question. */
  #bytes = new Uint8Array(0);
  readonly #lengths = new Uint8Array(PLACES);
  readonly #serials = new Float64Array(PLACES);
  readonly #names = new Int32Array(PLACES);
  readonly #made: (Asked | null)[] = new Array<Asked | null>(PLACES).fill(null);

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  /** Takes a question. @param labels in wire form, `length` bytes of them */
  note(row: number, labels: Uint8Array, length: number): void {
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(PLACES * NAME_BYTES);
    const place = row & (PLACES - 1);
    const serial = this.#flows.serial(row);
    const isKnown = this.#serials[place] === serial;
    if (isKnown && this.#holds(place, labels, length)) return;
    this.#names[place] = isKnown ? (this.#names[place] as number) + 1 : 1;
    this.#serials[place] = serial;
    this.#lengths[place] = length;
    this.#made[place] = null;
    for (let i = 0, at = place * NAME_BYTES; i < length; i++) this.#bytes[at + i] = labels[i] as number;
  }

  /** What the flow in this row asked for; null if nothing is known of it. */
  of(row: number): Asked | null {
    const place = row & (PLACES - 1);
    if (this.#bytes.length === 0 || this.#serials[place] !== this.#flows.serial(row)) return null;
    const made = this.#made[place] ?? { name: this.#text(place), names: this.#names[place] as number };
    this.#made[place] = made;
    return made;
  }

  #holds(place: number, labels: Uint8Array, length: number): boolean {
    if (this.#lengths[place] !== length) return false;
    for (let i = 0, at = place * NAME_BYTES; i < length; i++) if (this.#bytes[at + i] !== labels[i]) return false;
    return true;
  }

  #text(place: number): string {
    let text = '';
    let at = place * NAME_BYTES;
    for (const end = at + (this.#lengths[place] as number); at < end; ) {
      if (text !== '') text += '.';
      for (const last = at + (this.#bytes[at++] as number); at <= last; at++) {
        const byte = this.#bytes[at] as number;
        text += byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?';
      }
    }
    return text === '' ? '.' : text;
  }
}

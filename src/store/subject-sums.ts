// Sums by subject while records are read: numbers in one array, for a question of three months meets a hundred thousand subjects. Knows no tables.

import type { Sums } from './history-fold.ts';

/** rxBytes, txBytes, rxPackets, txPackets, flows, first, last: what each subject has in `#sums`. */
const WIDTH = 7;
const FEWEST = 4096;

/** Grows with what it meets: 56 bytes a subject, and 4 for each number up to the highest. */
export class SubjectSums {
  /** Place of each subject, counted from 1; 0 for one that was not met. */
  #places = new Int32Array(FEWEST);
  #sums = new Float64Array(FEWEST * WIDTH);
  #met = new Int32Array(FEWEST);
  #count = 0;
  #lowest = Number.POSITIVE_INFINITY;
  #highest = 0;

  /** Subjects that were met. */
  get size(): number {
    return this.#count;
  }

  /** Lowest and highest number among them. */
  get range(): readonly [low: number, high: number] {
    return [this.#lowest, this.#highest];
  }

  /** Numbers of all, in the order in which they were met. */
  get subjects(): Int32Array {
    return this.#met.subarray(0, this.#count);
  }

  has(subject: number): boolean {
    return (this.#places[subject] ?? 0) !== 0;
  }

  /** Adds a record. @param start of its bucket, epoch ms */
  add(subject: number, start: number, rx: number, tx: number, rxPackets: number, txPackets: number, flows: number): void {
    const at = this.#place(subject, start) * WIDTH;
    const sums = this.#sums;
    sums[at] = (sums[at] as number) + rx;
    sums[at + 1] = (sums[at + 1] as number) + tx;
    sums[at + 2] = (sums[at + 2] as number) + rxPackets;
    sums[at + 3] = (sums[at + 3] as number) + txPackets;
    sums[at + 4] = (sums[at + 4] as number) + flows;
    if (start < (sums[at + 5] as number)) sums[at + 5] = start;
    if (start > (sums[at + 6] as number)) sums[at + 6] = start;
  }

  /** Adds what a subject has to sums; nothing for one that was not met. */
  addTo(to: Sums, subject: number): void {
    const place = (this.#places[subject] ?? 0) - 1;
    if (place < 0) return;
    const at = place * WIDTH;
    const sum = (column: number) => this.#sums[at + column] as number;
    to.rxBytes += sum(0);
    to.txBytes += sum(1);
    to.rxPackets += sum(2);
    to.txPackets += sum(3);
    to.flows += sum(4);
    to.first = Math.min(to.first, sum(5));
    to.last = Math.max(to.last, sum(6));
  }

  #place(subject: number, start: number): number {
    if (subject >= this.#places.length) this.#places = grown(this.#places, subject + 1);
    const known = this.#places[subject] as number;
    if (known !== 0) return known - 1;
    const place = this.#count++;
    if (place >= this.#met.length) {
      this.#met = grown(this.#met, place + 1);
      const sums = new Float64Array(this.#met.length * WIDTH);
      sums.set(this.#sums);
      this.#sums = sums;
    }
    this.#places[subject] = place + 1;
    this.#met[place] = subject;
    this.#sums[place * WIDTH + 5] = start;
    this.#sums[place * WIDTH + 6] = start;
    this.#lowest = Math.min(this.#lowest, subject);
    this.#highest = Math.max(this.#highest, subject);
    return place;
  }
}

/** The same numbers with room for at least `count`. */
function grown(numbers: Int32Array, count: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(count, numbers.length * 2));
  larger.set(numbers);
  return larger;
}

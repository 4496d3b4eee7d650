// Heaviest: the few of many that moved most in a stretch, and what all the others moved, so that the sum stays exact.

/** Keeps the `capacity` heaviest of what is added. Bytes are doubles, ids any number. */
export class Heaviest {
  readonly ids: Float64Array;
  readonly rx: Float64Array;
  readonly tx: Float64Array;
  /** A number that came with the newest addition; -1 for those that were merged. */
  readonly tags: Int32Array;
  count = 0;
  /** What was moved by those that are not kept. */
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

  /** Adds what `id` moved. @param isNew true where it is known not to have been added before */
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

  /** Adds to what is not kept by row. */
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

// Bounded selection: the n largest of many, without sorting them all and without a list of the many.

/** Gathers the `limit` largest of what is offered. Kept and used again, it allocates nothing but its answer. */
export class Top {
  readonly #ids: number[] = [];
  readonly #keys: number[] = [];
  #limit = 0;
  /** Entries of the heap; the arrays keep their length, so that they need not grow anew in every tick. */
  #count = 0;

  /** Forgets what was offered. */
  begin(limit: number): void {
    this.#count = 0;
    this.#limit = limit;
  }

  /** O(log limit), and O(1) for one that is not among the largest so far. */
  offer(id: number, key: number): void {
    const count = this.#count;
    if (count < this.#limit) {
      this.#put(count, id, key);
      this.#count++;
      this.#siftUp(count);
    } else if (this.#limit > 0 && !this.#isLess(id, key, 0)) this.#replace(0, id, key, count);
  }

  /** The largest in falling order, equals by rising number. Begins anew. */
  take(): number[] {
    const out = new Array<number>(this.#count);
    for (let last = this.#count - 1; last >= 0; last--) {
      out[last] = this.#ids[0] as number;
      this.#replace(0, this.#ids[last] as number, this.#keys[last] as number, last);
    }
    this.begin(this.#limit);
    return out;
  }

  /** True where `id` stands below what lies at `at`; of equals the larger number does. */
  #isLess(id: number, key: number, at: number): boolean {
    const other = this.#keys[at] as number;
    return key < other || (key === other && id > (this.#ids[at] as number));
  }

  #siftUp(from: number): void {
    const id = this.#ids[from] as number;
    const key = this.#keys[from] as number;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isLess(id, key, parent)) break;
      this.#put(at, this.#ids[parent] as number, this.#keys[parent] as number);
      at = parent;
    }
    this.#put(at, id, key);
  }

  /** Puts an entry at `from` in a heap of `length`, or below where it belongs. */
  #replace(from: number, id: number, key: number, length: number): void {
    let at = from;
    for (;;) {
      let least = 2 * at + 1;
      if (least >= length) break;
      const right = least + 1;
      if (right < length && this.#isLess(this.#ids[right] as number, this.#keys[right] as number, least)) least = right;
      if (this.#isLess(id, key, least)) break;
      this.#put(at, this.#ids[least] as number, this.#keys[least] as number);
      at = least;
    }
    this.#put(at, id, key);
  }

  #put(at: number, id: number, key: number): void {
    this.#ids[at] = id;
    this.#keys[at] = key;
  }
}

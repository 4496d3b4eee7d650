// Reassembles one message from pieces by offset, whether out of order, repeated or overlapping. Bytes and holes are bounded.

const MAX_RANGES = 32;

/**
 * A partial message.
 *
 *     bytes   [ ####....########....... ]      from[i] to[i]: the covered ranges, in order, never adjacent
 *
 * Where pieces overlap, the later one wins. Honest senders repeat the same bytes.
 */
export class Reassembly {
  readonly bytes: Uint8Array;
  readonly #from = new Int32Array(MAX_RANGES + 1);
  readonly #to = new Int32Array(MAX_RANGES + 1);
  #count = 0;

  /** @param capacity longest message, bytes */
  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Bytes from the start up to the first hole. */
  get contiguous(): number {
    return this.#count > 0 && this.#from[0] === 0 ? (this.#to[0] as number) : 0;
  }

  /** End of the last piece; equals `contiguous` if there is no hole. */
  get extent(): number {
    return this.#count > 0 ? (this.#to[this.#count - 1] as number) : 0;
  }

  clear(): void {
    this.#count = 0;
  }

  /**
   * Adds a piece. Cuts off what lies before 0 or beyond the capacity.
   *
   * @returns false if there were too many holes to keep it
   */
  add(offset: number, source: Uint8Array, at: number, length: number): boolean {
    const skip = offset < 0 ? -offset : 0;
    const from = offset + skip;
    const to = Math.min(offset + length, this.bytes.length);
    if (to <= from) return true;
    if (!this.#cover(from, to)) return false;
    const { bytes } = this;
    for (let i = from, j = at + skip; i < to; i++, j++) bytes[i] = source[j] as number;
    return true;
  }

  /** Drops the first `count` bytes: what was at `count` moves to 0. */
  dropFront(count: number): void {
    this.bytes.copyWithin(0, count);
    let kept = 0;
    for (let i = 0; i < this.#count; i++) {
      const to = (this.#to[i] as number) - count;
      if (to <= 0) continue;
      this.#from[kept] = Math.max(0, (this.#from[i] as number) - count);
      this.#to[kept++] = to;
    }
    this.#count = kept;
  }

  #cover(from: number, to: number): boolean {
    const starts = this.#from;
    const ends = this.#to;
    let first = 0;
    while (first < this.#count && (ends[first] as number) < from) first++;
    let last = first;
    let low = from;
    let high = to;
    while (last < this.#count && (starts[last] as number) <= to) {
      low = Math.min(low, starts[last] as number);
      high = Math.max(high, ends[last] as number);
      last++;
    }
    if (last === first) {
      if (this.#count === MAX_RANGES) return false;
      starts.copyWithin(first + 1, first, this.#count);
      ends.copyWithin(first + 1, first, this.#count);
      this.#count++;
    } else {
      starts.copyWithin(first + 1, last, this.#count);
      ends.copyWithin(first + 1, last, this.#count);
      this.#count -= last - first - 1;
    }
    starts[first] = low;
    ends[first] = high;
    return true;
  }
}

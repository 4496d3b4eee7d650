// Pieces of one message put together by their offsets: out of order, repeated, overlapping. Bounded in bytes and in holes.

const MAX_RANGES = 32;

/**
 * One message in the making.
 *
 *     bytes   [ ####....########....... ]      from[i] to[i]: the covered ranges, in order, never touching
 *
 * Where pieces overlap the later one wins: honest ones agree.
 */
export class Reassembly {
  readonly bytes: Uint8Array;
  readonly #from = new Int32Array(MAX_RANGES + 1);
  readonly #to = new Int32Array(MAX_RANGES + 1);
  #count = 0;

  /** @param capacity bytes kept at the most */
  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Bytes known from the beginning without a hole. */
  get contiguous(): number {
    return this.#count > 0 && this.#from[0] === 0 ? (this.#to[0] as number) : 0;
  }

  /** Where the last piece ends; equal to `contiguous` where there is no hole. */
  get extent(): number {
    return this.#count > 0 ? (this.#to[this.#count - 1] as number) : 0;
  }

  clear(): void {
    this.#count = 0;
  }

  /**
   * Adds a piece; what lies before 0 or behind the capacity is cut off.
   *
   * @returns false when it was dropped because there are too many holes
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

  /** Moves the beginning: what was before `count` is forgotten, what was at `count` is now at 0. */
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

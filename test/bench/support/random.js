// Numbers that look random and are the same in every run: two runs of a bench must see the same packets.

/** Xorshift generator of 32 bits (Marsaglia 2003). */
export class Random {
  #state;

  /** @param {number} seed any but 0 */
  constructor(seed) {
    this.#state = seed | 0 || 1;
  }

  /** The next number, 0 to 2^32 - 1. */
  next() {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** The next number below `limit`. @param {number} limit */
  below(limit) {
    return this.next() % limit;
  }

  /** Fills a buffer. @param {Uint8Array} bytes */
  fill(bytes) {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.next() >>> 11;
    return bytes;
  }
}

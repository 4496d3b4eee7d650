// Fixed-length rings of rates, one value a second for five minutes. Never shifted, never grown.

/** Seconds that a ring holds. */
export const RING_SECONDS = 300;

/** The last `length` numbers, oldest overwritten. */
export class Ring {
  readonly #values: Float64Array;
  #next = 0;
  #count = 0;

  constructor(length: number) {
    this.#values = new Float64Array(length);
  }

  get count(): number {
    return this.#count;
  }

  push(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#values.length;
    if (this.#count < this.#values.length) this.#count++;
  }

  clear(): void {
    this.#count = 0;
    this.#next = 0;
  }

  /** The newest `length` values at most, oldest first. */
  tail(length: number): number[] {
    const count = Math.min(length, this.#count);
    const out = new Array<number>(count);
    for (let i = 0; i < count; i++) out[i] = this.back(count - i);
    return out;
  }

  /** The value that was pushed `places` values ago; 1 is the newest. */
  back(places: number): number {
    const size = this.#values.length;
    return this.#values[(this.#next - places + size) % size] as number;
  }
}

/**
 * RX and TX bytes of one thing over time. Ticks of any length are spread over whole seconds by the clock, so a second's value is bytes/s
 * also where the interval is 100 ms or 5 s.
 */
export class RateRings {
  readonly rxSeconds = new Ring(RING_SECONDS);
  readonly txSeconds = new Ring(RING_SECONDS);
  #rx = 0;
  #tx = 0;
  #open = 0;

  /** Adds what moved during the last `ms` milliseconds; at most five minutes are written, a longer pause is a gap anyway. */
  add(rx: number, tx: number, ms: number): void {
    let left = Math.min(ms, RING_SECONDS * 1000);
    if (left <= 0) return;
    const rxRate = rx / left;
    const txRate = tx / left;
    while (left > 0) {
      const step = Math.min(left, 1000 - this.#open);
      this.#rx += rxRate * step;
      this.#tx += txRate * step;
      this.#open += step;
      left -= step;
      if (this.#open >= 1000 - 1e-6) this.#closeSecond();
    }
  }

  clear(): void {
    this.rxSeconds.clear();
    this.txSeconds.clear();
    this.#rx = this.#tx = this.#open = 0;
  }

  /** RX+TX of the newest `length` seconds, oldest first. */
  sum(length: number): number[] {
    const count = Math.min(length, this.rxSeconds.count);
    const sums = new Array<number>(count);
    for (let i = 0; i < count; i++) sums[i] = Math.round(this.rxSeconds.back(count - i) + this.txSeconds.back(count - i));
    return sums;
  }

  #closeSecond(): void {
    this.rxSeconds.push(this.#rx);
    this.txSeconds.push(this.#tx);
    this.#rx = this.#tx = this.#open = 0;
  }
}

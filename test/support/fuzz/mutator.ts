// Changes valid inputs, and makes rubbish: one buffer, one generator of numbers, the same cases for the same seed. It allocates nothing.

/** Longest case. */
export const MAX_BYTES = 4096;
const TELLING = [0, 1, 2, 3, 4, 5, 6, 0x0f, 0x10, 0x20, 0x2e, 0x3f, 0x40, 0x45, 0x60, 0x7f, 0x80, 0xc0, 0xfe, 0xff];
const TELLING_WORDS = [0, 1, 2, 7, 8, 20, 40, 255, 256, 1023, 4095, 0x7fff, 0x8000, 0xfffe, 0xffff];

/** The newest case: `bytes` up to `length`. */
export class Mutator {
  readonly bytes = new Uint8Array(MAX_BYTES);
  length = 0;
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** The next number from 0 to below `end` (xorshift, 32 bits). */
  below(end: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % end;
  }

  /** Makes a case: one in eight is rubbish, one in eight a seed as it is, the others are seeds with up to eight changes. */
  make(seeds: readonly Uint8Array[]): void {
    const way = this.below(8);
    if (way === 0) {
      this.length = this.below(this.below(4) === 0 ? MAX_BYTES : 96);
      for (let i = 0; i < this.length; i++) this.bytes[i] = this.below(256);
      return;
    }
    this.#take(seeds);
    if (way === 1) return;
    for (let left = 1 + this.below(8); left > 0; left--) this.#change(seeds);
  }

  #take(seeds: readonly Uint8Array[]): void {
    const seed = seeds[this.below(seeds.length)] as Uint8Array;
    this.length = Math.min(seed.length, MAX_BYTES);
    this.bytes.set(seed.subarray(0, this.length));
  }

  #change(seeds: readonly Uint8Array[]): void {
    const { bytes, length } = this;
    if (length === 0) return void this.#take(seeds);
    const at = this.below(length);
    switch (this.below(9)) {
      case 0:
        bytes[at] = this.below(256);
        break;
      case 1:
        bytes[at] = TELLING[this.below(TELLING.length)] as number;
        break;
      case 2:
        bytes[at] = (bytes[at] as number) ^ (1 << this.below(8));
        break;
      case 3:
        this.#word(at, TELLING_WORDS[this.below(TELLING_WORDS.length)] as number);
        break;
      case 4: // a length that is nearly right
        this.#word(at, Math.max(0, length - at + this.below(9) - 4));
        break;
      case 5:
        this.length = at;
        break;
      case 6: {
        const more = Math.min(this.below(64), MAX_BYTES - length);
        for (let i = 0; i < more; i++) bytes[length + i] = this.below(256);
        this.length += more;
        break;
      }
      case 7: // a piece twice, over what stood there
        bytes.copyWithin(at, this.below(length), length);
        break;
      default: {
        const other = seeds[this.below(seeds.length)] as Uint8Array;
        const from = this.below(Math.max(1, other.length));
        const piece = other.subarray(from, from + Math.min(this.below(256), MAX_BYTES - at));
        bytes.set(piece, at);
        this.length = Math.max(length, at + piece.length);
      }
    }
  }

  #word(at: number, value: number): void {
    const big = this.below(2) === 0;
    this.bytes[at] = big ? value >>> 8 : value & 255;
    if (at + 1 < this.length) this.bytes[at + 1] = big ? value & 255 : value >>> 8;
  }
}

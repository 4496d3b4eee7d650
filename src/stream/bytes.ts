// Numbers and texts as bytes, and back. Whoever reads trusts nothing: a machine at the other end may have been taken over.

/** What comes is not what a netmon-tui sends. The message says what was wrong with it, without any of its text. */
export class StreamFault extends Error {}

/** Numbers beyond this aren't sent; twice as much is still exact. */
const MOST = 2 ** 51;
const FIRST_BYTES = 4096;

/** Writes into one buffer, which it reuses and widens. */
export class ByteWriter {
  #bytes = Buffer.alloc(FIRST_BYTES);
  #length = 0;

  /** A whole number from 0: seven bits a byte, the lowest first. */
  count(value: number): void {
    this.#reserve(8);
    let rest = Number.isFinite(value) ? Math.min(Math.max(0, Math.trunc(value)), 2 * MOST) : 0;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A whole number of either sign. */
  signed(value: number): void {
    const bounded = Number.isFinite(value) ? Math.max(-MOST, Math.min(MOST, Math.trunc(value))) : 0;
    this.count(bounded >= 0 ? 2 * bounded : -2 * bounded - 1);
  }

  /** A number to seven digits. */
  real(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeFloatLE(value, this.#length);
  }

  /** @param value null is not the empty text */
  text(value: string | null): void {
    const bytes = value === null ? -1 : Buffer.byteLength(value);
    this.count(bytes + 1);
    if (value === null) return;
    this.#reserve(bytes);
    this.#length += this.#bytes.write(value, this.#length);
  }

  /** What was written, a copy; it begins again. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const wider = Buffer.alloc(2 * (this.#length + bytes));
    this.#bytes.copy(wider, 0, 0, this.#length);
    this.#bytes = wider;
  }
}

/** Reads what a ByteWriter wrote. @throws StreamFault for anything else */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  count(most = 2 * MOST): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * unit;
      if (value > most) throw new StreamFault('a number is too large');
      if (byte < 128) return value;
      if (unit > MOST) throw new StreamFault('a number has no end');
    }
  }

  signed(): number {
    const value = this.count();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  real(): number {
    if (this.#at + 4 > this.#bytes.length) throw new StreamFault('a message is cut off');
    const value = this.#bytes.readFloatLE(this.#at);
    this.#at += 4;
    if (!Number.isFinite(value)) throw new StreamFault('a number is none');
    return value;
  }

  /** @param longest bytes that it may have */
  text(longest: number): string | null {
    const bytes = this.count(longest + 1) - 1;
    if (bytes < 0) return null;
    const end = this.#at + bytes;
    if (end > this.#bytes.length) throw new StreamFault('a message is cut off');
    const value = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end;
    return value;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new StreamFault('a message is cut off');
    return byte;
  }
}

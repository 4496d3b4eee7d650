// Interns flows' names as dense numbers. Count and text are bounded: while full, it refuses new names and counts them.

/** Most names at a time. A browser sees a few thousand a day. */
const LIMIT = 65_536;
/** Most bytes of text, including V8's overhead. */
const TEXT_LIMIT = 8 << 20;
const STRING_HEAD_BYTES = 24;

/** Interned names. Numbers start at 0 and are reused after a release. */
export class NameStrings {
  readonly #limit: number;
  readonly #textLimit: number;
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  readonly #free: number[] = [];
  #textBytes = 0;
  /** Names refused because the table was full. */
  refused = 0;

  constructor(limit = LIMIT, textLimit = TEXT_LIMIT) {
    this.#limit = limit;
    this.#textLimit = textLimit;
  }

  /** Names in the table. */
  get count(): number {
    return this.#numbers.size;
  }

  /** All numbers are below it. */
  get end(): number {
    return this.#texts.length;
  }

  /** Whether less than an eighth is free, so unused names should be released. */
  get isNearlyFull(): boolean {
    return this.count > this.#limit * (7 / 8) || this.#textBytes > this.#textLimit * (7 / 8);
  }

  /** Number of a name; -1 if it is new and the table is full. */
  intern(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const bytes = this.#textBytes + text.length + STRING_HEAD_BYTES;
    if (this.#numbers.size >= this.#limit || bytes > this.#textLimit) {
      this.refused++;
      return -1;
    }
    this.#textBytes = bytes;
    const number = this.#free.pop() ?? this.#texts.length;
    this.#texts[number] = text;
    this.#numbers.set(text, number);
    return number;
  }

  text(number: number): string {
    return this.#texts[number] ?? '';
  }

  /** Frees the number of an unused name. @returns false if it wasn't in use */
  release(number: number): boolean {
    const text = this.#texts[number];
    if (text === undefined || this.#numbers.get(text) !== number) return false;
    this.#numbers.delete(text);
    this.#texts[number] = '';
    this.#textBytes -= text.length + STRING_HEAD_BYTES;
    this.#free.push(number);
    return true;
  }
}

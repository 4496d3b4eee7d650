// Names of flows as dense numbers, each kept once. Bounded in number and in text: when it is full, new names are not taken, and that is counted.

/** Most names of a run; a browser meets a few thousand a day. */
const LIMIT = 65_536;
/** Bytes of all their texts, V8's own included. */
const TEXT_LIMIT = 8 << 20;
const STRING_HEAD_BYTES = 24;

/** Interned names. Numbers begin at 0 and are never reused, so that totals may be kept by them. */
export class NameStrings {
  readonly #limit: number;
  readonly #textLimit: number;
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  #textBytes = 0;
  /** Times that a name found the table full. */
  refused = 0;

  constructor(limit = LIMIT, textLimit = TEXT_LIMIT) {
    this.#limit = limit;
    this.#textLimit = textLimit;
  }

  get count(): number {
    return this.#texts.length;
  }

  /** Number of a name, -1 when it is new and the table is full. */
  intern(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const bytes = this.#textBytes + text.length + STRING_HEAD_BYTES;
    if (this.#texts.length >= this.#limit || bytes > this.#textLimit) {
      this.refused++;
      return -1;
    }
    this.#textBytes = bytes;
    const number = this.#texts.push(text) - 1;
    this.#numbers.set(text, number);
    return number;
  }

  text(number: number): string {
    return this.#texts[number] ?? '';
  }
}

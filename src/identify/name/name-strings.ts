// Names as dense numbers, each kept once. Bounded: when it is full, new names are not taken, and that is counted.

/** Most names of a run; a browser meets a few thousand a day. */
const LIMIT = 65_536;

/** Interned names. Numbers begin at 0 and are never reused, so that totals may be kept by them. */
export class NameStrings {
  readonly #limit: number;
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  /** Names that found the table full. */
  refused = 0;

  constructor(limit = LIMIT) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#texts.length;
  }

  /** Number of a name, -1 when it is new and the table is full. */
  intern(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (this.#texts.length >= this.#limit) {
      this.refused++;
      return -1;
    }
    const number = this.#texts.push(text) - 1;
    this.#numbers.set(text, number);
    return number;
  }

  text(number: number): string {
    return this.#texts[number] ?? '';
  }
}

// Names of flows as dense numbers, each kept once. Bounded in number and in text: while it is full, new names are not taken, and that is counted.

/** Most names at a time; a browser meets a few thousand a day. */
const LIMIT = 65_536;
/** Bytes of all their texts, V8's own included. */
const TEXT_LIMIT = 8 << 20;
const STRING_HEAD_BYTES = 24;

/** Interned names. Numbers begin at 0; one that was released is another name's when it is taken again. */
export class NameStrings {
  readonly #limit: number;
  readonly #textLimit: number;
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  readonly #free: number[] = [];
  #textBytes = 0;
  /** Times that a name found the table full. */
  refused = 0;

  constructor(limit = LIMIT, textLimit = TEXT_LIMIT) {
    this.#limit = limit;
    this.#textLimit = textLimit;
  }

  /** Names there are. */
  get count(): number {
    return this.#numbers.size;
  }

  /** Numbers below it were given out. */
  get end(): number {
    return this.#texts.length;
  }

  /** True when an eighth is left: time to release those that are not used. */
  get isNearlyFull(): boolean {
    return this.count > this.#limit * (7 / 8) || this.#textBytes > this.#textLimit * (7 / 8);
  }

  /** Number of a name, -1 when it is new and the table is full. */
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

  /** Gives up a number that nothing refers to any more. @returns false where it was not taken */
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

// The terminal's input without its answers, for blessed to read keys from: it would take each letter of an answer for a key.

import { Readable } from 'node:stream';
import { type Answer, AnswerFilter } from './answers.ts';

/** How long to wait for the rest of what may be, or surely is, an answer, ms. If it doesn't come, the former was a key. */
const HOLD_MS = { maybe: 60, surely: 2000 } as const;

/** A terminal's input as blessed wants it. */
export class Keyboard extends Readable {
  readonly isTTY: boolean;
  #isExpecting = false;
  readonly #source: NodeJS.ReadStream;
  readonly #filter: AnswerFilter;
  #isListening = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(source: NodeJS.ReadStream, tell: (answer: Answer) => void) {
    super();
    this.#source = source;
    this.#filter = new AnswerFilter(tell);
    this.isTTY = source.isTTY === true;
    source.on('end', () => this.push(null));
    source.on('error', (error) => this.destroy(error));
  }

  /** Says whether an answer is under way. */
  expect(isExpecting: boolean): void {
    this.#isExpecting = isExpecting;
  }

  /** Begins to read. What was typed before has waited in the terminal. */
  listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#source.on('data', (chunk: Buffer | string) => this.#take(chunk));
  }

  get isRaw(): boolean {
    return this.#source.isRaw === true;
  }

  setRawMode(on: boolean): this {
    this.#source.setRawMode?.(on);
    return this;
  }

  override pause(): this {
    this.#source.pause();
    return super.pause();
  }

  override resume(): this {
    if (this.#isListening) this.#source.resume();
    return super.resume();
  }

  override _read(): void {}

  #take(chunk: Buffer | string): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#hand(this.#filter.take(bytes.toString('latin1'), this.#isExpecting));
    const { holding } = this.#filter;
    if (holding === 'nothing') return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#hand(this.#filter.release());
    }, HOLD_MS[holding]);
    this.#timer.unref();
  }

  #hand(keys: string): void {
    if (keys !== '') this.push(Buffer.from(keys, 'latin1'));
  }
}

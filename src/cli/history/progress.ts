// A line on standard error for what takes longer than a second, renewed in place and wiped at the end. Only on a terminal.

import { sanitize } from '../../net/text.ts';
import { cut } from '../../view/cells.ts';
import { ASCII_GLYPHS } from '../../view/glyphs.ts';
import type { TextSink } from './room.ts';

const FIRST_MS = 1000;
const AGAIN_MS = 250;

/** One piece of work that is going on, from `new` to `end`. */
export class Progress {
  readonly #sink: TextSink;
  #timer: NodeJS.Timeout | null = null;
  #text: string;
  #shown = '';

  /** @param text what is being done */
  constructor(sink: TextSink, text: string) {
    this.#sink = sink;
    this.#text = text;
    if (!sink.isTerminal) return;
    this.#timer = setTimeout(() => {
      this.#draw();
      this.#timer = setInterval(() => this.#draw(), AGAIN_MS).unref();
    }, FIRST_MS).unref();
  }

  /** Says how far it is. Cheap: drawn a few times a second at the most. */
  tell(text: string): void {
    this.#text = text;
  }

  /** Takes the line away. */
  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#shown !== '') this.#write('\r\u001b[K');
    this.#shown = '';
  }

  #draw(): void {
    const line = `${cut(sanitize(this.#text), Math.max(20, (this.#sink.columns ?? 80) - 4), ASCII_GLYPHS)} ...`;
    if (line === this.#shown) return;
    this.#shown = line;
    this.#write(`\r${line}\u001b[K`);
  }

  #write(text: string): void {
    this.#sink.write(text).catch(() => undefined); // no progress is better than no result
  }
}

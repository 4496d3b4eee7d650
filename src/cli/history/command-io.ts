// What a history command works with: output, clock and file, in one struct that tests replace; and how it opens the file and shows progress.

import type { HistoryReader } from '../../history/query/reader.ts';
import { NetmonError } from '../../model/errors.ts';
import { sanitize } from '../../net/text.ts';
import { type Clock, systemClock } from '../../system/clock.ts';
import { cut } from '../../view/text/cells.ts';
import { ASCII_GLYPHS } from '../../view/text/glyphs.ts';

/** Where output goes. */
export interface TextSink {
  /** Waits while the reader is slow. @returns false when the reader went away and nothing more is wanted @throws NetmonError for other failures */
  write(chunk: string | Uint8Array): Promise<boolean>;
  readonly isTerminal: boolean;
  /** Columns of the terminal; undefined in a pipe. */
  readonly columns: number | undefined;
}

/** Input and output of a command. */
export interface CommandIo {
  readonly out: TextSink;
  /** For progress and notes. */
  readonly err: TextSink;
  readonly clock: Clock;
  /** Opens the history for reading. @throws NetmonError `history` */
  open(path: string): Promise<HistoryReader>;
}

/** Those of this process. */
export function systemIo(open: CommandIo['open']): CommandIo {
  return {
    out: sinkOf(process.stdout, 'standard output'),
    err: sinkOf(process.stderr, 'standard error'),
    clock: systemClock,
    open,
  };
}

/** A stream as a sink. @param name for the message when it fails */
function sinkOf(stream: NodeJS.WriteStream, name: string): TextSink {
  return {
    isTerminal: stream.isTTY === true,
    columns: stream.isTTY === true ? stream.columns : undefined,
    write: (chunk) =>
      new Promise((resolve, reject) => {
        stream.write(chunk, (error: NodeJS.ErrnoException | null | undefined) => {
          if (!error) resolve(true);
          else if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') resolve(false);
          else
            reject(
              new NetmonError('internal', `${name} can't be written: ${error.code}`, 'make room, or write elsewhere', error),
            );
        });
      }),
  };
}

const FIRST_MS = 1000;
const AGAIN_MS = 250;

/** A line on standard error for work that takes longer than a second, renewed in place and removed at the end. Only on a terminal. */
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

  /** Says how far it is. Cheap: drawn at most a few times a second. */
  tell(text: string): void {
    this.#text = text;
  }

  /** Writes a line that stays. */
  say(line: string): void {
    this.#wipe();
    this.#write(`${sanitize(line)}\n`);
  }

  /** Removes the line. */
  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#wipe();
  }

  #wipe(): void {
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
    this.#sink.write(text).catch(() => undefined); // a result without progress is better than none
  }
}

/** Opens the file, works, and closes it on every way out. @throws NetmonError `history`, and what the work throws */
export async function reading<T>(
  path: string,
  io: CommandIo,
  work: (reader: HistoryReader, progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = new Progress(io.err, `reading ${path}`);
  let reader: HistoryReader | null = null;
  try {
    reader = await io.open(path);
    if (reader.notice !== null) progress.say(`netmon-tui: ${reader.notice}`);
    return await work(reader, progress);
  } finally {
    progress.end();
    await reader?.close();
  }
}

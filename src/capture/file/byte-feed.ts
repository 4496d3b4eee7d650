// Supplies the bytes of a capture through one window: from a regular file, read on demand, or from a stream, paused while nobody reads.

import { readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { reasonOf } from '../../model/errors.ts';
import type { Outcome } from './unpack.ts';

/** Fills its window with the next bytes. */
export interface ByteFeed {
  readonly window: ByteWindow;
  /** True once everything is in the window. */
  readonly ended: boolean;
  /** Why it ended early; null if it didn't. */
  readonly failure: string | null;
  /** What is wrong with the bytes although all arrived; empty if nothing is. */
  readonly remark: string;
  /** Moves unread bytes to the front and adds more. Invalidates all offsets into the window. @returns whether it added any */
  refill(): boolean;
  close(): void;
}

/** A regular file, read synchronously: that is fastest, and the page cache makes reads cheap. */
export class FileFeed implements ByteFeed {
  readonly window: ByteWindow;
  ended = false;
  failure: string | null = null;
  readonly remark = '';
  readonly #close: () => void;
  readonly #fd: number;

  /** @param close called once, when the descriptor is no longer needed */
  constructor(fd: number, size: number, close: () => void) {
    this.#fd = fd;
    this.#close = close;
    this.window = new ByteWindow(size);
  }

  refill(): boolean {
    if (this.ended) return false;
    const { window } = this;
    window.compact();
    if (window.room === 0) return false;
    try {
      const read = readSync(this.#fd, window.bytes, window.end, window.room, null);
      window.end += read;
      this.ended = read === 0;
      return read > 0;
    } catch (thrown) {
      this.ended = true;
      this.failure = reasonOf(thrown);
      return false;
    }
  }

  close(): void {
    this.#close();
  }
}

/** A stream: a pipe, a child's output, a decompressor. Paused while the window is full. */
export class StreamFeed implements ByteFeed {
  readonly window: ByteWindow;
  failure: string | null = null;
  remark = '';
  readonly #stream: Readable;
  readonly #outcome: Outcome | null;
  /** Chunks that didn't fit: a paused stream may still deliver one. */
  #held: Uint8Array[] = [];
  #heldFrom = 0;
  #finished = false;
  #waiting: { readonly bytes: number; readonly resolve: () => void } | null = null;

  /**
   * @param size bytes of the window
   * @param outcome of a stream that was unpacked on the way, as it stands when that ends
   */
  constructor(stream: Readable, size: number, outcome: Outcome | null = null) {
    this.#stream = stream;
    this.#outcome = outcome;
    this.window = new ByteWindow(size);
    stream.on('data', (chunk: Uint8Array) => this.#take(chunk));
    stream.once('end', () => this.#finish(null));
    stream.once('close', () => this.#finish(null));
    stream.on('error', (error) => this.#finish(reasonOf(error)));
    if (stream.destroyed || stream.readableEnded) this.#finish(stream.errored === null ? null : reasonOf(stream.errored));
  }

  get ended(): boolean {
    return this.#finished && this.#held.length === 0;
  }

  refill(): boolean {
    const { window } = this;
    window.compact();
    const before = window.end;
    while (this.#held.length > 0 && window.room > 0) {
      const chunk = this.#held[0] as Uint8Array;
      this.#heldFrom += window.append(chunk, this.#heldFrom);
      if (this.#heldFrom < chunk.length) break;
      this.#held.shift();
      this.#heldFrom = 0;
    }
    if (this.#held.length === 0 && !this.#finished && this.#stream.isPaused()) this.#stream.resume();
    return window.end > before;
  }

  /** Resolves when as many bytes lie in the window, or no more will come. One may wait at a time. */
  holding(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { bytes, resolve };
      this.#answer();
    });
  }

  /** Whether the writer is blocked because nobody reads. */
  get full(): boolean {
    return this.#held.length > 0;
  }

  close(): void {
    this.abandon();
    this.#stream.destroy();
  }

  /** Stops reading but drains the stream, so a writer that is asked to stop doesn't hang in a full pipe. */
  abandon(): void {
    this.#finished = true;
    this.#held = [];
    this.#stream.resume();
  }

  #take(chunk: Uint8Array): void {
    if (this.#finished) return;
    const taken = this.#held.length === 0 ? this.window.append(chunk, 0) : 0;
    if (taken < chunk.length) {
      // Only refill() may move bytes that a batch points to.
      if (this.#held.length === 0) this.#heldFrom = taken;
      this.#held.push(chunk);
      this.#stream.pause();
    }
    this.#answer();
  }

  #finish(failure: string | null): void {
    if (this.#finished) return;
    this.#finished = true;
    this.failure = failure ?? this.#outcome?.failure ?? null;
    this.remark = this.#outcome?.remark ?? '';
    this.#answer();
  }

  #answer(): void {
    if (this.#waiting === null || (!this.ended && this.window.length < this.#waiting.bytes)) return;
    this.#waiting.resolve();
    this.#waiting = null;
  }
}

/** A fixed buffer with the unread bytes `bytes[start..end)`: filled at the end, read at the start, compacted when space runs out. */
class ByteWindow {
  readonly bytes: Uint8Array;
  start = 0;
  end = 0;

  /** @param size bytes of the buffer; the longest record must fit */
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  /** Unread bytes. */
  get length(): number {
    return this.end - this.start;
  }

  /** Free bytes after the unread ones. */
  get room(): number {
    return this.bytes.length - this.end;
  }

  /** Moves the unread bytes to the front. Invalidates all offsets into the buffer. */
  compact(): void {
    if (this.start === 0) return;
    this.bytes.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
  }

  /** Appends as much of `chunk`, from `from` on, as fits. @returns bytes appended */
  append(chunk: Uint8Array, from: number): number {
    const taken = Math.min(chunk.length - from, this.room);
    this.bytes.set(taken === chunk.length ? chunk : chunk.subarray(from, from + taken), this.end);
    this.end += taken;
    return taken;
  }

  /** Drops all bytes. */
  clear(): void {
    this.start = 0;
    this.end = 0;
  }
}

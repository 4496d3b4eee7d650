// The JSON stream on its way out: whole lines, one write each, bounded memory when nobody reads. Never throws, whatever the reader does.

import type { Writable } from 'node:stream';
import type { FlowRow, Gap, Snapshot } from '../aggregate/snapshot.ts';
import { NetmonError, reasonOf } from '../errors.ts';
import { closeLine, endPieces, gapLine, type LastRows, openLine, sampleLine } from './ndjson.ts';

/** Bytes that may wait to be read before lines are left out; one line more than this is the most that is kept. */
const QUEUE_LIMIT = 256 * 1024;

/**
 * Writes lines to a stream.
 *
 * While the reader is stuck, lines are left out whole rather than queued: samples hold totals, so the next one makes up for them.
 * How many were left out stands in the next line's `capture` (`skipped_samples`, `skipped_events`). The last line is always queued.
 */
export class JsonWriter {
  readonly #output: Writable;
  readonly #onClosed: (failure: NetmonError | null) => void;
  /** Told when nothing more can be written while the last line is on its way. */
  #onEnd: () => void = () => {};
  #isClosed = false;
  #samples = 0;
  #events = 0;

  /**
   * @param onClosed called once, when no more can be written: with null when the reader went away (a normal end), else with the
   *   failure (a full disk)
   */
  constructor(output: Writable, onClosed: (failure: NetmonError | null) => void) {
    this.#output = output;
    this.#onClosed = onClosed;
    output.on('error', (error: NodeJS.ErrnoException) => this.#close(isHangUp(error) ? null : unwritable(error)));
    output.on('close', () => this.#close(null));
  }

  /** True once nothing more can be written. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Writes a sample, or counts it as skipped. */
  sample(snapshot: Snapshot): void {
    if (this.#isStuck) this.#samples++;
    else this.#write(sampleLine(snapshot, this.#skipped()));
  }

  /** Writes a flow that began, or counts it as skipped. */
  open(flow: FlowRow): void {
    this.#event(() => openLine(flow));
  }

  /** Writes a flow that ended, or counts it as skipped. */
  flowClosed(flow: FlowRow): void {
    this.#event(() => closeLine(flow));
  }

  /** Writes a gap, or counts it as skipped. */
  gap(gap: Gap): void {
    this.#event(() => gapLine(gap));
  }

  /**
   * Writes the last line, as fast as it is read.
   *
   * @param rows hosts and flows, asked for one by one; the snapshot's own where none are given
   * @returns when it has been handed to the system, or can't be any more
   */
  async end(snapshot: Snapshot, rows: LastRows = snapshot): Promise<void> {
    for (const piece of endPieces(snapshot, rows, this.#skipped())) {
      if (this.#isClosed) return;
      await this.#handedOver(piece);
    }
  }

  #handedOver(piece: string): Promise<void> {
    return new Promise((resolve) => {
      this.#onEnd = resolve;
      this.#write(piece, resolve);
    });
  }

  #event(line: () => string): void {
    if (this.#isStuck) this.#events++;
    else this.#write(line());
  }

  #skipped() {
    return { samples: this.#samples, events: this.#events };
  }

  /** A full buffer alone means nothing: one long line fills it. What is still there when the next line comes was not read. */
  get #isStuck(): boolean {
    return this.#output.writableLength > QUEUE_LIMIT;
  }

  #write(line: string, done?: () => void): void {
    if (!this.#isClosed) this.#output.write(line, () => done?.());
  }

  #close(failure: NetmonError | null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onEnd();
    this.#onClosed(failure);
  }
}

function unwritable(error: NodeJS.ErrnoException): NetmonError {
  return new NetmonError(
    'internal',
    `the output can't be written: ${error.code ?? reasonOf(error)}`,
    'make room, or write elsewhere',
    error,
  );
}

/** The reader went away. EIO and ENXIO: its terminal did. */
function isHangUp(error: NodeJS.ErrnoException): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'EIO', 'ENXIO'].includes(error.code ?? '');
}

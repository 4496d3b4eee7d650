// The output of a run as one table on standard output.

import type { Writable } from 'node:stream';
import type { LastTick } from '../aggregate/aggregator.ts';
import { NetmonError } from '../model/errors.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { filteredSnapshot, runAverage } from './matching.ts';
import type { Output } from './output.ts';
import { type TableStyle, tableText } from './sample-table.ts';

/**
 * Writes text to a stream, and resolves when it is written.
 *
 * @param onClosed called with null when the reader went away, else with why the write failed
 */
export function printerTo(stream: Writable, onClosed: (failure: Error | null) => void): (text: string) => Promise<void> {
  stream.on('error', (failure: NodeJS.ErrnoException) => {
    const hangUp = failure.code === 'EPIPE' || failure.code === 'EIO';
    onClosed(
      hangUp
        ? null
        : new NetmonError(
            'internal',
            `standard output can't be written: ${failure.code}`,
            'make room, or write elsewhere',
            failure,
          ),
    );
  });
  return (text) =>
    new Promise((resolve) => {
      stream.write(text, () => resolve());
    });
}

/** Prints the totals of the run when it ends. */
export class TableOutput implements Output {
  readonly wantsEvents = false;
  readonly #print: (text: string) => Promise<void>;
  readonly #style: TableStyle;

  /** @param onClosed as for `printerTo` */
  constructor(stream: Writable, style: TableStyle, onClosed: (failure: Error | null) => void) {
    this.#print = printerTo(stream, onClosed);
    this.#style = style;
  }

  sample(): void {}

  opened(): void {}

  closed(): void {}

  gap(): void {}

  end(snapshot: Snapshot): Promise<void> {
    return this.#print(tableText(runAverage(filteredSnapshot(snapshot)), this.#style));
  }

  endWithRows(last: LastTick): Promise<void> {
    return this.#print(tableText(filteredSnapshot(last.snapshot), this.#style, last));
  }
}

// What a command on history works with: its output, the clock, the file. One struct, so that tests can stand elsewhere.

import { type Clock, systemClock } from '../../clock.ts';
import { NetmonError } from '../../errors.ts';
import type { HistoryReader } from '../../store/history-reader.ts';

/** Where text goes, piece by piece. */
export interface TextSink {
  /** False when the reader went away: nothing more is wanted. Waits while the reader is slow. @throws NetmonError for other failures */
  write(chunk: string | Uint8Array): Promise<boolean>;
  readonly isTerminal: boolean;
  /** Columns of the terminal; undefined in a pipe. */
  readonly columns: number | undefined;
}

/** Surroundings of a command. */
export interface HistoryRoom {
  readonly out: TextSink;
  /** For progress and questions. */
  readonly err: TextSink;
  readonly clock: Clock;
  /** Opens the history for reading. @throws NetmonError `history` */
  open(path: string): Promise<HistoryReader>;
}

/** The machine's own. */
export function systemRoom(open: HistoryRoom['open']): HistoryRoom {
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

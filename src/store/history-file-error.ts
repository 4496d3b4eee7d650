// Why an image is not a history that this program can go on with. Told apart so that the caller keeps a broken file and leaves another's alone.

import { NetmonError } from '../errors.ts';

/** `broken`: damaged; `newer`: of a later netmon-tui; `not ours`: some other file. */
export type HistoryFault = 'broken' | 'newer' | 'not ours';

const HINTS: Readonly<Record<HistoryFault, string>> = {
  broken: 'move it away to begin anew, or try: sqlite3 FILE .recover',
  newer: 'install the newer netmon-tui, or name another file: --history=PATH',
  'not ours': 'name another file: --history=PATH',
};

/** Code `history`; the message does not name the file, for an image has no path: who opened it says which. */
export class HistoryFileError extends NetmonError {
  readonly why: HistoryFault;

  constructor(why: HistoryFault, message: string, cause?: unknown) {
    super('history', message, HINTS[why], cause);
    this.name = 'HistoryFileError';
    this.why = why;
  }
}

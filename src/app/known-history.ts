// What was met before this run, asked of history once, behind the first frame. Its names are held from then on, its file is not.

import { existsSync } from 'node:fs';
import type { Acquaintance, EventLog } from '../aggregate/event-log.ts';
import { NAMES } from '../aggregate/event-log.ts';
import { journalNumbers } from '../history/files.ts';
import type { HistoryReader, MetNames } from '../history/query/reader.ts';
import { reasonOf } from '../model/errors.ts';

/** History that does not answer in this time is not waited for. */
const LONGEST_MS = 15_000;
/** Where nobody knows what was before. */
const IN_THIS_RUN = 'what is met after the first minute is new in this run';

/** Asks history for a log. Never throws; what can't be read is said in the log. */
export class Introduction {
  readonly #log: EventLog;
  #reader: Promise<HistoryReader> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #over = false;

  /** @param log one that waits to be told */
  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Begins to ask. @param open null where there is no history */
  begin(open: (() => Promise<HistoryReader>) | null): void {
    if (open === null) {
      this.#end(`no history: ${IN_THIS_RUN}`, null);
      return;
    }
    this.#timer = setTimeout(() => {
      this.#end(`history did not answer in time: ${IN_THIS_RUN}`, null);
      this.close();
    }, LONGEST_MS);
    this.#timer.unref();
    this.#reader = open();
    void this.#reader
      .then((reader) => reader.met(NAMES))
      .then(
        (met) => this.#end('', met),
        (thrown: unknown) => this.#end(`${reasonOf(thrown)}: ${IN_THIS_RUN}`, null),
      )
      .then(() => this.close());
  }

  /** Ends what is still asked. May be called twice. */
  close(): void {
    this.#over = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#reader?.then((reader) => reader.close()).catch(() => undefined); // it never opened: that was said
    this.#reader = null;
  }

  #end(failure: string, met: MetNames | null): void {
    if (this.#over) return;
    this.#over = true;
    if (met === null || met.apps.length + met.domains.length === 0)
      this.#log.acquaint(() => null, failure || `history is empty: ${IN_THIS_RUN}`);
    else this.#log.acquaint(knownOf(met), `met before, by history: apps ${met.apps.length}, domains ${met.domains.length}`);
  }
}

/** Of names that did not all fit, one that is not among them may have been met all the same. */
function knownOf({ apps, domains }: MetNames): Acquaintance {
  const sets = { app: new Set(apps), domain: new Set(domains) };
  return (kind, name) => sets[kind].has(name) || (sets[kind].size < NAMES ? false : null);
}

/** True where a history was begun, be it only in its journals. */
export function hasHistory(path: string): boolean {
  try {
    return existsSync(path) || journalNumbers(path).length > 0;
  } catch {
    return false;
  }
}

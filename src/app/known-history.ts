// What history knows from earlier runs, read once, behind the first frame. The event log keeps the names; the file is closed again.

import { existsSync } from 'node:fs';
import { type EventLog, type KnownHistory, NAMES } from '../aggregate/event-log.ts';
import { journalNumbers } from '../history/files.ts';
import type { KnownNames } from '../history/query/pages.ts';
import type { HistoryReader } from '../history/query/reader.ts';
import { reasonOf } from '../model/errors.ts';

/** History that takes longer than this to answer is not waited for. */
const LONGEST_MS = 15_000;
/** How new things are told if nobody knows what was before. */
const IN_THIS_RUN = 'apps and domains count as new after the first minute of this run';

/** Reads known apps and domains for an event log. Never throws; the log says what could not be read. */
export class KnownHistoryQuery {
  readonly #log: EventLog;
  readonly #reader: Promise<HistoryReader> | null;
  #timer: NodeJS.Timeout | null = null;
  #isAnswered = false;
  #isClosed = false;

  /**
   * Begins to read.
   *
   * @param log one that waits for known history
   * @param open opens the history; null if there is none
   */
  constructor(log: EventLog, open: (() => Promise<HistoryReader>) | null) {
    this.#log = log;
    this.#reader = open?.() ?? null;
    if (this.#reader === null) this.#answer(`no history: ${IN_THIS_RUN}`, null);
    else void this.#read(this.#reader);
  }

  /** Stops reading. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#reader?.then((reader) => reader.close()).catch(() => undefined); // it never opened: the log says so
  }

  async #read(opening: Promise<HistoryReader>): Promise<void> {
    this.#timer = setTimeout(() => {
      this.#answer(`history did not answer in time: ${IN_THIS_RUN}`, null);
      this.close();
    }, LONGEST_MS);
    this.#timer.unref();
    try {
      const reader = await opening;
      this.#answer('', await reader.knownNames(NAMES));
    } catch (thrown) {
      this.#answer(`${reasonOf(thrown)}: ${IN_THIS_RUN}`, null);
    }
    this.close();
  }

  #answer(failure: string, met: KnownNames | null): void {
    if (this.#isAnswered || this.#isClosed) return;
    this.#isAnswered = true;
    if (met === null || met.apps.length + met.domains.length === 0)
      this.#log.setKnownHistory(() => null, failure || `history is empty: ${IN_THIS_RUN}`);
    else
      this.#log.setKnownHistory(knownIn(met), `met before, by history: apps ${met.apps.length}, domains ${met.domains.length}`);
  }
}

/** If not all names fitted, one that is missing may be known all the same. */
function knownIn({ apps, domains }: KnownNames): KnownHistory {
  const sets = { app: new Set(apps), domain: new Set(domains) };
  return (kind, name) => sets[kind].has(name) || (sets[kind].size < NAMES ? false : null);
}

/** True if a history was begun, be it only in its journals. */
export function hasHistory(path: string): boolean {
  try {
    return existsSync(path) || journalNumbers(path).length > 0;
  } catch {
    return false;
  }
}

// What history knows from earlier runs, read once, behind the first frame. The event log and the watch keep it; the file is closed again.

import { existsSync } from 'node:fs';
import { type EventLog, type KnownHistory, NAMES } from '../aggregate/event-log.ts';
import { journalNumbers } from '../history/files.ts';
import type { KnownNames } from '../history/query/pages.ts';
import type { HistoryReader } from '../history/query/reader.ts';
import { reasonOf } from '../model/errors.ts';
import type { AlertRule, BudgetPlan } from '../model/options.ts';
import type { KnownAmount, KnownAmounts, KnownBaseline } from '../model/watch.ts';
import type { Clock } from '../system/clock.ts';
import { periodOf } from '../view/history/budget.ts';
import { EMPTY, MOST_PAIRS } from '../watch/baseline.ts';
import { rulePeriod, unrecordedFields } from '../watch/rules.ts';
import type { Watchman } from '../watch/watchman.ts';

/** History that takes longer than this to answer is not waited for. */
const LONGEST_MS = 15_000;
/** How new things are told if nobody knows what was before. */
const IN_THIS_RUN = 'apps and domains count as new after the first minute of this run';

/** Who wants to know. */
interface Asking {
  /** null if nobody logs what is new. */
  readonly log: EventLog | null;
  /** null if nothing is watched. */
  readonly watchman: Pick<Watchman, 'know' | 'knowAmounts'> | null;
  /** Opens the history; null if there is none. */
  readonly open: (() => Promise<HistoryReader>) | null;
  /** True if this run records: a watch that begins with an empty history learns. */
  readonly records: boolean;
  /** null if the user set none. */
  readonly budget: BudgetPlan | null;
  /** The user's own; of those about amounts the watch hears what was moved before this run. */
  readonly rules: readonly AlertRule[];
  readonly clock: Clock;
}

/** Reads what earlier runs met. Never throws; the log says what could not be read. */
export class KnownHistoryQuery {
  readonly #asking: Asking;
  readonly #reader: Promise<HistoryReader> | null;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;
  #log: EventLog | null;
  #watchman: Asking['watchman'];
  /** Who still waits for amounts. */
  #counter: Asking['watchman'];
  /** When the run began, nearly: what moves from now on it counts itself. */
  readonly #now: number;

  /** Begins to read. */
  constructor(asking: Asking) {
    this.#asking = asking;
    this.#log = asking.log;
    this.#watchman = asking.watchman;
    this.#counter = asking.watchman;
    this.#now = asking.clock.now();
    this.#reader = asking.open?.() ?? null;
    if (this.#reader !== null) void this.#read(this.#reader);
    else {
      this.#tellWatchman(asking.records ? EMPTY : null);
      this.#tellAmounts(null);
      this.#tellLog(`no history: ${IN_THIS_RUN}`, null);
    }
  }

  /** Stops reading. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#reader?.then((reader) => reader.close()).catch(() => undefined); // it never opened: the log says so
  }

  async #read(opening: Promise<HistoryReader>): Promise<void> {
    this.#timer = setTimeout(() => this.#give(`history did not answer in time: ${IN_THIS_RUN}`), LONGEST_MS);
    this.#timer.unref();
    try {
      const reader = await opening;
      if (this.#log !== null) this.#tellLog('', await reader.knownNames(NAMES));
      if (this.#watchman !== null) {
        this.#tellWatchman(await reader.baseline({ now: this.#now, most: MOST_PAIRS }));
        this.#tellAmounts(await this.#amountsOf(reader));
      }
      this.close();
    } catch (thrown) {
      this.#give(`${reasonOf(thrown)}: ${IN_THIS_RUN}`);
    }
  }

  /** What is recorded of the periods of budget and rules. */
  async #amountsOf(reader: HistoryReader): Promise<KnownAmounts> {
    const { budget, rules } = this.#asking;
    const moved = async (from: number, name: string | null, filter: string | null) => {
      const all = { app: null, domain: null, category: null, interface: name, filter, top: 1, steps: 0 };
      const { total } = await reader.query({ from, to: this.#now, by: 'category', ...all });
      return total.rxBytes + total.txBytes;
    };
    const used = budget === null ? 0 : await moved(periodOf(budget.day, this.#now).from, budget.interface, null);
    const known = new Map<string, KnownAmount>();
    for (const rule of rules) {
      if (rule.over === null || unrecordedFields(rule).length > 0) continue;
      const { from } = rulePeriod(this.#now, rule.over.per);
      // What only passes through moves nothing of an app's, and no rule counts it.
      known.set(rule.name, { from, bytes: await moved(from, null, `(${rule.when}) and dir!=transit`) });
    }
    return { budget: used, rules: known };
  }

  /** Answers whoever still waits that nothing is known. */
  #give(failure: string): void {
    this.#tellLog(failure, null);
    this.#tellWatchman(null);
    this.#tellAmounts(null);
    this.close();
  }

  #tellWatchman(known: KnownBaseline | null): void {
    if (!this.#isClosed) this.#watchman?.know(known);
    this.#watchman = null;
  }

  #tellAmounts(known: KnownAmounts | null): void {
    if (!this.#isClosed) this.#counter?.knowAmounts(known);
    this.#counter = null;
  }

  #tellLog(failure: string, met: KnownNames | null): void {
    const log = this.#isClosed ? null : this.#log;
    this.#log = null;
    if (met === null || met.apps.length + met.domains.length === 0)
      log?.setKnownHistory(() => null, failure || `history is empty: ${IN_THIS_RUN}`);
    else log?.setKnownHistory(knownIn(met), `met before, by history: apps ${met.apps.length}, domains ${met.domains.length}`);
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

// The numbers that a history keeps of itself: what is applied, how far back minutes and hours go, from when till when it tells. Written in
// the transaction of whoever changes them; `reload` takes back what a rolled back transaction had set.

import type { Statements } from './statements.ts';

/**
 * `applied`: sequence of the journal; `minutes_from`, `hours_from`: in minutes and in hours; `oldest`, `newest`: minutes; `unlogged`: flows that the log
 * lacks; `swept`: day; `fold_level`, `fold_day`: how far old days are folded; `identity`: a random number that tells one history from another;
 * `retention_clock`: ms since the epoch, see `retentionClock`.
 */
export type MetaKey =
  | 'applied'
  | 'minutes_from'
  | 'hours_from'
  | 'oldest'
  | 'newest'
  | 'unlogged'
  | 'swept'
  | 'fold_level'
  | 'fold_day'
  | 'identity'
  | 'retention_clock';

/** Largest value that is believed of each: times end where those of Date do (ECMA-262, 21.4.1.1). */
const LAST_MS = 8.64e15;
const MOST: Readonly<Record<MetaKey, number>> = {
  applied: Number.MAX_SAFE_INTEGER,
  minutes_from: LAST_MS / 60_000,
  hours_from: LAST_MS / 3_600_000,
  oldest: LAST_MS / 60_000,
  newest: LAST_MS / 60_000,
  unlogged: Number.MAX_SAFE_INTEGER,
  swept: LAST_MS / 86_400_000,
  fold_level: 1000,
  fold_day: LAST_MS / 86_400_000,
  identity: Number.MAX_SAFE_INTEGER,
  retention_clock: LAST_MS,
};

/** Small integers by name, in memory and in the table `meta`. */
export class HistoryMeta {
  readonly #statements: Statements;
  readonly #values = new Map<string, number>();

  constructor(statements: Statements) {
    this.#statements = statements;
    this.reload();
  }

  get(key: MetaKey): number | null {
    return this.#values.get(key) ?? null;
  }

  set(key: MetaKey, value: number): void {
    if (this.#values.get(key) === value) return;
    this.#statements.run('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', [key, value]);
    this.#values.set(key, value);
  }

  reload(): void {
    this.#values.clear();
    for (const [key, value] of this.#statements.rows<[string, number]>('SELECT key, value FROM meta', []))
      if (value >= 0 && value <= (MOST[key as MetaKey] ?? 0)) this.#values.set(key, value); // a file may say anything
  }

  /** Minutes are complete from this minute on, the first of an hour. */
  get minutesFrom(): number {
    return this.get('minutes_from') ?? 0;
  }

  /** Hours are complete from this hour on, the first of a day (UTC). */
  get hoursFrom(): number {
    return this.get('hours_from') ?? 0;
  }

  /** First and last minute of all that is recorded; null where nothing is. */
  get oldest(): number | null {
    return this.get('oldest');
  }

  get newest(): number | null {
    return this.get('newest');
  }
}

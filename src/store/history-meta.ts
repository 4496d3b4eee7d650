// The numbers that a history keeps of itself: what is applied, how far back minutes and hours go, from when till when it tells. Written in
// the transaction of whoever changes them; `reload` takes back what a rolled back transaction had set.

import type { Database, Statement } from 'sql.js';

/** `applied`: journal sequence; `minutes_from`: minutes; `hours_from`: hours; `oldest`, `newest`: minutes; `unlogged`: flows; the rest is retention's. */
export const META_KEYS = [
  'applied',
  'minutes_from',
  'hours_from',
  'oldest',
  'newest',
  'unlogged',
  'swept',
  'fold_level',
  'fold_day',
] as const;
export type MetaKey = (typeof META_KEYS)[number];

/** Small integers by name, in memory and in the table `meta`. */
export class HistoryMeta {
  readonly #database: Database;
  readonly #write: Statement;
  readonly #values = new Map<string, number>();

  constructor(database: Database) {
    this.#database = database;
    this.#write = database.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
    this.reload();
  }

  get(key: MetaKey): number | null {
    return this.#values.get(key) ?? null;
  }

  set(key: MetaKey, value: number): void {
    if (this.#values.get(key) === value) return;
    this.#write.run([key, value]);
    this.#values.set(key, value);
  }

  reload(): void {
    this.#values.clear();
    const [rows] = this.#database.exec('SELECT key, value FROM meta');
    for (const [key, value] of rows?.values ?? []) this.#values.set(String(key), Number(value));
  }

  /** Minutes are complete from this minute on, the first of an hour. */
  get minutesFrom(): number {
    return this.get('minutes_from') ?? 0;
  }

  /** Hours are complete from this hour on, the first of a day (UTC). */
  get hoursFrom(): number {
    return this.get('hours_from') ?? 0;
  }
}

// What is known of each app from all that is recorded: what it reached, for how long it is watched, and the most that it sent in an hour. One
// pass over the hours, and over the days before them.

import type { BaselineQuery } from '../../model/history.ts';
import { CONTACT_KINDS, type KnownBaseline, type NamesByApp } from '../../model/watch.ts';
import { bucketOf, type HistoryMeta, SUBJECTS } from '../schema.ts';
import type { Statements } from '../sqljs/statements.ts';
import type { HistoryDictionary } from '../writer.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Hours back in which the most that an app sent is looked for. */
const PEAK_HOURS = 30 * 24;
const MOST_APPS = 16_384;
const MOST_NAMES = 1_000_000;
const MOST_EXES = 8;
const DOMAINS = 'SELECT app, domain, minute FROM contact ORDER BY minute DESC LIMIT ?';
const REACHED = 'SELECT app, name, minute FROM reached WHERE kind = ? ORDER BY minute DESC LIMIT ?';
const EXES = 'SELECT app, exe FROM subject WHERE app <> 0 AND exe <> 0 GROUP BY app, exe ORDER BY count(*) DESC';
const TEXT = 'SELECT text FROM label WHERE id = ?';

/** What is collected of an app. */
interface Gathered {
  readonly place: number;
  /** Epoch ms. */
  first: number;
  readonly exes: string[];
  peakTx: number;
  /** Hour since the epoch of which `hourTx` has the bytes. */
  hour: number;
  hourTx: number;
  /** Bytes of the hour that has not ended. */
  thisHourTx: number;
}

/** Answers what is known of each app. */
export function baselineOf(
  statements: Statements,
  dictionary: HistoryDictionary,
  meta: HistoryMeta,
  { now, most }: BaselineQuery,
): KnownBaseline {
  const subjects = new SubjectApps(statements, dictionary.find('local'));
  const texts = new Map<number, string>();
  const text = (label: number) => {
    let found = texts.get(label);
    if (found === undefined) {
      found = statements.first<[string]>(TEXT, [label])?.[0] ?? '';
      texts.set(label, found);
    }
    return found;
  };
  const apps = new Map<number, Gathered>();
  const gathered = (app: number, first: number): Gathered | undefined => {
    let found = apps.get(app);
    if (found === undefined && apps.size < MOST_APPS) {
      found = { place: apps.size, first, exes: [], peakTx: 0, hour: -1, hourTx: 0, thisHourTx: 0 };
      apps.set(app, found);
    }
    if (found !== undefined && first < found.first) found.first = first; // contacts outlive their records
    return found;
  };

  const recorded = new RecordedTime();
  statements.each<[number]>('SELECT id FROM day WHERE id < ?', [(meta.hoursFrom / 24) * SUBJECTS], ([id]) => {
    const start = bucketOf(id) * DAY_MS;
    recorded.add(start, DAY_MS);
    const app = subjects.app(id % SUBJECTS);
    if (app !== 0) gathered(app, start);
  });
  const thisHour = Math.floor(now / HOUR_MS);
  statements.each<[number, number]>('SELECT id, tx FROM hour WHERE id >= ?', [meta.hoursFrom * SUBJECTS], ([id, tx]) => {
    const hour = bucketOf(id);
    recorded.add(hour * HOUR_MS, HOUR_MS);
    const subject = id % SUBJECTS;
    const app = subjects.app(subject);
    const row = app === 0 ? undefined : gathered(app, hour * HOUR_MS);
    if (row === undefined || subjects.isLocal(subject)) return;
    if (hour === thisHour) row.thisHourTx += tx;
    if (hour >= thisHour || hour < thisHour - PEAK_HOURS) return;
    if (row.hour !== hour) row.hourTx = 0;
    row.hour = hour;
    row.hourTx += tx;
    row.peakTx = Math.max(row.peakTx, row.hourTx);
  });
  let isCut = false;
  const namesOf = (sql: string, values: readonly number[]): NamesByApp => {
    const rows = statements.rows<[number, number, number]>(sql, [...values, Math.max(1, Math.min(MOST_NAMES, most))]);
    if (rows.length >= most) isCut = true;
    const known = rows.flatMap(([app, name, minute]) => {
      const place = gathered(app, minute * 60_000)?.place;
      return place === undefined ? [] : [[place, text(name)] as const];
    });
    return { apps: known.map(([place]) => place), names: known.map(([, name]) => name) };
  };
  const domains = namesOf(DOMAINS, []);
  const [country, network, inbound] = CONTACT_KINDS.map((_, kind) => namesOf(REACHED, [kind])) as [
    NamesByApp,
    NamesByApp,
    NamesByApp,
  ];
  for (const [app, exe] of statements.rows<[number, number]>(EXES, [])) {
    const exes = apps.get(app)?.exes;
    if (exes !== undefined && exes.length < MOST_EXES) exes.push(text(exe));
  }
  const reachedFrom = meta.get('reached_from');
  return {
    recordedMs: recorded.since(0),
    hour: thisHour,
    apps: [...apps].map(([app, { first, exes, peakTx, thisHourTx }]) => ({
      app: text(app),
      exes,
      first,
      recordedMs: recorded.since(first),
      peakTx,
      hourTx: thisHourTx,
    })),
    domains,
    contacts: { country, network, inbound },
    contactsMs: reachedFrom === null ? 0 : recorded.since(reachedFrom * 60_000),
    isCut: isCut || apps.size >= MOST_APPS,
  };
}

/** Days and hours in which anything was recorded; each counts whole. */
class RecordedTime {
  /** Starts, epoch ms, ascending. */
  readonly #starts: number[] = [];
  /** Time recorded up to and without each. */
  readonly #before: number[] = [];
  #total = 0;

  /** Adds a day or an hour, once. None comes before an earlier one. */
  add(start: number, ms: number): void {
    if (this.#starts.at(-1) === start) return;
    this.#starts.push(start);
    this.#before.push(this.#total);
    this.#total += ms;
  }

  /** Time recorded since a moment, whose own hour counts. */
  since(time: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] as number) < time - HOUR_MS + 1) low = middle + 1;
      else high = middle;
    }
    return this.#total - (this.#before[low] ?? this.#total);
  }
}

/** The app of each subject, and whether both its ends are here. */
class SubjectApps {
  readonly #apps: Int32Array;
  readonly #local = new Set<number>();

  /** @param local label of the direction `local`; null if there is none */
  constructor(statements: Statements, local: number | null) {
    this.#apps = new Int32Array(Math.min(SUBJECTS, (statements.number('SELECT max(id) FROM subject') ?? 0) + 1));
    statements.each<[number, number, number]>('SELECT id, app, direction FROM subject', [], ([id, app, direction]) => {
      this.#apps[id] = app;
      if (direction === local) this.#local.add(id);
    });
  }

  /** Label of its app; 0 for none. */
  app(subject: number): number {
    return this.#apps[subject] ?? 0;
  }

  isLocal(subject: number): boolean {
    return this.#local.has(subject);
  }
}

// What is usual, from all that is recorded: what each app has reached and since when, and how much it sends in an hour. One pass over the hours.

import type { Baseline, BaselineApp, BaselineQuery } from '../../model/history.ts';
import { bucketOf, type HistoryMeta, SUBJECTS } from '../schema.ts';
import type { Statements } from '../sqljs/statements.ts';
import type { HistoryDictionary } from '../writer.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Hours whose bytes count as usual. */
const USUAL_HOURS = 28 * 24;
/** The share of hours that sent no more than what is called usual. */
const USUAL_SHARE = 0.95;
const MOST_APPS = 16_384;
const MOST_CONTACTS = 1_000_000;
const MOST_EXES = 16;
/** Numbers of a contact. */
const CONTACT = 4;
const CONTACTS = `SELECT app, 0 AS kind, domain AS value, minute FROM contact UNION ALL SELECT app, kind, value, minute FROM reached
  ORDER BY minute DESC LIMIT ?`;
const TEXT = 'SELECT text FROM label WHERE id = ?';

/** What is collected of an app. */
interface Gathered {
  /** Epoch ms. */
  since: number;
  readonly exes: Set<number>;
  /** Bytes sent, an hour each. */
  readonly hourly: number[];
  hour: number;
}

/** Answers a question about what is usual. */
export function baselineOf(
  statements: Statements,
  dictionary: HistoryDictionary,
  meta: HistoryMeta,
  { now, most }: BaselineQuery,
): Baseline {
  const subjects = new SubjectApps(statements, dictionary.find('local'));
  const apps = new Map<number, Gathered>();
  const gathered = (app: number, since: number): Gathered | undefined => {
    let found = apps.get(app);
    if (found === undefined && apps.size < MOST_APPS) {
      found = { since, exes: new Set(), hourly: [], hour: -1 };
      apps.set(app, found);
    }
    return found;
  };
  const hours: number[] = [];
  const thisHour = Math.floor(now / HOUR_MS);
  statements.each<[number]>('SELECT id FROM day WHERE id < ?', [(meta.hoursFrom / 24) * SUBJECTS], ([id]) => {
    const app = subjects.app(id % SUBJECTS);
    if (app !== 0) gathered(app, bucketOf(id) * DAY_MS);
  });
  statements.each<[number, number]>('SELECT id, tx FROM hour WHERE id >= ?', [meta.hoursFrom * SUBJECTS], ([id, tx]) => {
    const hour = bucketOf(id);
    if (hours.at(-1) !== hour) hours.push(hour);
    const subject = id % SUBJECTS;
    const app = subjects.app(subject);
    const row = app === 0 ? undefined : gathered(app, hour * HOUR_MS);
    if (row === undefined || tx <= 0 || subjects.isLocal(subject) || hour >= thisHour || hour < thisHour - USUAL_HOURS) return;
    if (row.hour !== hour) row.hourly.push(0);
    row.hour = hour;
    row.hourly[row.hourly.length - 1] = (row.hourly.at(-1) as number) + tx;
  });
  const contacts = statements.rows<[number, number, number, number]>(CONTACTS, [Math.max(1, Math.min(MOST_CONTACTS, most))]);
  for (const [app, , , minute] of contacts) {
    const row = gathered(app, minute * 60_000);
    if (row !== undefined) row.since = Math.min(row.since, minute * 60_000); // contacts outlive their records
  }
  for (const [app, exe] of statements.rows<[number, number]>('SELECT DISTINCT app, exe FROM subject WHERE exe <> 0', [])) {
    const exes = apps.get(app)?.exes;
    if (exes !== undefined && exes.size < MOST_EXES) exes.add(exe);
  }
  const text = (label: number) => statements.first<[string]>(TEXT, [label])?.[0] ?? '';
  const places = new Map([...apps.keys()].map((app, place) => [app, place]));
  const values: string[] = [];
  const valuePlaces = new Map<number, number>();
  const packed = new Int32Array(contacts.length * CONTACT);
  let length = 0;
  for (const [app, kind, value, minute] of contacts) {
    const appPlace = places.get(app);
    if (appPlace === undefined) continue;
    let place = valuePlaces.get(value);
    if (place === undefined) {
      place = values.push(text(value)) - 1;
      valuePlaces.set(value, place);
    }
    packed.set([appPlace, kind, place, minute], length);
    length += CONTACT;
  }
  const reachedFrom = meta.get('reached_from');
  return {
    apps: [...apps].map(([app, row]) => appOf(text(app), row, text)),
    values,
    contacts: packed.slice(0, length),
    isCut: contacts.length >= most || apps.size >= MOST_APPS,
    hours,
    placesSince: reachedFrom === null ? null : reachedFrom * 60_000,
  };
}

function appOf(app: string, { since, exes, hourly }: Gathered, text: (label: number) => string): BaselineApp {
  hourly.sort((a, b) => a - b);
  const usual = hourly[Math.ceil(hourly.length * USUAL_SHARE) - 1] ?? 0;
  return { app, since, exes: [...exes].map(text), hourlyTx: { hours: hourly.length, usual, most: hourly.at(-1) ?? 0 } };
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

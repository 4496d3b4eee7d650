// Texts and combinations of facts, each kept once under a small number. Numbers are given out for good or until retention drops them;
// what was asked lately is remembered in maps of bounded size.

import type { Database, Statement } from 'sql.js';
import type { HistoryEntry } from '../aggregate/history-batch.ts';
import { sanitize } from '../net/text.ts';
import { SUBJECTS } from './history-schema.ts';

/** What a subject is told by: the facts of an entry without its numbers. */
export type SubjectFacts = Pick<
  HistoryEntry,
  'app' | 'reason' | 'exe' | 'host' | 'domain' | 'category' | 'interface' | 'protocol' | 'direction'
>;

const COLUMNS = ['app', 'reason', 'exe', 'host', 'domain', 'category', 'interface', 'protocol', 'direction'] as const;
const MOST_REMEMBERED = 16_384;
/** Stands for no text. */
const NONE = 0;

/** Numbers of labels and subjects, made when they are missing. */
export class HistoryDictionary {
  readonly #findLabel: Statement;
  readonly #addLabel: Statement;
  readonly #findSubject: Statement;
  readonly #addSubject: Statement;
  readonly #lastSubject: Statement;
  readonly #freeSubject: Statement;
  readonly #labels = new Map<string, number>();
  readonly #subjects = new Map<string, number>();

  constructor(database: Database) {
    this.#findLabel = database.prepare('SELECT id FROM label WHERE text = ?');
    this.#addLabel = database.prepare('INSERT INTO label (text) VALUES (?) RETURNING id');
    this.#findSubject = database.prepare(`SELECT id FROM subject WHERE ${COLUMNS.map((name) => `${name} = ?`).join(' AND ')}`);
    this.#addSubject = database.prepare(`INSERT INTO subject VALUES (?${', ?'.repeat(COLUMNS.length)})`);
    this.#lastSubject = database.prepare('SELECT max(id) FROM subject');
    this.#freeSubject = database.prepare(
      'SELECT id + 1 FROM subject AS taken WHERE NOT EXISTS (SELECT 1 FROM subject WHERE id = taken.id + 1) LIMIT 1',
    );
  }

  /** Number of a text, stripped and cut at 512 units; 0 for none. */
  label(text: string | null): number {
    if (text === null || text === '') return NONE;
    const known = this.#labels.get(text);
    if (known !== undefined) return known;
    const kept = sanitize(text);
    if (kept === '') return NONE;
    const id = numberOf(this.#findLabel, [kept]) ?? numberOf(this.#addLabel, [kept]);
    if (id === null) throw new Error('a label was not added');
    return kept === text ? remember(this.#labels, kept, id) : id;
  }

  subject(facts: SubjectFacts): number {
    const ids = COLUMNS.map((name) => this.label(facts[name]));
    const key = ids.join();
    const known = this.#subjects.get(key);
    if (known !== undefined) return known;
    return remember(this.#subjects, key, numberOf(this.#findSubject, ids) ?? this.#newSubject(ids));
  }

  /** Forgets what is remembered: after a rollback, or when rows went. */
  forget(): void {
    this.#labels.clear();
    this.#subjects.clear();
  }

  /** Numbers go up; when they end, the lowest that retention has freed is taken. */
  #newSubject(ids: readonly number[]): number {
    let id = (numberOf(this.#lastSubject, []) ?? 0) + 1;
    if (id >= SUBJECTS) id = numberOf(this.#freeSubject, []) ?? SUBJECTS;
    if (id >= SUBJECTS) throw new Error('more combinations of apps and hosts than a history can number');
    this.#addSubject.run([id, ...ids]);
    return id;
  }
}

function numberOf(statement: Statement, values: (string | number)[]): number | null {
  statement.bind(values);
  const found = statement.step() ? statement.get()[0] : null;
  statement.reset();
  return typeof found === 'number' ? found : null;
}

function remember(map: Map<string, number>, key: string, id: number): number {
  if (map.size >= MOST_REMEMBERED) map.clear();
  map.set(key, id);
  return id;
}

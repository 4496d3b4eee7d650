// Texts and combinations of facts, each kept once under a small number. Numbers are given out for good or until retention drops them;
// what was asked lately is remembered in maps of bounded size.

import type { HistoryEntry } from '../aggregate/history-batch.ts';
import { sanitize } from '../net/text.ts';
import { SUBJECTS } from './history-schema.ts';
import type { Statements } from './statements.ts';

/** What a subject is told by: the facts of an entry without its numbers. */
export type SubjectFacts = Pick<
  HistoryEntry,
  'app' | 'reason' | 'exe' | 'host' | 'domain' | 'category' | 'interface' | 'protocol' | 'direction'
>;

/** Columns of `subject` after its id. */
export const SUBJECT_COLUMNS = [
  'app',
  'reason',
  'exe',
  'host',
  'domain',
  'category',
  'interface',
  'protocol',
  'direction',
] as const;
const FIND_LABEL = 'SELECT id FROM label WHERE hash = ? AND text = ?';
const ADD_LABEL = 'INSERT INTO label VALUES (NULL, ?, ?) RETURNING id';
const FIND_SUBJECT = `SELECT id FROM subject WHERE ${SUBJECT_COLUMNS.map((name) => `${name} = ?`).join(' AND ')}`;
const ADD_SUBJECT = `INSERT INTO subject VALUES (?${', ?'.repeat(SUBJECT_COLUMNS.length)})`;
const FREE_SUBJECT =
  'SELECT id + 1 FROM subject AS taken WHERE NOT EXISTS (SELECT 1 FROM subject WHERE id = taken.id + 1) LIMIT 1';
const MOST_REMEMBERED = 16_384;
/** Stands for no text. */
const NONE = 0;

/** Numbers of labels and subjects, made when they are missing. */
export class HistoryDictionary {
  readonly #statements: Statements;
  readonly #labels = new Map<string, number>();
  readonly #subjects = new Map<string, number>();

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Number of a text, stripped and cut at 512 units; 0 for none. */
  label(text: string | null): number {
    if (text === null || text === '') return NONE;
    const known = this.#labels.get(text);
    if (known !== undefined) return known;
    const kept = sanitize(text);
    if (kept === '') return NONE;
    const id = this.find(kept) ?? this.#statements.number(ADD_LABEL, [hashOf(kept), kept]);
    if (id === null) throw new Error('a label was not added');
    return kept === text ? remember(this.#labels, kept, id) : id;
  }

  /** Number of a text that is there; null for one that is not. */
  find(text: string): number | null {
    return this.#statements.number(FIND_LABEL, [hashOf(text), text]);
  }

  subject(facts: SubjectFacts): number {
    return this.subjectOf(SUBJECT_COLUMNS.map((name) => this.label(facts[name])));
  }

  /** Number of a combination of labels, in the order of `SUBJECT_COLUMNS`. */
  subjectOf(ids: readonly number[]): number {
    const key = ids.join();
    const known = this.#subjects.get(key);
    if (known !== undefined) return known;
    return remember(this.#subjects, key, this.#statements.number(FIND_SUBJECT, ids) ?? this.#newSubject(ids));
  }

  /** Forgets what is remembered: after a rollback, or when rows went. */
  forget(): void {
    this.#labels.clear();
    this.#subjects.clear();
  }

  /** Numbers go up; when they end, the lowest that retention has freed is taken. */
  #newSubject(ids: readonly number[]): number {
    let id = (this.#statements.number('SELECT max(id) FROM subject') ?? 0) + 1;
    if (id >= SUBJECTS) id = this.#statements.number(FREE_SUBJECT) ?? SUBJECTS;
    if (id >= SUBJECTS) throw new Error('more combinations of apps and hosts than a history can number');
    this.#statements.run(ADD_SUBJECT, [id, ...ids]);
    return id;
  }
}

function remember(map: Map<string, number>, key: string, id: number): number {
  if (map.size >= MOST_REMEMBERED) map.clear();
  map.set(key, id);
  return id;
}

/** FNV-1a over UTF-16 units, 32 bits, signed: what the file keeps must not change. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}

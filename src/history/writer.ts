// Writes batches into the tables: each entry into its day, and into its hour and minute if these are still kept. Works in its caller's transaction.

import type { HistoryBatch, HistoryEntry, LoggedFlow } from '../model/history-batch.ts';
import { sanitize } from '../net/text.ts';
import type { ExportTables } from './exports.ts';
import { ADD_TO, CONTAINER_COLUMNS, EMPTY, type HistoryMeta, SUBJECTS, type TierTable } from './schema.ts';
import type { Statements } from './sqljs/statements.ts';

/** The last minute of SQLite's dates, in the year 9999. */
const LAST_MINUTE = 4_223_376_000;
/** More than any batch moves; sums of thousands of rows stay within 64 bits. */
const MOST = 1e15;
/** A number is never used again: exports go by it. */
const NEXT_FLOW = '(SELECT max(coalesce((SELECT max(id) FROM flow), 0), coalesce((SELECT max(flow) FROM cut), 0)) + 1)';
const ADD_FLOW = `INSERT INTO flow VALUES (${NEXT_FLOW}${', ?'.repeat(16)})`;
/** A correction may leave a contact of the day without any record: then it never happened. */
const DROP_CONTACT = `DELETE FROM contact WHERE app = ?1 AND domain = ?2 AND minute >= ?3 * 1440 AND NOT EXISTS (
  SELECT 1 FROM subject JOIN day ON day.id = ?3 * ${SUBJECTS} + subject.id
  WHERE subject.app = ?1 AND subject.domain = ?2 AND NOT (${EMPTY}))`;

/** Writes batches. */
export class HistoryWriter {
  readonly #dictionary: HistoryDictionary;
  readonly #meta: HistoryMeta;
  readonly #exports: ExportTables;
  readonly #statements: Statements;

  constructor(statements: Statements, dictionary: HistoryDictionary, meta: HistoryMeta, exports: ExportTables) {
    this.#statements = statements;
    this.#dictionary = dictionary;
    this.#meta = meta;
    this.#exports = exports;
  }

  write(batch: HistoryBatch): void {
    const minute = Math.min(LAST_MINUTE, natural(batch.minute));
    for (const entry of batch.entries) this.#book(minute, entry);
    for (const flow of batch.flows) this.#log(flow);
    if (batch.unlogged > 0) this.#meta.set('unlogged', (this.#meta.get('unlogged') ?? 0) + natural(batch.unlogged));
  }

  #book(minute: number, entry: HistoryEntry): void {
    const numbers = [
      integer(entry.rxBytes),
      integer(entry.txBytes),
      integer(entry.rxPackets),
      integer(entry.txPackets),
      integer(entry.flows),
    ];
    if (numbers.every((number) => number === 0)) return;
    const subject = this.#dictionary.subject(entry);
    const [hour, day] = [Math.floor(minute / 60), Math.floor(minute / 1440)];
    const corrects = numbers.some((number) => number < 0);
    const isSettled = this.#exports.change(minute, subject, numbers);
    this.#add('day', day, subject, numbers);
    if (hour >= this.#meta.hoursFrom) this.#add('hour', hour, subject, numbers);
    if (minute >= this.#meta.minutesFrom) {
      this.#add('minute', minute, subject, numbers);
      // In `hour` and `day` an empty row stays: each subject of a minute has to be in its hour, and each of an hour in its day.
      if (corrects && !isSettled)
        this.#statements.run(`DELETE FROM minute WHERE id = ? AND ${EMPTY}`, [minute * SUBJECTS + subject]);
    }
    this.#meta.set('oldest', Math.min(minute, this.#meta.get('oldest') ?? minute));
    this.#meta.set('newest', Math.max(minute, this.#meta.get('newest') ?? minute));
    if (entry.app === null || entry.domain === null) return;
    const pair = [this.#dictionary.label(entry.app), this.#dictionary.label(entry.domain)];
    if (corrects) this.#statements.run(DROP_CONTACT, [...pair, day]);
    else this.#statements.run('INSERT INTO contact VALUES (?, ?, ?) ON CONFLICT DO NOTHING', [...pair, minute]);
  }

  #add(table: TierTable, bucket: number, subject: number, numbers: readonly number[]): void {
    this.#statements.run(ADD_TO[table], [bucket * SUBJECTS + subject, ...numbers]);
  }

  #log(flow: LoggedFlow): void {
    const label = (text: string | null) => this.#dictionary.label(text);
    this.#statements.run(ADD_FLOW, [
      integer(flow.start),
      natural(flow.end - flow.start),
      this.#dictionary.subject(flow),
      label(flow.localAddress),
      natural(flow.localPort),
      label(flow.remoteAddress),
      natural(flow.remotePort),
      flow.pid === null ? null : integer(flow.pid),
      label(flow.attribution),
      label(flow.nameSource),
      label(flow.application),
      natural(flow.rxBytes),
      natural(flow.txBytes),
      natural(flow.rxPackets),
      natural(flow.txPackets),
      label(flow.user),
    ]);
  }
}

function integer(value: number): number {
  return Number.isFinite(value) ? Math.max(-MOST, Math.min(MOST, Math.trunc(value))) : 0;
}

function natural(value: number): number {
  return Math.max(0, integer(value));
}

/** What makes a subject: the facts of an entry without its numbers. */
type SubjectFacts = Pick<
  HistoryEntry,
  'app' | 'reason' | 'exe' | 'host' | 'domain' | 'category' | 'interface' | 'protocol' | 'direction' | 'container'
>;

const FACT_COLUMNS = ['app', 'reason', 'exe', 'host', 'domain', 'category', 'interface', 'protocol', 'direction'] as const;
/** Columns of `subject` after its id. */
export const SUBJECT_COLUMNS = [...FACT_COLUMNS, ...CONTAINER_COLUMNS] as const;
const NO_CONTAINER: readonly number[] = CONTAINER_COLUMNS.map(() => 0);
const FIND_LABEL = 'SELECT id FROM label WHERE hash = ? AND text = ?';
/** Texts with one hash: more than a few are somebody's work, and each look-up of one passes all others. The rest share one name. */
const MOST_ALIKE = 64;
const ALIKE = `SELECT count(*) FROM (SELECT 1 FROM label WHERE hash = ? LIMIT ${MOST_ALIKE})`;
const OTHERS = 'other names';
const ADD_LABEL = 'INSERT INTO label VALUES (NULL, ?, ?) RETURNING id';
const FIND_SUBJECT = `SELECT id FROM subject WHERE ${SUBJECT_COLUMNS.map((name) => `${name} = ?`).join(' AND ')}`;
const ADD_SUBJECT = `INSERT INTO subject VALUES (?${', ?'.repeat(SUBJECT_COLUMNS.length)})`;
const FREE_SUBJECT =
  'SELECT id + 1 FROM subject AS taken WHERE NOT EXISTS (SELECT 1 FROM subject WHERE id = taken.id + 1) LIMIT 1';
const CACHE_SIZE = 16_384;
/** Number of no text. */
const NONE = 0;

/** Numbers of labels (texts) and subjects (combinations of facts), added when they are missing. Recently used ones are cached. */
export class HistoryDictionary {
  readonly #statements: Statements;
  readonly #labels = new Map<string, number>();
  readonly #subjects = new Map<string, number>();

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Number of a text, sanitised and cut at 512 units; 0 for no text. */
  label(text: string | null): number {
    if (text === null || text === '') return NONE;
    const known = this.#labels.get(text);
    if (known !== undefined) return known;
    const kept = sanitize(text);
    if (kept === '') return NONE;
    const id = this.find(kept) ?? this.#newLabel(kept);
    return kept === text ? remember(this.#labels, kept, id) : id;
  }

  /** Number of a text; null if it was never recorded. */
  find(text: string): number | null {
    return this.#statements.number(FIND_LABEL, [hashOf(text), text]);
  }

  subject(facts: SubjectFacts): number {
    const { container } = facts;
    const inside = container === null ? NO_CONTAINER : CONTAINER_COLUMNS.map((name) => this.label(container[name]));
    return this.subjectOf([...FACT_COLUMNS.map((name) => this.label(facts[name])), ...inside]);
  }

  /** Number of a combination of labels, in the order of `SUBJECT_COLUMNS`. */
  subjectOf(ids: readonly number[]): number {
    const key = ids.join();
    const known = this.#subjects.get(key);
    if (known !== undefined) return known;
    return remember(this.#subjects, key, this.#statements.number(FIND_SUBJECT, ids) ?? this.#newSubject(ids));
  }

  /** Empties the caches: after a rollback, or when rows were deleted. */
  forget(): void {
    this.#labels.clear();
    this.#subjects.clear();
  }

  #newLabel(text: string): number {
    const hash = hashOf(text);
    if (text !== OTHERS && this.#statements.number(ALIKE, [hash]) === MOST_ALIKE) return this.label(OTHERS);
    const id = this.#statements.number(ADD_LABEL, [hash, text]);
    if (id === null) throw new Error('a label was not added');
    return id;
  }

  /** Numbers go up; after the last one come those that retention has freed. */
  #newSubject(ids: readonly number[]): number {
    let id = (this.#statements.number('SELECT max(id) FROM subject') ?? 0) + 1;
    if (id >= SUBJECTS) id = this.#statements.number(FREE_SUBJECT) ?? SUBJECTS;
    if (id >= SUBJECTS) throw new Error('more combinations of apps and hosts than a history can number');
    this.#statements.run(ADD_SUBJECT, [id, ...ids]);
    return id;
  }
}

/** Adds to a cache, which starts again when it is full. */
function remember(map: Map<string, number>, key: string, id: number): number {
  if (map.size >= CACHE_SIZE) map.clear();
  map.set(key, id);
  return id;
}

/** FNV-1a over UTF-16 units, 32 bits, signed. The file stores it: it must not change. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}

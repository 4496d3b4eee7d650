// Recorded history as one SQLite database, in a file or in memory. It knows no paths, no clock and no threads.

import { randomInt } from 'node:crypto';
import type { Database, SqlValue, Statement } from 'sql.js';
import type { AlertQuery, RecordedAlert } from '../model/alert.ts';
import type { DnsQuery, RecordedDns } from '../model/dns.ts';
import { NetmonError, reasonOf } from '../model/errors.ts';
import type { ExportCursor } from '../model/export.ts';
import type { ExportQueue, UnsentPage } from '../model/export-batch.ts';
import type { BaselineQuery, HistoryQuery, HistoryResult, ReachedHost, SqlResult, TimeRange } from '../model/history.ts';
import type { HistoryBatch, LoggedFlow } from '../model/history-batch.ts';
import type { KnownBaseline } from '../model/watch.ts';
import { AlertTables } from './alerts.ts';
import { DnsTables } from './dns-tables.ts';
import { type Erasure, erase, erasureEnd } from './erasure.ts';
import { ExportTables } from './exports.ts';
import type { JournalRecord } from './journal/record.ts';
import { baselineOf } from './query/baseline.ts';
import {
  type FirstSeen,
  type FirstSeenQuery,
  type HistoryCursor,
  type HistoryPage,
  HistoryPages,
  type HistoryRecord,
  type KnownNames,
} from './query/pages.ts';
import { HistoryQueries } from './query/queries.ts';
import { UnsentRows } from './query/unsent.ts';
import { localZone, type ZoneOffset } from './query/zone.ts';
import { HistoryRetention, type RetentionTime, retentionClock } from './retention.ts';
import { createDatabase, HistoryMeta, openDatabase } from './schema.ts';
import type { DatabaseFile } from './sqljs/database-file.ts';
import type { SqlEngine } from './sqljs/engine.ts';
import { Statements } from './sqljs/statements.ts';
import { HistoryDictionary, HistoryWriter } from './writer.ts';

/** One history. The caller that made it closes it, and calls nothing after that. */
export class HistoryDatabase {
  readonly #database: Database;
  readonly #flush: (database: Database) => void;
  readonly #statements: Statements;
  readonly #meta: HistoryMeta;
  readonly #dictionary: HistoryDictionary;
  readonly #alerts: AlertTables;
  readonly #dns: DnsTables;
  readonly #exports: ExportTables;
  readonly #unsent: UnsentRows;
  readonly #writer: HistoryWriter;
  readonly #retention: HistoryRetention;
  readonly #queries: HistoryQueries;
  readonly #pages: HistoryPages;

  private constructor(database: Database, flush: (database: Database) => void) {
    this.#database = database;
    this.#flush = flush;
    this.#statements = new Statements(database);
    this.#meta = new HistoryMeta(this.#statements);
    this.#dictionary = new HistoryDictionary(this.#statements);
    this.#alerts = new AlertTables(this.#statements, this.#dictionary, this.#meta);
    this.#dns = new DnsTables(this.#statements, this.#dictionary, this.#meta);
    this.#exports = new ExportTables(this.#statements);
    this.#unsent = new UnsentRows(this.#statements, this.#exports, this.#alerts);
    this.#writer = new HistoryWriter(this.#statements, this.#dictionary, this.#meta, this.#exports);
    this.#retention = new HistoryRetention({
      statements: this.#statements,
      dictionary: this.#dictionary,
      meta: this.#meta,
      alerts: this.#alerts,
      dns: this.#dns,
      exports: this.#exports,
    });
    this.#queries = new HistoryQueries(this.#statements, this.#dictionary, this.#meta);
    this.#pages = new HistoryPages(this.#statements, this.#meta);
  }

  /** A new one in an empty file, or in memory. The file is the caller's to close. */
  static create(sql: SqlEngine, file: DatabaseFile | null = null): HistoryDatabase {
    return new HistoryDatabase(createDatabase(sql, file), (database) => {
      if (file !== null) sql.files.flush(database, file);
    });
  }

  /**
   * Checks a file, brings it to the version of this program and opens it. The file is the caller's to close.
   *
   * @throws HistoryFileError with `why`: broken, newer, not ours; or the failure of a system call
   */
  static open(sql: SqlEngine, file: DatabaseFile): HistoryDatabase {
    return new HistoryDatabase(openDatabase(sql, file), (database) => sql.files.flush(database, file));
  }

  /** Sequence number of the newest record inside. */
  get applied(): number {
    return this.#meta.get('applied') ?? 0;
  }

  /** A number that no other history has; null in a file that no save has marked yet. */
  get identity(): number | null {
    return this.#meta.get('identity');
  }

  /** Gives the history an identity unless it has one. @returns it */
  mark(): number {
    const identity = this.identity ?? randomInt(1, 2 ** 48 - 1);
    this.#transaction(() => this.#meta.set('identity', identity));
    return identity;
  }

  /** Advances the retention clock (see `retentionClock`); call it before anything new is booked. @returns its time, epoch ms */
  passTime(time: RetentionTime): number {
    const newest = this.#meta.newest;
    const clock = retentionClock(this.#meta.get('retention_clock'), newest === null ? null : newest * 60_000, time);
    this.#transaction(() => this.#meta.set('retention_clock', clock));
    return clock;
  }

  /** Books a batch, unless its sequence number is inside already. In memory, a batch that throws leaves nothing behind. */
  apply(sequence: number, batch: HistoryBatch): void {
    this.applyAll([{ sequence, batch }]);
  }

  /** Books many records in one transaction. A database in a file is lost if this throws. @returns how many were new */
  applyAll(records: Iterable<JournalRecord>): number {
    return this.#transaction(() => {
      let applied = 0;
      for (const { sequence, batch } of records) {
        if (sequence <= this.applied) continue;
        this.#writer.write(batch);
        if (batch.watch !== undefined) this.#alerts.write(batch.watch);
        if (batch.dns !== undefined) this.#dns.write(batch.dns);
        if (batch.exports !== undefined) this.#exports.write(batch.exports);
        this.#meta.set('applied', sequence);
        applied++;
      }
      return applied;
    });
  }

  /**
   * Does one step of retention: some tens of ms, and once a day a second for a large file.
   *
   * @param now epoch ms
   * @param old epoch ms by the retention clock
   * @returns true if there is more to do
   */
  prune(now: number, maxBytes: number, old = now): boolean {
    const step = this.#transaction(() => this.#retention.step(now, maxBytes, old));
    if (step === 'vacuum') this.#database.run('VACUUM');
    this.#queries.forget();
    return step !== 'done';
  }

  /** Deletes rows. Only the steps of `prune` after it remove the bytes from the file. */
  erase(erasure: Erasure): void {
    this.#transaction(() => {
      const end = erasure.before === null ? null : erasureEnd(erasure.before);
      this.#alerts.erase(erasure.app, end);
      this.#dns.erase(erasure.app, end);
      erase(this.#statements, this.#dictionary, this.#meta, erasure);
    });
    this.#queries.forget();
  }

  /** A consistent copy as an SQLite file. */
  image(): Uint8Array {
    return this.#database.export();
  }

  /** Size of the image. */
  get bytes(): number {
    return this.#statements.number('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size') ?? 0;
  }

  /**
   * Answers a query. Days and hours are those of `zone`, by default this machine's.
   *
   * @throws NetmonError `bad-filter`
   */
  query(query: HistoryQuery, zone: ZoneOffset = localZone): HistoryResult {
    return this.#queries.answer(query, zone);
  }

  /** Records of [from, to), epoch ms, in order of time; `cursor` is a page's `next`, null for the first. */
  records(from: number, to: number, rows: number, cursor: HistoryCursor | null = null): HistoryPage<HistoryRecord> {
    return this.#pages.records(from, to, rows, cursor);
  }

  /** Flows of the log that were open at some time of [from, to), epoch ms, in the order in which they closed. */
  flows(from: number, to: number, rows: number, cursor: HistoryCursor | null = null): HistoryPage<LoggedFlow> {
    return this.#pages.flows(from, to, rows, cursor);
  }

  /** When apps first reached domains, in order of time. */
  firstSeen(query: FirstSeenQuery): readonly FirstSeen[] {
    if (query.app === null) return this.#pages.firstSeen(query, null);
    const label = this.#dictionary.find(query.app);
    return label === null ? [] : this.#pages.firstSeen(query, label);
  }

  /** Apps and registrable domains that were ever recorded, `most` of each. */
  knownNames(most: number): KnownNames {
    return this.#pages.knownNames(most);
  }

  /** What apps reached on their own call within a range, in no order. */
  reached(range: TimeRange): readonly ReachedHost[] {
    return this.#queries.reached(range);
  }

  /** The newest alerts of a range, oldest first. */
  alerts(query: AlertQuery): readonly RecordedAlert[] {
    return this.#alerts.read(query);
  }

  /** What was asked of DNS in a range. */
  dns(query: DnsQuery): RecordedDns {
    return this.#dns.read(query);
  }

  /** How the queue of exports stands. @param run that asks; 0 for none */
  exportQueue(run = 0): ExportQueue {
    const { newest, marks } = this.#exports;
    const first = this.#exports.firstOf(run);
    const began = first === null ? null : { cut: first.number, minute: first.minute };
    return { newest: newest?.number ?? 0, minute: newest?.minute ?? null, marks, began };
  }

  /** At most `most` rows of a cut; null if that cut isn't there. */
  unsent(cursor: ExportCursor, most: number): UnsentPage | null {
    return this.#unsent.page(cursor, most, this.#meta.minutesFrom);
  }

  /** What each app has reached, and the most that it sent in an hour. Takes a second for a large file. */
  baseline(query: BaselineQuery): KnownBaseline {
    return baselineOf(this.#statements, this.#dictionary, this.#meta, query);
  }

  /**
   * Runs one statement of the user's that only reads. It limits the memory of all databases of the thread, for good. The owner of the thread
   * has to watch `limits.timeoutMs`.
   *
   * @throws NetmonError `usage`
   */
  sql(text: string, limits: SqlLimits): SqlResult {
    return runStatement(this.#database, text, limits);
  }

  /** Brings everything into the file. After it, only `close` may be called. @throws what writing the file fails with */
  flush(): void {
    this.#flush(this.#database);
  }

  /** Without `flush`, the file may have none or a part of the changes. */
  close(): void {
    this.#database.close();
  }

  #transaction<Result>(work: () => Result): Result {
    this.#database.run('BEGIN');
    try {
      const result = work();
      this.#database.run('COMMIT');
      return result;
    } catch (thrown) {
      this.#rollBack();
      throw thrown;
    }
  }

  #rollBack(): void {
    try {
      this.#database.run('ROLLBACK');
      this.#dictionary.forget();
      this.#exports.forget();
      this.#meta.reload();
    } catch {
      // a file can't be rolled back, and the first failure is the one to report
    }
  }
}

/** Characters of all cells of an answer; the rest is cut. */
const MOST_TEXT = 64 * 1024 * 1024;
/** Memory of all databases of the thread: a statement fails before the thread does. It can't be raised again, and only readers run statements. */
const MOST_MEMORY = 512 * 1024 * 1024;
const READING = new Set(['select', 'with', 'values', 'explain']);
const HINT = 'it reads only: SELECT ... FROM connections, flows, first_seen or alerts';

/** Bounds of a user's statement. */
export interface SqlLimits {
  readonly timeoutMs: number;
  readonly rows: number;
}

/** Three things keep it from writing: its first word, `query_only`, and that only one is run. @throws NetmonError `usage` for text without a statement, more than one, or one that would write */
function runStatement(database: Database, text: string, limits: SqlLimits): SqlResult {
  const word = /^[a-z]+/i.exec(withoutComments(text))?.[0].toLowerCase() ?? '';
  if (word === '') throw new NetmonError('usage', 'no SQL statement', HINT);
  if (!READING.has(word)) throw new NetmonError('usage', `${word.toUpperCase()} is refused`, HINT);
  database.run(`PRAGMA hard_heap_limit = ${MOST_MEMORY}; PRAGMA query_only = ON`);
  try {
    const statements = database.iterateStatements(text);
    const first = statements.next();
    if (first.done) throw new NetmonError('usage', 'no SQL statement', HINT);
    try {
      if (withoutComments(statements.getRemainingSQL()) !== '')
        throw new NetmonError('usage', 'more than one SQL statement', 'run them one by one');
      return rowsOf(first.value, limits.rows);
    } finally {
      first.value.free();
    }
  } catch (thrown) {
    if (thrown instanceof NetmonError) throw thrown;
    throw new NetmonError('usage', `SQL: ${reasonOf(thrown)}`, HINT, thrown);
  } finally {
    database.run('PRAGMA query_only = OFF');
  }
}

function rowsOf(statement: Statement, most: number): SqlResult {
  const columns = statement.getColumnNames();
  const rows: (string | number | null)[][] = [];
  let length = 0;
  while (statement.step()) {
    if (rows.length >= most || length > MOST_TEXT) return { columns, rows, cut: true };
    const row = statement.get().map(cellOf);
    for (const cell of row) length += typeof cell === 'string' ? cell.length : 8;
    rows.push(row);
  }
  return { columns, rows, cut: false };
}

function cellOf(value: SqlValue): string | number | null {
  return value instanceof Uint8Array ? Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('') : value;
}

/** Without the comments, blanks and semicolons that it begins with. */
function withoutComments(text: string): string {
  return text.replace(/^(?:\s|;|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))+/, '');
}

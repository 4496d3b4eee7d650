// HistoryDatabase: recorded history as one SQLite database in memory. No files, no clock, no threads: who holds it saves its image.

import type { Database, SqlJsStatic, Statement } from 'sql.js';
import type { HistoryBatch } from '../aggregate/history-batch.ts';
import type { HistoryQuery, HistoryResult } from '../net/history.ts';
import { HistoryDictionary } from './history-dictionary.ts';
import { HistoryMeta } from './history-meta.ts';
import { createDatabase, openDatabase } from './history-migrations.ts';
import { HistoryQueries } from './history-queries.ts';
import { HistoryWriter } from './history-writer.ts';
import { localZone, type ZoneOffset } from './zone.ts';

/** One history. Whoever made it closes it; nothing else may be called after that. */
export class HistoryDatabase {
  readonly #database: Database;
  readonly #meta: HistoryMeta;
  readonly #dictionary: HistoryDictionary;
  readonly #writer: HistoryWriter;
  readonly #queries: HistoryQueries;
  readonly #pages: Statement;

  private constructor(database: Database) {
    this.#database = database;
    this.#meta = new HistoryMeta(database);
    this.#dictionary = new HistoryDictionary(database);
    this.#writer = new HistoryWriter(database, this.#dictionary, this.#meta);
    this.#queries = new HistoryQueries(database, this.#meta);
    this.#pages = database.prepare('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size');
  }

  static create(sql: SqlJsStatic): HistoryDatabase {
    return new HistoryDatabase(createDatabase(sql));
  }

  /**
   * Checks an image, brings it to the version of this program and opens it. The image is copied.
   *
   * @throws HistoryFileError with `why`: broken, newer, not ours
   */
  static open(sql: SqlJsStatic, image: Uint8Array): HistoryDatabase {
    return new HistoryDatabase(openDatabase(sql, image));
  }

  /** Highest sequence number of the journal that is inside. */
  get applied(): number {
    return this.#meta.get('applied') ?? 0;
  }

  /** Books a batch; one whose sequence number is inside already is skipped. All of it or, where this throws, nothing. */
  apply(sequence: number, batch: HistoryBatch): void {
    if (sequence <= this.applied) return;
    this.#transaction(() => {
      this.#writer.write(batch);
      this.#meta.set('applied', sequence);
    });
  }

  /** The whole as an SQLite file: a consistent copy. */
  image(): Uint8Array {
    return this.#database.export();
  }

  /** Size of the image. */
  get bytes(): number {
    this.#pages.step();
    const bytes = Number(this.#pages.get()[0]);
    this.#pages.reset();
    return bytes;
  }

  /**
   * Answers a question. Days and hours are cut in `zone`, this machine's unless told otherwise.
   *
   * @throws NetmonError `bad-filter`
   */
  query(query: HistoryQuery, zone: ZoneOffset = localZone): HistoryResult {
    return this.#queries.answer(query, zone);
  }

  close(): void {
    this.#database.close();
  }

  #transaction(work: () => void): void {
    this.#database.run('BEGIN');
    try {
      work();
      this.#database.run('COMMIT');
    } catch (thrown) {
      this.#database.run('ROLLBACK');
      this.#dictionary.forget();
      this.#meta.reload();
      throw thrown;
    }
  }
}

// From an image to a database of the version that this program writes: what it is, whether it is whole, and the steps from older versions.

import type { Database, SqlJsStatic } from 'sql.js';
import { reasonOf } from '../errors.ts';
import { HistoryFileError } from './history-file-error.ts';
import { APPLICATION_ID, SCHEMA_VERSION, VERSION_1, VERSION_2 } from './history-schema.ts';

/** `STEPS[n]` leads from version n to n + 1; version 0 is the empty file. */
const STEPS: readonly string[] = [VERSION_1, VERSION_2];
const MAGIC = 'SQLite format 3\0';
/** Offsets in the file's header (sqlite.org/fileformat2.html, section 1.3). */
const HEADER = { bytes: 100, writeFormat: 18, readFormat: 19, userVersion: 60, applicationId: 68 } as const;
/**
 * Nobody but us reads or writes while it is open, so there are no locks. Journal and temporaries are files, of a file system in memory: unlike what
 * SQLite allocates itself, their memory is given back. The schema of a hostile file is not trusted.
 */
const PRAGMAS =
  'PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF;';

/** A new database of the current version, or of an older one where a test wants that. */
export function createDatabase(sql: SqlJsStatic, version: number = SCHEMA_VERSION): Database {
  const database = new sql.Database();
  database.run(`PRAGMA application_id = ${APPLICATION_ID}; ${PRAGMAS}`);
  migrate(database, 0, version);
  return database;
}

/** @throws HistoryFileError */
export function openDatabase(sql: SqlJsStatic, image: Uint8Array): Database {
  const version = versionOf(image);
  const database = new sql.Database(withoutWriteAhead(image));
  try {
    database.run(PRAGMAS);
    const verdict = String(database.exec('PRAGMA quick_check(1)')[0]?.values[0]?.[0]);
    if (verdict !== 'ok') throw new HistoryFileError('broken', `damaged: ${verdict}`);
    migrate(database, version, SCHEMA_VERSION);
    const missing = missingColumn(database, sql);
    if (missing !== null) throw new HistoryFileError('broken', `damaged: ${missing} is missing`);
    return database;
  } catch (thrown) {
    database.close();
    if (thrown instanceof HistoryFileError) throw thrown;
    throw new HistoryFileError('broken', `damaged: ${reasonOf(thrown)}`, thrown);
  }
}

/** Reads the header alone, so that another program's file is never opened, nor a version that we do not know. */
function versionOf(image: Uint8Array): number {
  if (image.length < HEADER.bytes || !MAGIC.split('').every((sign, i) => image[i] === sign.charCodeAt(0)))
    throw new HistoryFileError('not ours', 'not a history of netmon-tui');
  const header = new DataView(image.buffer, image.byteOffset, HEADER.bytes);
  if (header.getInt32(HEADER.applicationId) !== APPLICATION_ID)
    throw new HistoryFileError('not ours', "another program's database, not a history of netmon-tui");
  const version = header.getInt32(HEADER.userVersion);
  if (version > SCHEMA_VERSION)
    throw new HistoryFileError(
      'newer',
      `written by a newer netmon-tui: version ${version}, this one reads up to ${SCHEMA_VERSION}`,
    );
  if (version < 1) throw new HistoryFileError('broken', `damaged: version ${version}`);
  return version;
}

/** A file that its user has put into WAL mode can't be opened in memory; without its -wal file, which is no part of an image, it is complete. */
function withoutWriteAhead(image: Uint8Array): Uint8Array {
  if (image[HEADER.writeFormat] !== 2 && image[HEADER.readFormat] !== 2) return image;
  const copy = image.slice();
  copy[HEADER.writeFormat] = 1;
  copy[HEADER.readFormat] = 1;
  return copy;
}

function migrate(database: Database, from: number, to: number): void {
  if (from === to) return;
  database.run('BEGIN');
  for (const step of STEPS.slice(from, to)) database.run(step);
  database.run(`PRAGMA user_version = ${to}; COMMIT`);
}

/** Name of a column that a new file has and this one does not; what its user has added is theirs. */
function missingColumn(database: Database, sql: SqlJsStatic): string | null {
  const fresh = createDatabase(sql);
  const wanted = columnsOf(fresh);
  fresh.close();
  const present = new Set(columnsOf(database));
  return wanted.find((column) => !present.has(column)) ?? null;
}

function columnsOf(database: Database): string[] {
  const columns = 'SELECT made.name, col.name, col.type FROM sqlite_schema AS made, pragma_table_info(made.name) AS col';
  return (database.exec(columns)[0]?.values ?? []).map(([table, column, type]) => `${table}.${column} ${type}`.trim());
}

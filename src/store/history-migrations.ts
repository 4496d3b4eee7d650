// From an image to a database of the version that this program writes: what it is, whether it is whole, and the steps from older versions.

import type { Database } from 'sql.js';
import { reasonOf } from '../errors.ts';
import type { DatabaseFile } from './database-file.ts';
import { HistoryFileError } from './history-file-error.ts';
import { APPLICATION_ID, SCHEMA_VERSION, VERSION_1, VERSION_2 } from './history-schema.ts';
import type { SqlEngine } from './sql-engine.ts';

/** `STEPS[n]` leads from version n to n + 1; version 0 is the empty file. */
const STEPS: readonly string[] = [VERSION_1, VERSION_2];
const MAGIC = 'SQLite format 3\0';
/** Offsets in the file's header (sqlite.org/fileformat2.html, section 1.3). */
const HEADER = { bytes: 100, writeFormat: 18, userVersion: 60, applicationId: 68 } as const;
/**
 * Nobody but us reads or writes while it is open, so there are no locks, and who has it syncs. What changes a file is not journaled: where that
 * fails, the file is given up, for it is a copy that nobody saw, or what was read of one. The schema of a hostile file is not trusted.
 */
const PRAGMAS = 'PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF;';
const JOURNAL = { memory: 'PRAGMA journal_mode = TRUNCATE;', file: 'PRAGMA journal_mode = OFF;' } as const;

/** A new database in an empty file, or in memory; of the current version, or of an older one where a test wants that. */
export function createDatabase(sql: SqlEngine, file: DatabaseFile | null = null, version: number = SCHEMA_VERSION): Database {
  const database = file === null ? new sql.Database() : sql.files.open(sql, file);
  database.run(`PRAGMA application_id = ${APPLICATION_ID}; ${JOURNAL[file === null ? 'memory' : 'file']} ${PRAGMAS}`);
  migrate(database, 0, version);
  return database;
}

/** @throws HistoryFileError, or what reading the file failed with */
export function openDatabase(sql: SqlEngine, file: DatabaseFile): Database {
  const version = versionOf(file);
  withoutWriteAhead(file);
  const database = sql.files.open(sql, file);
  try {
    database.run(JOURNAL.file + PRAGMAS);
    const verdict = String(database.exec('PRAGMA quick_check(1)')[0]?.values[0]?.[0]);
    if (verdict !== 'ok') throw new HistoryFileError('broken', `damaged: ${verdict}`);
    migrate(database, version, SCHEMA_VERSION);
    const missing = missingColumn(database, sql);
    if (missing !== null) throw new HistoryFileError('broken', `damaged: ${missing} is missing`);
    return database;
  } catch (thrown) {
    database.close();
    if (file.failure !== null) throw file.failure; // a disk that fails is no damaged file
    if (thrown instanceof HistoryFileError) throw thrown;
    throw new HistoryFileError('broken', `damaged: ${reasonOf(thrown)}`, thrown);
  }
}

/** Reads the header alone, so that another program's file is never opened, nor a version that we do not know. */
function versionOf(file: DatabaseFile): number {
  const bytes = new Uint8Array(HEADER.bytes);
  const length = file.read(bytes, 0);
  if (length < HEADER.bytes || !MAGIC.split('').every((sign, i) => bytes[i] === sign.charCodeAt(0)))
    throw new HistoryFileError('not ours', 'not a history of netmon-tui');
  const header = new DataView(bytes.buffer);
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

/** A file that its user has put into WAL mode can't be opened without shared memory; without its -wal file, which is no part of it, it is complete. */
function withoutWriteAhead(file: DatabaseFile): void {
  const formats = new Uint8Array(2);
  file.read(formats, HEADER.writeFormat);
  if (formats.includes(2)) file.write(Uint8Array.of(1, 1), HEADER.writeFormat);
}

function migrate(database: Database, from: number, to: number): void {
  if (from === to) return;
  database.run('BEGIN');
  for (const step of STEPS.slice(from, to)) database.run(step);
  database.run(`PRAGMA user_version = ${to}; COMMIT`);
}

/** Name of a column that a new file has and this one does not; what its user has added is theirs. */
function missingColumn(database: Database, sql: SqlEngine): string | null {
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

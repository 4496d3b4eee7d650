// The history file: its tables and views, opening and migrating it, and the numbers that it keeps about itself.

import type { Database } from 'sql.js';
import { reasonOf } from '../model/errors.ts';
import { HistoryFileError } from './files.ts';
import type { DatabaseFile } from './sqljs/database-file.ts';
import type { SqlEngine } from './sqljs/engine.ts';
import type { Statements } from './sqljs/statements.ts';

/** `PRAGMA application_id` of a history file: "nmon". */
const APPLICATION_ID = 0x6e6d6f6e;
/** `PRAGMA user_version` that this program writes. */
export const SCHEMA_VERSION = 5;

/**
 * A record's id is its bucket times this, plus its subject. With 2^22, minutes of today stay within 2^53:
 *
 *     bucket (minutes, hours or days since the epoch), 31 bits | subject, 22 bits
 */
export const SUBJECTS = 4_194_304;
/** Bits of an id that are the subject. */
const SUBJECT_BITS = 22;
/** `id & SUBJECT_MASK` is the subject. */
export const SUBJECT_MASK = SUBJECTS - 1;

/** The three tables of records, finest first, and the minutes that a record of each sums. */
const TIERS = { minute: 1, hour: 60, day: 1440 } as const;
/** Name of one of them. */
export type TierTable = keyof typeof TIERS;

/** True of a row that corrections have reduced to nothing. */
export const EMPTY = 'rx = 0 AND tx = 0 AND rx_packets = 0 AND tx_packets = 0 AND flows = 0';

/** The bucket of an id: minutes, hours or days since the epoch. */
export function bucketOf(id: number): number {
  return Math.floor(id / SUBJECTS);
}

/** Minutes that a record of a table sums. */
export function minutesOf(table: TierTable): number {
  return TIERS[table];
}

/** A damaged or forged row can make a sum beyond 2^63, which becomes a real number: the cast makes it the largest integer. */
export const sum = (column: string): string => `${column} = CAST(${column} + excluded.${column} AS INTEGER)`;
const addTo = (table: TierTable): string =>
  `INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET ${['rx', 'tx', 'rx_packets', 'tx_packets', 'flows'].map(sum).join(', ')}`;

/** Statements that add to a record, or insert it: id, rx, tx, rx_packets, tx_packets, flows. */
export const ADD_TO: Readonly<Record<TierTable, string>> = { minute: addTo('minute'), hour: addTo('hour'), day: addTo('day') };

const rollup = (table: TierTable): string => `
CREATE TABLE ${table} (
  id INTEGER PRIMARY KEY, -- (${table}s since 1970-01-01 UTC << ${SUBJECT_BITS}) | subject
  rx INTEGER NOT NULL, -- bytes
  tx INTEGER NOT NULL,
  rx_packets INTEGER NOT NULL,
  tx_packets INTEGER NOT NULL,
  flows INTEGER NOT NULL -- that began
) STRICT;`;

/**
 * Version 1. Every text is kept once, in `label`; 0 stands for none. A record needs one key and no index: its id orders records by time,
 * then by subject, and makes a record an eighth smaller than a key of two columns does.
 */
const VERSION_1 = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('applied', 0), ('minutes_from', 0), ('hours_from', 0), ('unlogged', 0);
CREATE TABLE label (
  id INTEGER PRIMARY KEY,
  hash INTEGER NOT NULL, -- FNV-1a, 32 bits, of the text's UTF-16 units: an index of texts would keep them twice
  text TEXT NOT NULL
) STRICT;
CREATE INDEX label_hash ON label (hash);
CREATE TABLE subject (
  id INTEGER PRIMARY KEY,
  app INTEGER NOT NULL, -- this and the following: label.id, 0 is none
  reason INTEGER NOT NULL, -- why there is no app
  exe INTEGER NOT NULL,
  host INTEGER NOT NULL,
  domain INTEGER NOT NULL,
  category INTEGER NOT NULL,
  interface INTEGER NOT NULL,
  protocol INTEGER NOT NULL,
  direction INTEGER NOT NULL
) STRICT;
CREATE INDEX subject_key ON subject (domain, host);
${rollup('minute')}${rollup('hour')}${rollup('day')}
CREATE TABLE flow (
  id INTEGER PRIMARY KEY, -- in the order in which they closed
  start INTEGER NOT NULL, -- ms since 1970-01-01 UTC
  duration INTEGER NOT NULL, -- ms
  subject INTEGER NOT NULL,
  local INTEGER NOT NULL, -- label.id
  local_port INTEGER NOT NULL,
  remote INTEGER NOT NULL, -- label.id
  remote_port INTEGER NOT NULL,
  pid INTEGER,
  attribution INTEGER NOT NULL, -- label.id
  name_source INTEGER NOT NULL, -- label.id
  application INTEGER NOT NULL, -- label.id
  rx INTEGER NOT NULL,
  tx INTEGER NOT NULL,
  rx_packets INTEGER NOT NULL,
  tx_packets INTEGER NOT NULL
) STRICT;
-- Each range in the finest table that has all of it: days, then hours from meta's hours_from, then minutes from minutes_from.
CREATE VIEW record AS
SELECT (id >> 22) * 86400 AS time, 86400 AS span, id & 4194303 AS subject, rx, tx, rx_packets, tx_packets, flows FROM day
  WHERE id < (SELECT value / 24 << 22 FROM meta WHERE key = 'hours_from')
UNION ALL
SELECT (id >> 22) * 3600, 3600, id & 4194303, rx, tx, rx_packets, tx_packets, flows FROM hour
  WHERE id >= (SELECT value << 22 FROM meta WHERE key = 'hours_from')
    AND id < (SELECT value / 60 << 22 FROM meta WHERE key = 'minutes_from')
UNION ALL
SELECT (id >> 22) * 60, 60, id & 4194303, rx, tx, rx_packets, tx_packets, flows FROM minute
  WHERE id >= (SELECT value << 22 FROM meta WHERE key = 'minutes_from');
CREATE VIEW connections AS
SELECT
  strftime('%Y-%m-%dT%H:%M:%SZ', moved.time, 'unixepoch') AS time,
  (SELECT text FROM label WHERE id = subject.app) AS app_name,
  (SELECT text FROM label WHERE id = subject.exe) AS process,
  (SELECT text FROM label WHERE id = subject.host) AS hostname,
  (SELECT text FROM label WHERE id = subject.domain) AS domain,
  (SELECT text FROM label WHERE id = subject.category) AS category,
  (SELECT text FROM label WHERE id = subject.protocol) AS protocol,
  CASE moved.sent WHEN 1 THEN 'outbound' ELSE 'inbound' END AS direction,
  moved.bytes AS packet_size,
  moved.packets AS packets
FROM (
  SELECT time, subject, 0 AS sent, rx AS bytes, rx_packets AS packets FROM record WHERE rx <> 0 OR rx_packets <> 0
  UNION ALL
  SELECT time, subject, 1, tx, tx_packets FROM record WHERE tx <> 0 OR tx_packets <> 0
) AS moved CROSS JOIN subject ON subject.id = moved.subject;
CREATE VIEW flows AS
SELECT
  strftime('%Y-%m-%dT%H:%M:%fZ', flow.start / 1000.0, 'unixepoch') AS start,
  strftime('%Y-%m-%dT%H:%M:%fZ', (flow.start + flow.duration) / 1000.0, 'unixepoch') AS end,
  (SELECT text FROM label WHERE id = subject.app) AS app_name,
  (SELECT text FROM label WHERE id = subject.reason) AS reason,
  (SELECT text FROM label WHERE id = subject.exe) AS process,
  flow.pid AS pid,
  (SELECT text FROM label WHERE id = flow.attribution) AS attribution,
  (SELECT text FROM label WHERE id = subject.protocol) AS protocol,
  (SELECT text FROM label WHERE id = subject.direction) AS direction,
  (SELECT text FROM label WHERE id = subject.interface) AS interface,
  (SELECT text FROM label WHERE id = flow.local) AS local_address,
  flow.local_port AS local_port,
  (SELECT text FROM label WHERE id = flow.remote) AS remote_address,
  flow.remote_port AS remote_port,
  (SELECT text FROM label WHERE id = subject.host) AS hostname,
  (SELECT text FROM label WHERE id = flow.name_source) AS name_source,
  (SELECT text FROM label WHERE id = subject.domain) AS domain,
  (SELECT text FROM label WHERE id = flow.application) AS application,
  (SELECT text FROM label WHERE id = subject.category) AS category,
  flow.rx AS rx_bytes,
  flow.tx AS tx_bytes,
  flow.rx_packets AS rx_packets,
  flow.tx_packets AS tx_packets
FROM flow CROSS JOIN subject ON subject.id = flow.subject;
`;

/** Version 2: when each app first reached each domain, filled from the records that version 1 had. */
const VERSION_2 = `
CREATE TABLE contact (
  app INTEGER NOT NULL, -- label.id
  domain INTEGER NOT NULL, -- label.id
  minute INTEGER NOT NULL, -- since 1970-01-01 UTC
  PRIMARY KEY (app, domain)
) STRICT, WITHOUT ROWID;
INSERT INTO contact
SELECT subject.app, subject.domain, min(record.time) / 60 FROM record JOIN subject ON subject.id = record.subject
WHERE subject.app <> 0 AND subject.domain <> 0 GROUP BY subject.app, subject.domain;
CREATE VIEW first_seen AS
SELECT app.text AS app_name, domain.text AS domain, strftime('%Y-%m-%dT%H:%M:%SZ', contact.minute * 60, 'unixepoch') AS time
FROM contact JOIN label AS app ON app.id = contact.app JOIN label AS domain ON domain.id = contact.domain;
`;

/** Version 3: alerts, and what an app first reached beyond domains. Alerts keep their texts themselves: hardly any comes twice. */
const VERSION_3 = `
CREATE TABLE reached (
  app INTEGER NOT NULL, -- label.id
  kind INTEGER NOT NULL, -- 0 country, 1 network, 2 inbound
  name INTEGER NOT NULL, -- label.id
  minute INTEGER NOT NULL, -- since 1970-01-01 UTC
  PRIMARY KEY (app, kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE alert (
  number INTEGER PRIMARY KEY, -- in the order in which they were recorded
  id TEXT NOT NULL UNIQUE,
  time INTEGER NOT NULL, -- ms since 1970-01-01 UTC
  kind TEXT NOT NULL,
  severity TEXT NOT NULL,
  app TEXT,
  exe TEXT,
  pid INTEGER,
  user TEXT,
  host TEXT,
  domain TEXT,
  text TEXT NOT NULL,
  details TEXT NOT NULL, -- lines
  evidence TEXT,
  held TEXT -- why it was not delivered
) STRICT;
CREATE TABLE delivery (
  alert TEXT NOT NULL, -- alert.id
  sink TEXT NOT NULL,
  time INTEGER NOT NULL, -- ms since 1970-01-01 UTC
  failure TEXT,
  PRIMARY KEY (alert, sink)
) STRICT, WITHOUT ROWID;
CREATE VIEW alerts AS
SELECT
  strftime('%Y-%m-%dT%H:%M:%fZ', alert.time / 1000.0, 'unixepoch') AS time,
  alert.kind AS kind, alert.severity AS severity, alert.text AS text,
  alert.app AS app_name, alert.exe AS process, alert.pid AS pid, alert.user AS user,
  alert.host AS hostname, alert.domain AS domain, alert.details AS details, alert.evidence AS evidence, alert.held AS held,
  (SELECT group_concat(sink, ', ') FROM delivery WHERE delivery.alert = alert.id AND failure IS NULL) AS delivered,
  (SELECT group_concat(sink || ': ' || failure, '; ') FROM delivery WHERE delivery.alert = alert.id) AS failures,
  alert.id AS id
FROM alert;
CREATE VIEW first_reached AS
SELECT app.text AS app_name, CASE reached.kind WHEN 0 THEN 'country' WHEN 1 THEN 'network' ELSE 'inbound' END AS kind,
  name.text AS name, strftime('%Y-%m-%dT%H:%M:%SZ', reached.minute * 60, 'unixepoch') AS time
FROM reached JOIN label AS app ON app.id = reached.app JOIN label AS name ON name.id = reached.name;
`;

/** Version 4: questions of DNS. */
const VERSION_4 = `
CREATE TABLE question (
  id INTEGER PRIMARY KEY, -- in the order in which they ended
  time INTEGER NOT NULL, -- ms since 1970-01-01 UTC, when it was asked
  name INTEGER NOT NULL, -- this and the following: label.id, 0 is none
  domain INTEGER NOT NULL,
  type INTEGER NOT NULL,
  app INTEGER NOT NULL,
  pid INTEGER,
  reason INTEGER NOT NULL, -- label.id: why there is no app
  behalf INTEGER NOT NULL, -- label.id: the app for which a resolver asked
  resolver INTEGER NOT NULL, -- label.id
  port INTEGER NOT NULL,
  transport INTEGER NOT NULL, -- 0 udp, 1 tcp, 2 mdns, 3 llmnr
  interface INTEGER NOT NULL, -- label.id
  direction INTEGER NOT NULL, -- 0 outbound, 1 inbound, 2 local, 3 transit
  result INTEGER NOT NULL, -- label.id
  answers TEXT NOT NULL, -- lines
  answer_count INTEGER NOT NULL,
  took INTEGER, -- microseconds; none without an answer
  tries INTEGER NOT NULL
) STRICT;
CREATE INDEX question_time ON question (time);
CREATE VIEW dns AS
SELECT
  strftime('%Y-%m-%dT%H:%M:%fZ', question.time / 1000.0, 'unixepoch') AS time,
  (SELECT text FROM label WHERE id = CASE question.behalf WHEN 0 THEN question.app ELSE question.behalf END) AS app_name,
  (SELECT text FROM label WHERE id = question.app) AS asked_by,
  question.pid AS pid,
  (SELECT text FROM label WHERE id = question.reason) AS reason,
  (SELECT text FROM label WHERE id = question.name) AS name,
  (SELECT text FROM label WHERE id = question.domain) AS domain,
  (SELECT text FROM label WHERE id = question.type) AS record_type,
  (SELECT text FROM label WHERE id = question.result) AS result,
  replace(question.answers, char(10), ' ') AS answers,
  question.answer_count AS answer_count,
  question.took / 1000.0 AS took_ms,
  question.tries AS tries,
  (SELECT text FROM label WHERE id = question.resolver) AS resolver,
  question.port AS port,
  CASE question.transport WHEN 0 THEN 'udp' WHEN 1 THEN 'tcp' WHEN 2 THEN 'mdns' ELSE 'llmnr' END AS transport,
  (SELECT text FROM label WHERE id = question.interface) AS interface,
  CASE question.direction WHEN 0 THEN 'outbound' WHEN 1 THEN 'inbound' WHEN 2 THEN 'local' ELSE 'transit' END AS direction
FROM question;
`;

/** Columns of `subject` that say in which container a process ran. */
export const CONTAINER_COLUMNS = ['container', 'image', 'pod', 'namespace', 'project'] as const;
const containerTexts = CONTAINER_COLUMNS.map((name) => `(SELECT text FROM label WHERE id = subject.${name}) AS ${name}`).join(
  ',\n  ',
);

/** Version 5: encrypted DNS, of which only the traffic is known; containers, and users of connections, which the views have after the columns that they had. */
const VERSION_5 = `
CREATE TABLE encrypted (
  minute INTEGER NOT NULL, -- since 1970-01-01 UTC
  app INTEGER NOT NULL, -- label.id, 0 is none
  reason INTEGER NOT NULL, -- label.id: why there is no app
  host INTEGER NOT NULL, -- label.id: name or address of the resolver
  transport INTEGER NOT NULL, -- 0 tls, 1 https, 2 quic
  connections INTEGER NOT NULL, -- that began
  rx INTEGER NOT NULL, -- bytes
  tx INTEGER NOT NULL,
  PRIMARY KEY (minute, app, reason, host, transport)
) STRICT, WITHOUT ROWID;
CREATE VIEW encrypted_dns AS
SELECT
  strftime('%Y-%m-%dT%H:%M:%SZ', encrypted.minute * 60, 'unixepoch') AS time,
  (SELECT text FROM label WHERE id = encrypted.app) AS app_name,
  (SELECT text FROM label WHERE id = encrypted.reason) AS reason,
  (SELECT text FROM label WHERE id = encrypted.host) AS resolver,
  CASE encrypted.transport WHEN 0 THEN 'tls' WHEN 1 THEN 'https' ELSE 'quic' END AS transport,
  encrypted.connections AS connections,
  encrypted.rx AS rx_bytes,
  encrypted.tx AS tx_bytes
FROM encrypted;
${CONTAINER_COLUMNS.map((name) => `ALTER TABLE subject ADD COLUMN ${name} INTEGER NOT NULL DEFAULT 0; -- label.id`).join('\n')}
ALTER TABLE flow ADD COLUMN user INTEGER NOT NULL DEFAULT 0; -- label.id
DROP VIEW connections;
${withContainers(viewOf('connections'), '\nFROM (')}
DROP VIEW flows;
${withContainers(viewOf('flows'), '\nFROM flow ').replace('\nFROM flow ', ',\n  (SELECT text FROM label WHERE id = flow.user) AS user\nFROM flow ')}
`;

/** The statement of version 1 that makes a view. */
function viewOf(name: string): string {
  const from = VERSION_1.indexOf(`CREATE VIEW ${name} AS`);
  return VERSION_1.slice(from, VERSION_1.indexOf(';', from) + 1);
}

/** Adds the container's columns to a view's, before `from`. */
function withContainers(view: string, from: string): string {
  return view.replace(from, `,\n  ${containerTexts}${from}`);
}

/** The queue of exports, of version 5, too. */
const EXPORT_QUEUE = `
CREATE TABLE cut (
  number INTEGER PRIMARY KEY, -- in the order in which they were made
  run INTEGER NOT NULL, -- random number of the run that made it
  minute INTEGER NOT NULL, -- this and the following: the last one inside
  flow INTEGER NOT NULL,
  alert INTEGER NOT NULL
) STRICT;
CREATE TABLE late (
  cut INTEGER NOT NULL, -- with which it is sent
  id INTEGER NOT NULL, -- of a record of \`minute\` that an earlier cut has; the record contains this change
  rx INTEGER NOT NULL,
  tx INTEGER NOT NULL,
  rx_packets INTEGER NOT NULL,
  tx_packets INTEGER NOT NULL,
  flows INTEGER NOT NULL,
  PRIMARY KEY (cut, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX late_id ON late (id);
CREATE TABLE mark (
  engine TEXT PRIMARY KEY,
  cut INTEGER NOT NULL, -- it has all before this one,
  section INTEGER NOT NULL, -- and of this one all before this part,
  after INTEGER NOT NULL -- and of this part everything up to this
) STRICT, WITHOUT ROWID;
`;

/** `STEPS[n]` leads from version n to n + 1; version 0 is the empty file. */
const STEPS: readonly string[] = [VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5 + EXPORT_QUEUE];
const MAGIC = 'SQLite format 3\0';
/** Offsets in the file's header (sqlite.org/fileformat2.html, section 1.3). */
const HEADER = { bytes: 100, writeFormat: 18, userVersion: 60, applicationId: 68 } as const;
/**
 * Nobody else uses the file while it is open: it needs no locks, and its owner syncs it. It needs no rollback journal either: if a change fails,
 * the file is thrown away, for it is FILE.new or an overlay. The schema of a hostile file is not trusted.
 */
const PRAGMAS = 'PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF;';
const JOURNAL = { memory: 'PRAGMA journal_mode = TRUNCATE;', file: 'PRAGMA journal_mode = OFF;' } as const;

/** Creates a database in an empty file, or in memory. @param version an older one in tests */
export function createDatabase(sql: SqlEngine, file: DatabaseFile | null = null, version: number = SCHEMA_VERSION): Database {
  const database = file === null ? new sql.Database() : sql.files.open(sql, file);
  database.run(`PRAGMA application_id = ${APPLICATION_ID}; ${JOURNAL[file === null ? 'memory' : 'file']} ${PRAGMAS}`);
  migrate(database, 0, version);
  return database;
}

/** Opens a database, checks that it is ours and whole, and migrates it. @throws HistoryFileError, or what reading the file failed with */
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
    if (file.failure !== null) throw file.failure; // the disk failed: the file may be fine
    if (thrown instanceof HistoryFileError) throw thrown;
    throw new HistoryFileError('broken', `damaged: ${reasonOf(thrown)}`, thrown);
  }
}

/** Reads the version from the header alone: SQLite never opens another program's file, nor a version that we don't know. */
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

/** Takes a file out of WAL mode, if a user has put it there: it would need shared memory. Without a -wal file, it is complete. */
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

/** A column that a new file has and this one lacks; null for none. Columns that a user has added do no harm. */
function missingColumn(database: Database, sql: SqlEngine): string | null {
  const empty = createDatabase(sql);
  const wanted = columnsOf(empty);
  empty.close();
  const present = new Set(columnsOf(database));
  return wanted.find((column) => !present.has(column)) ?? null;
}

function columnsOf(database: Database): string[] {
  const columns = 'SELECT made.name, col.name, col.type FROM sqlite_schema AS made, pragma_table_info(made.name) AS col';
  return (database.exec(columns)[0]?.values ?? []).map(([table, column, type]) => `${table}.${column} ${type}`.trim());
}

/**
 * `applied`: sequence number of the newest record; `minutes_from`, `hours_from`: in minutes and in hours; `oldest`, `newest`: minutes; `unlogged`: flows that the log
 * lacks; `swept`: day of the last sweep; `fold_level`, `fold_day`: how far hosts of old days are merged; `identity`: a random number that tells one history from another;
 * `retention_clock`: ms since the epoch, see `retentionClock`; `reached_from`: minute of the first row of `reached`; `questions_missed`: questions of DNS that are
 * not in the table.
 */
type MetaKey =
  | 'applied'
  | 'minutes_from'
  | 'hours_from'
  | 'oldest'
  | 'newest'
  | 'unlogged'
  | 'swept'
  | 'fold_level'
  | 'fold_day'
  | 'identity'
  | 'retention_clock'
  | 'reached_from'
  | 'questions_missed';

/** Times end with those of Date (ECMA-262, 21.4.1.1). */
const LAST_MS = 8.64e15;
/** The largest plausible value of each. */
const MOST: Readonly<Record<MetaKey, number>> = {
  applied: Number.MAX_SAFE_INTEGER,
  minutes_from: LAST_MS / 60_000,
  hours_from: LAST_MS / 3_600_000,
  oldest: LAST_MS / 60_000,
  newest: LAST_MS / 60_000,
  unlogged: Number.MAX_SAFE_INTEGER,
  swept: LAST_MS / 86_400_000,
  fold_level: 1000,
  fold_day: LAST_MS / 86_400_000,
  identity: Number.MAX_SAFE_INTEGER,
  retention_clock: LAST_MS,
  reached_from: LAST_MS / 60_000,
  questions_missed: Number.MAX_SAFE_INTEGER,
};

/** Numbers that a history keeps about itself, in memory and in the table `meta`. The caller provides the transaction; after a rollback, `reload`. */
export class HistoryMeta {
  readonly #statements: Statements;
  readonly #values = new Map<string, number>();

  constructor(statements: Statements) {
    this.#statements = statements;
    this.reload();
  }

  get(key: MetaKey): number | null {
    return this.#values.get(key) ?? null;
  }

  set(key: MetaKey, value: number): void {
    if (this.#values.get(key) === value) return;
    this.#statements.run('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', [key, value]);
    this.#values.set(key, value);
  }

  reload(): void {
    this.#values.clear();
    for (const [key, value] of this.#statements.rows<[string, number]>('SELECT key, value FROM meta', []))
      if (value >= 0 && value <= (MOST[key as MetaKey] ?? 0)) this.#values.set(key, value); // the file may be forged
  }

  /** Minutes are complete from this minute on, the first of an hour. */
  get minutesFrom(): number {
    return this.get('minutes_from') ?? 0;
  }

  /** Hours are complete from this hour on, the first of a day (UTC). */
  get hoursFrom(): number {
    return this.get('hours_from') ?? 0;
  }

  /** First and last minute of all that is recorded; null for nothing. */
  get oldest(): number | null {
    return this.get('oldest');
  }

  get newest(): number | null {
    return this.get('newest');
  }
}

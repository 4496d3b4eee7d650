// The layout of the history file: tables, views, numbers that mark the file as ours. Text only; `history-migrations` runs it.

/** `PRAGMA application_id` of a history file: "nmon". */
export const APPLICATION_ID = 0x6e6d6f6e;
/** `PRAGMA user_version` that this program writes. */
export const SCHEMA_VERSION = 2;

/** A record's id is its bucket times this, plus its subject. 2^22: a minute of our times stays within 2^53. */
export const SUBJECTS = 4_194_304;
/** Bits of an id that are the subject. */
const SUBJECT_BITS = 22;
/** `id & SUBJECT_MASK` is the subject. */
export const SUBJECT_MASK = SUBJECTS - 1;

/** The three tables of records, finest first, and the minutes that a record of each sums. */
const TIERS = { minute: 1, hour: 60, day: 1440 } as const;
/** Name of one of them. */
export type TierTable = keyof typeof TIERS;

/** Holds for a row that corrections have brought to nothing. */
export const EMPTY = 'rx = 0 AND tx = 0 AND rx_packets = 0 AND tx_packets = 0 AND flows = 0';
/** Minutes, hours or days since the epoch that an id is of. */
export function bucketOf(id: number): number {
  return Math.floor(id / SUBJECTS);
}

/** Minutes that a record of a table sums. */
export function minutesOf(table: TierTable): number {
  return TIERS[table];
}

/** A sum beyond 2^63, which only a damaged or forged row makes, becomes a real number: cast, it stays the largest integer. */
const sum = (column: string): string => `${column} = CAST(${column} + excluded.${column} AS INTEGER)`;
const addTo = (table: TierTable): string =>
  `INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET ${['rx', 'tx', 'rx_packets', 'tx_packets', 'flows'].map(sum).join(', ')}`;

/** Statements that add a record to what its table has already: id, rx, tx, rx_packets, tx_packets, flows. */
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
export const VERSION_1 = `
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
-- Each stretch in the finest table that has all of it: days, then hours from meta's hours_from, then minutes from minutes_from.
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

/** Version 2: when each app first reached each domain, read for a start from the records that version 1 had. */
export const VERSION_2 = `
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

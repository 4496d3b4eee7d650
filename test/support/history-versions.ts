// Files as older versions of the program wrote them, built from text that must never change: they lie on users' disks.

import type { SqlEngine } from '../../src/history/sqljs/engine.ts';

const VERSION_1 = `CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
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

CREATE TABLE minute (
  id INTEGER PRIMARY KEY, -- (minutes since 1970-01-01 UTC << 22) | subject
  rx INTEGER NOT NULL, -- bytes
  tx INTEGER NOT NULL,
  rx_packets INTEGER NOT NULL,
  tx_packets INTEGER NOT NULL,
  flows INTEGER NOT NULL -- that began
) STRICT;
CREATE TABLE hour (
  id INTEGER PRIMARY KEY, -- (hours since 1970-01-01 UTC << 22) | subject
  rx INTEGER NOT NULL, -- bytes
  tx INTEGER NOT NULL,
  rx_packets INTEGER NOT NULL,
  tx_packets INTEGER NOT NULL,
  flows INTEGER NOT NULL -- that began
) STRICT;
CREATE TABLE day (
  id INTEGER PRIMARY KEY, -- (days since 1970-01-01 UTC << 22) | subject
  rx INTEGER NOT NULL, -- bytes
  tx INTEGER NOT NULL,
  rx_packets INTEGER NOT NULL,
  tx_packets INTEGER NOT NULL,
  flows INTEGER NOT NULL -- that began
) STRICT;
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
INSERT INTO label VALUES (1, -1799806693, 'curl'), (2, 1631156741, '/usr/bin/curl'), (3, -2008637493, 'www.example.com'), (4, 1125968678, 'example.com'), (5, 265927825, 'web'), (6, 1739691812, 'eth0'),
  (7, -1628259696, 'tcp'), (8, -1546472083, 'outbound'), (9, 26741394, 'wget'), (10, 1485178027, 'forwarded');
INSERT INTO subject VALUES (1, 1, 0, 2, 3, 4, 5, 6, 7, 8), (2, 9, 0, 0, 3, 4, 5, 6, 7, 8), (3, 0, 10, 0, 0, 0, 0, 6, 7, 8);
-- Days 20750 and 20758 are kept by the day; hours from day 20759 on, minutes from its second hour on.
UPDATE meta SET value = 7 WHERE key = 'applied';
UPDATE meta SET value = 20759 * 24 WHERE key = 'hours_from';
UPDATE meta SET value = (20759 * 24 + 2) * 60 WHERE key = 'minutes_from';
INSERT INTO meta VALUES ('oldest', 20750 * 1440 + 33), ('newest', (20759 * 24 + 3) * 60 + 5);
INSERT INTO day VALUES (20750 << 22 | 1, 1000, 10, 2, 1, 1), (20758 << 22 | 1, 300, 3, 1, 1, 0), (20758 << 22 | 2, 70, 0, 1, 0, 1),
  (20759 << 22 | 1, 25, 5, 3, 2, 1), (20759 << 22 | 3, 8, 0, 1, 0, 0);
INSERT INTO hour VALUES ((20759 * 24 + 1) << 22 | 1, 20, 5, 2, 2, 1), ((20759 * 24 + 3) << 22 | 1, 5, 0, 1, 0, 0), ((20759 * 24 + 3) << 22 | 3, 8, 0, 1, 0, 0);
INSERT INTO minute VALUES (((20759 * 24 + 3) * 60 + 5) << 22 | 1, 5, 0, 1, 0, 0), (((20759 * 24 + 3) * 60 + 5) << 22 | 3, 8, 0, 1, 0, 0);
`;

const VERSION_2 = `CREATE TABLE contact (
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

const VERSION_3 = `CREATE TABLE reached (
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

const VERSION_4 = `CREATE TABLE question (
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

/** Every version that a user may have a file of but the newest, by number: its image. */
export const OLDER_VERSIONS: Readonly<Record<number, (sql: SqlEngine) => Uint8Array>> = {
  1: (sql) => imageOf(sql, 1, VERSION_1),
  2: (sql) => imageOf(sql, 2, VERSION_1 + VERSION_2),
  3: (sql) => imageOf(sql, 3, VERSION_1 + VERSION_2 + VERSION_3),
  4: (sql) => imageOf(sql, 4, VERSION_1 + VERSION_2 + VERSION_3 + VERSION_4),
};

function imageOf(sql: SqlEngine, version: number, text: string): Uint8Array {
  const database = new sql.Database();
  database.run(`PRAGMA application_id = 0x6e6d6f6e; PRAGMA user_version = ${version}; ${text}`);
  const image = database.export();
  database.close();
  return image;
}

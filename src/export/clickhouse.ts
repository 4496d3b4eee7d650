// Batches as ClickHouse takes them: rows of JSON for each table, deflated. And the tables, with views over which the queries of the history's
// `connections`, `flows`, `first_seen` and `alerts` run as they are, over all machines.

import { gzipSync } from 'node:zlib';
import type { Alert } from '../model/alert.ts';
import type { ExportBatch, MinuteRow } from '../model/export-batch.ts';
import type { LoggedFlow } from '../model/history-batch.ts';
import type { ContainerNames } from '../model/terms.ts';

/** Rows for one table. */
export interface ClickHouseInsert {
  readonly table: 'netmon_minute' | 'netmon_flow' | 'netmon_alert';
  /** The same for each repetition of the same rows. */
  readonly token: string;
  /** A row a line, gzip. */
  readonly body: Uint8Array;
}

/** Inserts of a batch, one for each table that it has rows for. */
export function clickHouseInserts(batch: ExportBatch): ClickHouseInsert[] {
  const { token, hostId, hostName, minutes, flows, alerts } = batch;
  const machine = { host: hostId, host_name: hostName, batch: token };
  const inserts: readonly (readonly [ClickHouseInsert['table'], readonly object[]])[] = [
    ['netmon_minute', minutes.map((row) => ({ ...machine, ...minuteCells(row) }))],
    ['netmon_flow', flows.map((flow) => ({ ...machine, ...flowCells(flow) }))],
    ['netmon_alert', alerts.map((alert) => ({ ...machine, ...alertCells(alert) }))],
  ];
  return inserts
    .filter(([, rows]) => rows.length > 0)
    .map(([table, rows]) => ({ table, token: `${token}-${table}`, body: gzipSync(rows.map(lineOf).join('')) }));
}

/** A lone half of a pair would be no JSON for ClickHouse. */
function lineOf(row: object): string {
  return `${JSON.stringify(row, (_, value: unknown) => (typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value))}\n`;
}

function minuteCells({ time, isLate, ...row }: MinuteRow) {
  return {
    time: Math.floor(time / 1000),
    late: isLate,
    app_name: row.app,
    reason: row.reason,
    process: row.exe,
    hostname: row.host,
    domain: row.domain,
    category: row.category,
    interface: row.interface,
    protocol: row.protocol,
    direction: row.direction,
    rx: row.rxBytes,
    tx: row.txBytes,
    rx_packets: row.rxPackets,
    tx_packets: row.txPackets,
    flows: row.flows,
    ...containerCells(row.container),
  };
}

function flowCells(flow: LoggedFlow) {
  return {
    start: instant(flow.start),
    end: instant(flow.end),
    app_name: flow.app,
    reason: flow.reason,
    process: flow.exe,
    pid: flow.pid,
    user: flow.user,
    attribution: flow.attribution,
    protocol: flow.protocol,
    direction: flow.direction,
    interface: flow.interface,
    local_address: flow.localAddress,
    local_port: flow.localPort,
    remote_address: flow.remoteAddress,
    remote_port: flow.remotePort,
    hostname: flow.host,
    name_source: flow.nameSource,
    domain: flow.domain,
    application: flow.application,
    category: flow.category,
    rx_bytes: flow.rxBytes,
    tx_bytes: flow.txBytes,
    rx_packets: flow.rxPackets,
    tx_packets: flow.txPackets,
    ...containerCells(flow.container),
  };
}

function containerCells(names: ContainerNames | null) {
  const { container = null, image = null, pod = null, namespace = null, project = null } = names ?? {};
  return { container, image, pod, namespace, project };
}

function alertCells(alert: Alert) {
  return {
    time: instant(alert.time),
    id: alert.id,
    kind: alert.kind,
    severity: alert.severity,
    text: alert.text,
    app_name: alert.app,
    process: alert.exe,
    pid: alert.pid,
    user: alert.user,
    hostname: alert.host,
    domain: alert.domain,
    details: alert.details.join('\n'),
    held: alert.held,
  };
}

/** `2026-11-01 00:00:00.000`, UTC. Times that ClickHouse can't hold become the nearest that it can. */
function instant(time: number): string {
  const most = Date.UTC(2262, 0, 1);
  return new Date(Math.min(most, Math.max(0, time))).toISOString().replace('T', ' ').replace('Z', '');
}

const TEXT = 'LowCardinality(Nullable(String))';
const MACHINE = `  host LowCardinality(String), -- random number of a machine
  host_name ${TEXT}, -- where the machine is set to send it
  batch String CODEC(ZSTD), -- the same for each repetition of the same rows`;
const CONTAINER_NAMES = ['container', 'image', 'pod', 'namespace', 'project'];
const CONTAINER = CONTAINER_NAMES.map((name) => `  ${name} ${TEXT}`).join(',\n');
/** The newest inserts, which are recognised when they come again. */
const REPEATS = 'SETTINGS non_replicated_deduplication_window = 100000';

/** Statements that make the tables and views, for `clickhouse-client -mn`. Running them again changes nothing. */
export const CLICKHOUSE_SCHEMA = `-- Tables and views for records of netmon-tui. Running this again changes nothing.

-- What moved in each minute. A row that is late corrects an earlier minute and may be below zero: sums are right, single rows needn't be.
CREATE TABLE IF NOT EXISTS netmon_minute (
${MACHINE}
  time DateTime('UTC'),
  late Bool,
  app_name ${TEXT},
  reason ${TEXT}, -- why there is no app
  process ${TEXT},
  hostname Nullable(String),
  domain ${TEXT},
  category ${TEXT},
  interface LowCardinality(String),
  protocol LowCardinality(String),
  direction LowCardinality(String), -- outbound, inbound, local or transit: who began
  rx Int64,
  tx Int64,
  rx_packets Int64,
  tx_packets Int64,
  flows Int64, -- that began
${CONTAINER}
) ENGINE = MergeTree PARTITION BY toYYYYMM(time) ORDER BY (host, time)
TTL time + INTERVAL 90 DAY
${REPEATS};

-- Closed connections.
CREATE TABLE IF NOT EXISTS netmon_flow (
${MACHINE}
  start DateTime64(3, 'UTC'),
  end DateTime64(3, 'UTC'),
  app_name ${TEXT},
  reason ${TEXT},
  process ${TEXT},
  pid Nullable(Int64),
  user ${TEXT},
  attribution LowCardinality(String),
  protocol LowCardinality(String),
  direction LowCardinality(String),
  interface LowCardinality(String),
  local_address String,
  local_port UInt16,
  remote_address String,
  remote_port UInt16,
  hostname Nullable(String),
  name_source LowCardinality(String),
  domain ${TEXT},
  application ${TEXT},
  category ${TEXT},
  rx_bytes Int64,
  tx_bytes Int64,
  rx_packets Int64,
  tx_packets Int64,
${CONTAINER}
) ENGINE = MergeTree PARTITION BY toYYYYMM(start) ORDER BY (host, start)
TTL toDateTime(start) + INTERVAL 30 DAY
${REPEATS};

-- Alerts.
CREATE TABLE IF NOT EXISTS netmon_alert (
${MACHINE}
  time DateTime64(3, 'UTC'),
  id String,
  kind LowCardinality(String),
  severity LowCardinality(String),
  text String,
  app_name ${TEXT},
  process ${TEXT},
  pid Nullable(Int64),
  user ${TEXT},
  hostname Nullable(String),
  domain ${TEXT},
  details String,
  held ${TEXT} -- why nobody was told
) ENGINE = MergeTree ORDER BY (host, time)
${REPEATS};

-- Hours, which stay when minutes go: what long ranges are asked of.
CREATE TABLE IF NOT EXISTS netmon_hour (
  host LowCardinality(String),
  time DateTime('UTC'),
  app_name ${TEXT},
  domain ${TEXT},
  category ${TEXT},
  rx Int64,
  tx Int64,
  rx_packets Int64,
  tx_packets Int64,
  flows Int64
) ENGINE = SummingMergeTree PARTITION BY toYYYYMM(time) ORDER BY (time, host, app_name, domain, category)
${REPEATS}, allow_nullable_key = 1;
CREATE MATERIALIZED VIEW IF NOT EXISTS netmon_hour_of_minutes TO netmon_hour AS
SELECT host, toStartOfHour(time) AS time, app_name, domain, category,
  sum(rx) AS rx, sum(tx) AS tx, sum(rx_packets) AS rx_packets, sum(tx_packets) AS tx_packets, sum(flows) AS flows
FROM netmon_minute GROUP BY host, time, app_name, domain, category;

-- When each machine's app first reached each domain.
CREATE TABLE IF NOT EXISTS netmon_contact (
  domain LowCardinality(String),
  app_name LowCardinality(String),
  host LowCardinality(String),
  first SimpleAggregateFunction(min, DateTime('UTC'))
) ENGINE = AggregatingMergeTree ORDER BY (domain, app_name, host)
${REPEATS};
CREATE MATERIALIZED VIEW IF NOT EXISTS netmon_contact_of_minutes TO netmon_contact AS
SELECT assumeNotNull(moved.domain) AS domain, assumeNotNull(moved.app_name) AS app_name, host, min(time) AS first
FROM netmon_minute AS moved WHERE moved.domain IS NOT NULL AND moved.app_name IS NOT NULL AND (moved.rx > 0 OR moved.tx > 0 OR moved.flows > 0)
GROUP BY domain, app_name, host;

-- The views of a history file, with the machine as one more column.
CREATE VIEW IF NOT EXISTS connections AS
SELECT formatDateTime(moved.time, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS time, app_name, process, hostname, domain, category, protocol,
  side.1 AS direction, side.2 AS packet_size, side.3 AS packets, ${CONTAINER_NAMES.join(', ')}, host
FROM netmon_minute AS moved
ARRAY JOIN [('inbound', rx, rx_packets), ('outbound', tx, tx_packets)] AS side
WHERE side.2 <> 0 OR side.3 <> 0;
CREATE VIEW IF NOT EXISTS flows AS
SELECT concat(formatDateTime(closed.start, '%Y-%m-%dT%H:%i:%S', 'UTC'), '.', leftPad(toString(toUnixTimestamp64Milli(closed.start) % 1000), 3, '0'), 'Z') AS start,
  concat(formatDateTime(closed.end, '%Y-%m-%dT%H:%i:%S', 'UTC'), '.', leftPad(toString(toUnixTimestamp64Milli(closed.end) % 1000), 3, '0'), 'Z') AS end,
  app_name, reason, process, pid, attribution, protocol, direction, interface, local_address, local_port, remote_address, remote_port,
  hostname, name_source, domain, application, category, rx_bytes, tx_bytes, rx_packets, tx_packets, ${CONTAINER_NAMES.join(', ')}, user, host
FROM netmon_flow AS closed;
CREATE VIEW IF NOT EXISTS first_seen AS
SELECT app_name, domain, formatDateTime(min(contact.first), '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS time, argMin(host, contact.first) AS host
FROM netmon_contact AS contact GROUP BY app_name, domain;
CREATE VIEW IF NOT EXISTS alerts AS
SELECT concat(formatDateTime(raised.time, '%Y-%m-%dT%H:%i:%S', 'UTC'), '.', leftPad(toString(toUnixTimestamp64Milli(raised.time) % 1000), 3, '0'), 'Z') AS time,
  kind, severity, text, app_name, process, pid, user, hostname, domain, details, held, id, host
FROM netmon_alert AS raised;
`;

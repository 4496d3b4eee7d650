// A fleet's minutes in ClickHouse: makes those of so many machines over so many days inside the engine, and takes the time of each question. It says what
// docs/export.md says of days and months.
// usage: NETMON_CHDB=FOLDER node test/engines/fleet.js MACHINES DAYS [ROWS_A_MINUTE]; FOLDER is where npm installed chdb. 100 million rows take some 4 GB.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [machines, days, rowsAMinute = 50] = process.argv.slice(2).map(Number);
const folder = process.env.NETMON_CHDB;
if (!(machines > 0 && days > 0 && rowsAMinute > 0) || folder === undefined) {
  console.error('usage: NETMON_CHDB=FOLDER node test/engines/fleet.js MACHINES DAYS [ROWS_A_MINUTE]');
  process.exit(2);
}
const { Session } = createRequire(`${folder}/`)('chdb');
const data = mkdtempSync(join(tmpdir(), 'netmon-fleet-'));
process.once('exit', () => rmSync(data, { recursive: true, force: true }));
const session = new Session(data);
const ask = (sql) => JSON.parse(session.query(sql, 'JSONCompact')).data;

const schema = execFileSync(process.execPath, [join(root, 'bin/netmon-tui.js'), 'schema', 'clickhouse'], { encoding: 'utf8' });
for (const statement of schema.split(/;\n/)) if (/^\s*[^-\s]/m.test(statement)) session.query(statement);

const last = Math.floor(Date.now() / 86_400_000) * 86_400;
const begin = last - (days - 1) * 86_400;
const started = performance.now();
for (let day = 0; day < days; day++) {
  session.query(minutesOf(begin + day * 86_400));
  process.stderr.write(`day ${day + 1} of ${days}\n`);
}
const seconds = (performance.now() - started) / 1000;
const rows = machines * days * 1440 * rowsAMinute;
console.log(
  `${machines} machines, ${days} days, ${rowsAMinute} rows a minute: ${rows} rows, ${Math.round(rows / seconds)} a second`,
);
for (const [table, bytes, count] of ask(
  `SELECT table, sum(data_compressed_bytes), sum(rows) FROM system.parts WHERE active AND table LIKE 'netmon%' GROUP BY table ORDER BY table`,
))
  console.log(
    `${table}: ${count} rows, ${(Number(bytes) / 1e6).toFixed(0)} MB, ${(Number(bytes) / Number(count)).toFixed(1)} bytes a row`,
  );

const noon = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
const values = {
  domain: 'site123.example',
  app: 'app7',
  begin: noon(last + 32_400),
  end: noon(last + 61_200),
  budget: '1000000000000',
};
const questions = {
  'bytes by app over `connections`':
    'SELECT app_name, SUM(packet_size) AS total FROM connections GROUP BY app_name ORDER BY total DESC LIMIT 20',
  'bytes by app over `netmon_hour`':
    'SELECT app_name, sum(rx + tx) AS total FROM netmon_hour GROUP BY app_name ORDER BY total DESC LIMIT 20',
  "what one machine's apps received": "SELECT app_name, sum(rx) FROM netmon_minute WHERE host = 'm1' GROUP BY app_name",
  ...Object.fromEntries(['first-reached', 'who-runs', 'who-sent-peak', 'budget'].map((name) => [name, fileOf(name)])),
};
for (const [name, sql] of Object.entries(questions)) {
  const times = [];
  let found = 0;
  for (let round = 0; round < 3; round++) {
    const before = performance.now();
    found = ask(sql).length;
    times.push(performance.now() - before);
  }
  times.sort((a, b) => a - b);
  console.log(`${name}: ${(times[1] / 1000).toFixed(3)} s, ${found} rows`);
}

/** A day of minutes. Four rows of five go to the same domains for hours, the others elsewhere each minute; few domains are everybody's, and most are rare. */
function minutesOf(from) {
  return `INSERT INTO netmon_minute (host, batch, time, late, app_name, process, hostname, domain, category, interface, protocol, direction, rx, tx, rx_packets, tx_packets, flows)
    SELECT 'm' || toString(machine), 'b' || toString(machine) || '-' || toString(minute), toDateTime(${from} + minute * 60, 'UTC'), false,
      app, '/usr/bin/' || app, 'h' || toString(h % 7) || '.' || domain, domain, ['web', 'video', 'sync', 'update', 'other'][1 + h % 5], 'en0',
      if(h % 9 = 0, 'udp', 'tcp'), 'outbound', h % 200000, h % 30000, 1 + h % 150, 1 + h % 90, h % 4
    FROM (
      SELECT number % ${rowsAMinute} AS row, intDiv(number, ${rowsAMinute}) % 1440 AS minute, intDiv(number, ${rowsAMinute * 1440}) AS machine,
        cityHash64(number, ${from}) AS h, 'app' || toString((machine + row * row) % 60) AS app,
        cityHash64(machine, row, row * 5 < ${rowsAMinute} * 4 ? intDiv(minute, 240) : minute, ${from}) AS place,
        'site' || toString(toUInt32(pow(place % 100000, 2) / 3000000)) || '.example' AS domain
      FROM numbers(${machines * 1440 * rowsAMinute})
    )`;
}

/** A question of docs/clickhouse, with its parameters filled in. */
function fileOf(name) {
  const sql = readFileSync(join(root, `docs/clickhouse/${name}.sql`), 'utf8')
    .trimEnd()
    .replace(/;$/, '');
  return sql.replace(/\{(\w+):(\w+(?:\('UTC'\))?)\}/g, (_, key, type) => `CAST('${values[key]}' AS ${type})`);
}

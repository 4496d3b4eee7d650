// The tables and views in a real ClickHouse: the queries of a history file run unchanged and answer the same, and batches that come twice count once.
// ClickHouse comes as the npm package chdb, half a gigabyte, from a folder of its own: npm install --prefix FOLDER chdb, and NETMON_CHDB=FOLDER.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CLICKHOUSE_SCHEMA } from '../../src/export/clickhouse.ts';
import { HistoryDatabase } from '../../src/history/database.ts';
import { ClickHouseSender } from '../../src/messenger/engines/clickhouse.ts';
import type { HistoryBatch } from '../../src/model/history-batch.ts';
import { alert, batch, entry, loggedFlow, MINUTE, sqlJs } from '../support/history.ts';

const folder = process.env['NETMON_CHDB'] ?? '';
const reason =
  existsSync(join(folder, 'node_modules/chdb/package.json')) && folder !== '' ? null : 'needs chdb: NETMON_CHDB=FOLDER';

/** chdb as a server: queries in the body, inserts with their settings in the address. */
const SERVER = `
const { Session } = require(process.argv[1] + '/node_modules/chdb');
const session = new Session(process.argv[2]);
const { gunzipSync } = require('node:zlib');
const server = require('node:http').createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
    const { searchParams } = new URL(request.url, 'http://x');
    const body = Buffer.concat(chunks);
    const insert = searchParams.get('query');
    const settings = [...searchParams].filter(([name]) => name !== 'query').map(([name, value]) => name + "='" + value + "'").join(', ');
    try {
      if (insert === null) response.end(session.query(String(body), 'JSONCompact'));
      else response.end(session.query(insert.replace(' FORMAT', ' SETTINGS ' + settings + ' FORMAT') + '\\n' + gunzipSync(body)));
    } catch (thrown) {
      response.writeHead(500).end(String(thrown.message));
    }
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

/** Queries that somebody wrote for a history file. */
const QUERIES: readonly string[] = [
  'SELECT app_name, SUM(packet_size) AS total FROM connections GROUP BY app_name ORDER BY total DESC',
  'SELECT time, direction, SUM(packet_size), SUM(packets) FROM connections GROUP BY time, direction ORDER BY time, direction',
  "SELECT hostname, category, protocol, SUM(packet_size) FROM connections WHERE domain = 'd2.example' GROUP BY hostname, category, protocol ORDER BY hostname",
  "SELECT substr(time, 1, 13) AS hour, SUM(packet_size) FROM connections WHERE direction = 'inbound' GROUP BY 1 ORDER BY 1",
  'SELECT start, end, app_name, pid, local_port, remote_address, remote_port, rx_bytes, tx_bytes, attribution FROM flows ORDER BY remote_port',
  'SELECT COUNT(*), SUM(rx_bytes), MAX(tx_packets) FROM flows',
  'SELECT app_name, domain, time FROM first_seen ORDER BY app_name, domain',
  'SELECT time, kind, severity, app_name, user, hostname, text, held, id FROM alerts ORDER BY id',
];

/** Values for the questions in docs/clickhouse, and what a history file says instead; columns that only a fleet has are left out. */
const QUESTIONS: Readonly<Record<string, { values: Record<string, string>; columns: number[]; history: string }>> = {
  'first-reached.sql': {
    values: { domain: 'd2.example' },
    columns: [0, 2],
    history:
      "SELECT REPLACE(REPLACE(time, 'T', ' '), 'Z', ''), app_name FROM first_seen WHERE domain = 'd2.example' ORDER BY 1, 2",
  },
  'who-runs.sql': {
    values: { app: 'app "1"' },
    columns: [3, 4],
    history: `SELECT SUM(CASE direction WHEN 'inbound' THEN packet_size END), SUM(CASE direction WHEN 'outbound' THEN packet_size END)
      FROM connections WHERE app_name = 'app "1"'`,
  },
  'who-sent-peak.sql': {
    values: { begin: '2020-01-01 00:00:00', end: '2100-01-01 00:00:00' },
    columns: [0, 4],
    history: `SELECT REPLACE(REPLACE(time, 'T', ' '), 'Z', ''), SUM(packet_size) AS sent FROM connections WHERE direction = 'outbound'
      GROUP BY time ORDER BY sent DESC, time LIMIT 10`,
  },
  'budget.sql': {
    values: { budget: '1000' },
    columns: [0, 2, 3],
    history: `SELECT substr(time, 1, 7) || '-01' AS month, SUM(packet_size), ROUND(SUM(packet_size) / 10.0, 1)
      FROM connections GROUP BY month ORDER BY month DESC`,
  },
};

describe('ClickHouse', () => {
  it('answers the queries of a history file as the file does, also when batches come twice', async ({ skip }) => {
    if (reason !== null) skip(`clickhouse: ${reason}`);
    const data = mkdtempSync(join(tmpdir(), 'netmon-clickhouse-'));
    const child = spawn(process.execPath, ['-e', SERVER, folder, data], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => {
      child.kill('SIGKILL');
      rmSync(data, { recursive: true, force: true });
    });
    const port = await new Promise((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk).trim())));
    const url = `http://127.0.0.1:${port}/`;
    const ask = async (sql: string) => {
      const answer = await fetch(url, { method: 'POST', body: sql });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${sql}\n${text}`);
      return text === '' ? [] : (JSON.parse(text) as { data: unknown[][] }).data.map((row) => row.map(cellOf));
    };
    const statements = CLICKHOUSE_SCHEMA.replace(/--.*$/gm, '').split(/;\n/);
    for (let times = 0; times < 2; times++) for (const one of statements) if (one.trim() !== '') await ask(one);

    const history = HistoryDatabase.create(await sqlJs());
    const sender = new ClickHouseSender({ engine: 'clickhouse', url, user: null, secretFile: null, secret: null, ca: null });
    const start = Math.floor(Date.now() / MINUTE) - 100;
    for (const [i, one] of batches(start).entries()) history.apply(i + 1, one);
    let cursor = { cut: 1, section: 0, after: 0 };
    for (let page = history.unsent(cursor, 7); page !== null; page = history.unsent(cursor, 7)) {
      const { minutes, flows, alerts, next } = page;
      const token = `feed-7-${cursor.cut}.${cursor.section}.${cursor.after}`;
      const rows = { minutes, flows, alerts, token, engine: 'clickhouse', hostId: 'feed', hostName: null, until: 0 } as const;
      for (let times = 0; times < 2; times++) expect(await sender.send(rows)).toEqual({ isDelivered: true });
      cursor = next;
    }

    for (const query of QUERIES) {
      const { rows } = history.sql(query, { timeoutMs: 10_000, rows: 10_000 });
      expect(rows.length, query).toBeGreaterThan(0);
      expect(await ask(query), query).toEqual(rows.map((row) => row.map(cellOf)));
    }
    const folderOfQuestions = new URL('../../docs/clickhouse/', import.meta.url);
    expect(Object.keys(QUESTIONS).sort()).toEqual(readdirSync(folderOfQuestions).sort());
    for (const [file, { values, columns, history: query }] of Object.entries(QUESTIONS)) {
      for (const [name, value] of Object.entries(values)) await ask(`SET param_${name} = '${value}'`);
      const answer = await ask(readFileSync(new URL(file, folderOfQuestions), 'utf8'));
      const { rows } = history.sql(query, { timeoutMs: 10_000, rows: 10_000 });
      expect(rows.length, file).toBeGreaterThan(0);
      const shared = answer.map((row) => columns.map((column) => row[column]));
      expect(shared, file).toEqual(rows.map((row) => row.map(cellOf)));
      for (const row of answer) expect(row, file).toContain('feed');
    }
    const hours = await ask('SELECT SUM(rx), SUM(tx), SUM(flows) FROM netmon_hour');
    expect(await ask('SELECT SUM(rx), SUM(tx), SUM(flows) FROM netmon_minute')).toEqual(hours);
  }, 120_000);
});

/** ClickHouse writes numbers of 64 bits as text. */
function cellOf(cell: unknown): unknown {
  return typeof cell === 'string' && /^-?\d+$/.test(cell) ? Number(cell) : cell;
}

/** Three hours of a few apps, with connections, alerts, and changes that come late. */
function batches(start: number): HistoryBatch[] {
  const made: HistoryBatch[] = [];
  for (let i = 0; i < 60; i++) {
    const [minute, n] = [start + i, (i * 7919) % 13];
    const facts = {
      app: n === 5 ? null : `app "${n % 4}"`,
      reason: n === 5 ? 'forwarded' : null,
      host: `h${n}.d${n % 3}.example`,
      domain: `d${n % 3}.example`,
    };
    const moved = {
      rxBytes: n * 1000 + i,
      txBytes: i % 3 === 0 ? 0 : n * 10,
      rxPackets: n,
      txPackets: i % 3 === 0 ? 0 : 1,
      flows: 1,
    };
    const flow = loggedFlow({
      ...facts,
      start: minute * MINUTE + 123,
      end: minute * MINUTE + 4567,
      remotePort: i + 1,
      pid: n === 5 ? null : i,
    });
    const watch = {
      alerts: [alert({ id: `a-${100 + i}`, time: minute * MINUTE + 7, text: `a "name" with \\ and é ${i}` })],
      contacts: [],
      deliveries: [],
    };
    made.push({ ...batch(minute, [entry({ ...facts, ...moved })], [flow]), ...(i % 10 === 0 ? { watch } : {}) });
    // a clock that was set back: what an earlier minute had goes to another app
    if (i % 8 === 7)
      made.push(
        batch(minute - 4, [
          entry({ app: 'late', host: 'x', domain: null, rxBytes: 50 }),
          entry({ host: 'y', domain: null, rxBytes: -50 }),
        ]),
      );
    if (i % 5 === 4) made.push({ ...batch(minute, []), exports: { cut: { run: 7, minute }, marks: [] } });
  }
  return made;
}

// A user's statements: they run in sql.js as in the real sqlite3; one that writes and a second one are refused, and rows are limited.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { HistoryDatabase } from '../../../src/history/database.ts';
import { batch, entry, loggedFlow, NOVEMBER, sqlJs } from '../../support/history.ts';

const BY_APP = 'SELECT app_name, SUM(packet_size) AS total FROM connections GROUP BY app_name;';
const BY_CATEGORY = 'SELECT category, COUNT(*) FROM connections GROUP BY category;';
const hasSqlite = spawnSync('sqlite3', ['--version']).status === 0;
let sql: Awaited<ReturnType<typeof sqlJs>>;
beforeAll(async () => {
  sql = await sqlJs();
});

function recorded(): HistoryDatabase {
  const history = HistoryDatabase.create(sql);
  const both = [
    entry({ rxBytes: 100, txBytes: 10, rxPackets: 2, txPackets: 1 }),
    entry({ app: 'wget', exe: null, category: null, host: '198.51.100.7', domain: null, rxBytes: 7, rxPackets: 1 }),
  ];
  history.apply(1, batch(NOVEMBER, both, [loggedFlow()]));
  history.apply(2, batch(NOVEMBER + 1, both));
  return history;
}

const rowsOf = (text: string, rows = 100) => recorded().sql(text, { rows, timeoutMs: 0 });

describe('the view connections', () => {
  test("answers the old tool's queries", () => {
    expect(rowsOf(BY_APP)).toEqual({
      columns: ['app_name', 'total'],
      rows: [
        ['curl', 220],
        ['wget', 14],
      ],
      cut: false,
    });
    expect(rowsOf(BY_CATEGORY).rows).toEqual([
      [null, 2],
      ['web', 4],
    ]);
  });

  test('has one row for each record and direction of bytes', () => {
    const { columns, rows } = rowsOf('SELECT * FROM connections ORDER BY time, app_name, direction LIMIT 3');
    expect(columns).toEqual([
      'time',
      'app_name',
      'process',
      'hostname',
      'domain',
      'category',
      'protocol',
      'direction',
      'packet_size',
      'packets',
      'container',
      'image',
      'pod',
      'namespace',
      'project',
    ]);
    const inNone = [null, null, null, null, null];
    const curl = ['2026-11-01T00:00:00Z', 'curl', '/usr/bin/curl', 'www.example.com', 'example.com', 'web', 'tcp'];
    expect(rows).toEqual([
      [...curl, 'inbound', 100, 2, ...inNone],
      [...curl, 'outbound', 10, 1, ...inNone],
      ['2026-11-01T00:00:00Z', 'wget', null, '198.51.100.7', null, null, 'tcp', 'inbound', 7, 1, ...inNone],
    ]);
  });

  test('and the others read well', () => {
    expect(rowsOf('SELECT start, end, app_name, hostname, remote_port, rx_bytes FROM flows').rows).toEqual([
      ['2026-11-01T00:00:00.000Z', '2026-11-01T00:00:01.500Z', 'curl', 'www.example.com', 443, 1000],
    ]);
    expect(rowsOf('SELECT * FROM first_seen').rows).toEqual([['curl', 'example.com', '2026-11-01T00:00:00Z']]);
  });

  test.skipIf(!hasSqlite)(`${hasSqlite ? '' : 'skipped, no sqlite3 here: '}is the same in the real sqlite3`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'netmon-history-'));
    try {
      const file = join(folder, 'history.db');
      writeFileSync(file, recorded().image());
      const ask = (text: string) => execFileSync('sqlite3', [file, text], { encoding: 'utf8' }).trim().split('\n');
      expect(ask('PRAGMA integrity_check')).toEqual(['ok']);
      expect(ask(BY_APP)).toEqual(['curl|220', 'wget|14']);
      expect(ask(BY_CATEGORY)).toEqual(['|2', 'web|4']);
      expect(ask('SELECT count(*), sum(rx_bytes) FROM flows')).toEqual(['1|1000']);
      expect(ask('SELECT app_name FROM first_seen')).toEqual(['curl']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a statement', () => {
  test('is cut at the rows that were asked for', () => {
    expect(rowsOf('SELECT 1 UNION SELECT 2 UNION SELECT 3', 2)).toEqual({ columns: ['1'], rows: [[1], [2]], cut: true });
    expect(rowsOf('SELECT 1 UNION SELECT 2', 2).cut).toBe(false);
  });

  test('may begin with comments and end with a semicolon', () => {
    expect(rowsOf("-- how much;\n /* DELETE */ select x'00ff', 1.5, null ; -- done").rows).toEqual([['00ff', 1.5, null]]);
    expect(rowsOf('WITH n(x) AS (VALUES (1)) SELECT x FROM n').rows).toEqual([[1]]);
    expect(rowsOf('EXPLAIN QUERY PLAN SELECT * FROM day').columns).toContain('detail');
  });

  for (const text of [
    'DELETE FROM day',
    'INSERT INTO label VALUES (99, 0, "x")',
    'WITH gone AS (SELECT 1) DELETE FROM day',
    'WITH gone AS (SELECT 1) UPDATE day SET rx = 0 RETURNING rx',
    '/* SELECT */ DROP TABLE day',
    "ATTACH '/etc/passwd' AS other",
    "VACUUM INTO '/tmp/copy'",
    'PRAGMA query_only = OFF',
    'PRAGMA writable_schema = ON',
    'CREATE TEMP TABLE t (a)',
    'BEGIN',
    'SELECT 1; DELETE FROM day',
    'SELECT 1; SELECT 2',
    'SELECT * FROM nothing',
    'SELEC',
    'SELECT',
    '',
    ' ; -- nothing',
  ])
    test(`is refused: ${text}`, () => {
      const history = recorded();
      const before = history.image();
      expect(() => history.sql(text, { rows: 10, timeoutMs: 0 })).toThrow(
        expect.objectContaining({ code: 'usage', hint: expect.any(String) }),
      );
      expect(Buffer.compare(history.image(), before)).toBe(0);
      history.apply(3, batch(NOVEMBER, [entry({ rxBytes: 1 })]));
      expect(history.applied).toBe(3);
    });

  test('that wants too much memory fails by itself', () => {
    expect(() => rowsOf('SELECT length(hex(zeroblob(400000000)))')).toThrow('out of memory');
    expect(rowsOf('SELECT 1').rows).toEqual([[1]]);
  });
});

// Older versions are migrated without losing a byte; newer, foreign and damaged files are refused, each for what it is.

import { beforeAll, describe, expect, test } from 'vitest';
import { HistoryDatabase } from '../../../src/history/database.ts';
import { HistoryFileError } from '../../../src/history/files.ts';
import { SCHEMA_VERSION } from '../../../src/history/schema.ts';
import { batch, DAY, entry, fileOf, NOVEMBER, question, sqlJs, utcZone } from '../../support/history.ts';
import { OLDER_VERSIONS } from '../../support/history-versions.ts';

let sql: Awaited<ReturnType<typeof sqlJs>>;
beforeAll(async () => {
  sql = await sqlJs();
});

/** A history of several pages. */
function image(): Uint8Array {
  const history = HistoryDatabase.create(sql);
  history.apply(
    1,
    batch(
      NOVEMBER,
      Array.from({ length: 2000 }, (_, i) => entry({ host: `h${i}.example.com`, rxBytes: i + 1 })),
    ),
  );
  return history.image();
}

function faultOf(bytes: Uint8Array): string {
  try {
    HistoryDatabase.open(sql, fileOf(bytes)).close();
    return 'none';
  } catch (thrown) {
    if (thrown instanceof HistoryFileError && thrown.code === 'history' && thrown.hint !== null) return thrown.why;
    throw thrown;
  }
}

function schemaOf(bytes: Uint8Array): unknown {
  const database = new sql.Database(bytes);
  const found = database.exec("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name");
  const version = database.exec('PRAGMA user_version');
  database.close();
  return [found, version];
}

describe('an older version', () => {
  test('each is known: one builder for every version before this', () => {
    expect(Object.keys(OLDER_VERSIONS).map(Number)).toEqual(Array.from({ length: SCHEMA_VERSION - 1 }, (_, i) => i + 1));
  });

  for (const [version, build] of Object.entries(OLDER_VERSIONS)) {
    test(`${version} becomes what a new file is`, () => {
      const history = HistoryDatabase.open(sql, fileOf(build(sql)));
      expect(schemaOf(history.image())).toEqual(schemaOf(HistoryDatabase.create(sql).image()));
    });

    test(`${version} keeps its sums and goes on`, () => {
      const history = HistoryDatabase.open(sql, fileOf(build(sql)));
      const all = question({ from: 20_750 * DAY, to: 20_760 * DAY });
      const rows = () => history.query(all).rows.map((row) => [row.key ?? row.reason, row.rxBytes, row.txBytes, row.flows]);
      expect(history.applied).toBe(7);
      expect(rows()).toEqual([
        ['curl', 1325, 18, 2],
        ['wget', 70, 0, 1],
        ['forwarded', 8, 0, 0],
      ]);
      expect(history.query({ ...all, by: 'hour' }, utcZone).rows.map((row) => [row.key, row.rxBytes])).toEqual([
        [null, 1000],
        [null, 370],
        ['2026-11-02T01:00:00+00:00', 20],
        ['2026-11-02T03:00:00+00:00', 13],
      ]);
      history.apply(7, batch(NOVEMBER, [entry({ rxBytes: 1 })]));
      history.apply(8, batch(20_759 * 1440 + 200, [entry({ app: 'wget', exe: null, rxBytes: 1 })]));
      expect(rows()[1]).toEqual(['wget', 71, 0, 1]);
    });
  }

  test('1 learns when apps first reached domains from what it has', () => {
    const build = OLDER_VERSIONS[1];
    const history = HistoryDatabase.open(sql, fileOf(build?.(sql) as Uint8Array));
    expect(history.firstSeen({ from: 0, to: 30_000 * DAY, app: null, most: 1000 })).toEqual([
      { app: 'curl', domain: 'example.com', time: 20_750 * DAY },
      { app: 'wget', domain: 'example.com', time: 20_758 * DAY },
    ]);
  });
});

describe('what is refused', () => {
  test('a newer version', () => {
    const bytes = image();
    new DataView(bytes.buffer).setInt32(60, SCHEMA_VERSION + 1);
    expect(faultOf(bytes)).toBe('newer');
    expect(() => HistoryDatabase.open(sql, fileOf(bytes))).toThrow(`version ${SCHEMA_VERSION + 1}`);
  });

  test("nothing, a text, and another program's database", () => {
    const other = new sql.Database();
    other.run('CREATE TABLE connections (a)');
    for (const bytes of [new Uint8Array(), new TextEncoder().encode('SQLite format 3'), new Uint8Array(5000), other.export()])
      expect(faultOf(bytes)).toBe('not ours');
  });

  test('a damaged file, wherever the damage is', () => {
    const whole = image();
    expect(faultOf(whole)).toBe('none');
    expect(faultOf(whole.subarray(0, whole.length - 4096))).toBe('broken');
    expect(faultOf(whole.subarray(0, 100))).toBe('broken');
    for (let page = 1; page < whole.length / 4096; page++) {
      const bytes = whole.slice();
      bytes.fill(0xa5, page * 4096, (page + 1) * 4096);
      expect([page, faultOf(bytes)]).toEqual([page, 'broken']);
    }
  });

  test('a file of ours without our tables', () => {
    const empty = new sql.Database();
    empty.run(`PRAGMA application_id = 0x6e6d6f6e; PRAGMA user_version = ${SCHEMA_VERSION}; CREATE TABLE meta (key, value)`);
    expect(faultOf(empty.export())).toBe('broken');
  });
});

test('a file in WAL mode is opened', () => {
  const bytes = image();
  bytes[18] = 2;
  bytes[19] = 2;
  expect(faultOf(bytes)).toBe('none');
});

// HistoryDatabase from outside: what is applied is answered, an image holds all of it, a sequence number counts once.

import { beforeAll, describe, expect, test, vi } from 'vitest';
import { HistoryDatabase } from '../../../src/history/database.ts';
import { decodeBatch, encodeBatch } from '../../../src/history/journal/batch-codec.ts';
import { openDatabase } from '../../../src/history/schema.ts';
import { OverlayFile } from '../../../src/history/sqljs/database-file.ts';
import type { HistoryBatch } from '../../../src/model/history-batch.ts';
import {
  batch,
  DAY,
  entry,
  fileOf,
  HOUR,
  loggedFlow,
  MINUTE,
  NOVEMBER,
  question,
  sqlJs,
  utcZone,
} from '../../support/history.ts';

let sql: Awaited<ReturnType<typeof sqlJs>>;
beforeAll(async () => {
  sql = await sqlJs();
});

function recorded(): HistoryDatabase {
  const history = HistoryDatabase.create(sql);
  const wget = { app: 'wget', exe: '/usr/bin/wget', host: 'ftp.example.org', domain: 'example.org', category: null };
  history.apply(1, batch(NOVEMBER + 10, [entry({ rxBytes: 1000, txBytes: 10, rxPackets: 2, txPackets: 1, flows: 1 })]));
  history.apply(2, batch(NOVEMBER + 10, [entry({ rxBytes: 500, rxPackets: 1 }), entry({ ...wget, rxBytes: 70, flows: 1 })]));
  history.apply(3, batch(NOVEMBER + 130, [entry({ ...wget, txBytes: 3_000_000_000, txPackets: 9 })]));
  history.apply(
    4,
    batch(NOVEMBER + 131, [entry({ app: null, exe: null, reason: 'forwarded', host: null, domain: null, rxBytes: 5 })]),
  );
  return history;
}

/** Two texts for each part of a name, after which FNV-1a is in the same state: 2^7 names with one hash. Found by trying five letters and digits. */
const ALIKE = [
  ['105zx', '1bpcd'],
  ['0k40p', '1c04a'],
  ['003zx', '0fpad'],
  ['09vl8', '0apd6'],
  ['04pvu', '0b3ea'],
  ['05rnw', '0mpba'],
  ['07rnw', '0opba'],
] as const;

function sameHash(): string[] {
  const names = ALIKE.reduce<string[]>((made, pair) => made.flatMap((name) => pair.map((part) => name + part)), ['']);
  const hashes = names.map((name) =>
    [...name].reduce((hash, unit) => Math.imul(hash ^ unit.charCodeAt(0), 0x01000193), 0x811c9dc5),
  );
  expect(new Set(hashes).size).toBe(1);
  return names;
}

describe('what is applied', () => {
  test('shares one name where somebody made many names with one hash, and sums to the byte', () => {
    const history = HistoryDatabase.create(sql);
    const entries = sameHash().map((host) => entry({ host, domain: null, rxBytes: 1 }));
    history.apply(1, batch(NOVEMBER, entries));
    const { rows, total } = history.query(question({ by: 'host' }));
    expect(total.rxBytes).toBe(128);
    expect(rows).toHaveLength(65);
    expect([rows[0]?.key, rows[0]?.rxBytes]).toEqual(['other names', 64]);
  });

  test('knows the container of each record and connection, and sums and filters by it', () => {
    const names = { image: 'nginx:1.25', pod: null, namespace: null, project: 'shop' };
    const web = { ...names, container: 'shop-web-1' };
    const pod = { container: 'db', image: null, pod: 'db-0', namespace: 'prod', project: null };
    const history = HistoryDatabase.create(sql);
    const entries = [
      entry({ rxBytes: 1 }),
      entry({ rxBytes: 20, container: web }),
      entry({ rxBytes: 300, container: { ...web, container: 'shop-web-2' } }),
      entry({ rxBytes: 4000, container: pod }),
    ];
    const flows = [loggedFlow(), loggedFlow({ container: pod })];
    history.apply(1, decodeBatch(encodeBatch(batch(NOVEMBER, entries, flows))) as HistoryBatch);
    const ask = (filter: string | null) =>
      history.query(question({ by: 'container', filter })).rows.map((row) => [row.key ?? row.reason, row.detail, row.rxBytes]);
    expect(ask(null)).toEqual([
      ['db', null, 4000],
      ['shop-web-2', 'nginx:1.25', 300],
      ['shop-web-1', 'nginx:1.25', 20],
      ['in no container', null, 1],
    ]);
    expect(ask('container:web-1')).toEqual([['shop-web-1', 'nginx:1.25', 20]]);
    expect(ask('image:nginx project=shop rx>100')).toEqual([['shop-web-2', 'nginx:1.25', 300]]);
    expect(ask('pod:db-0 ns=prod')).toEqual([['db', null, 4000]]);
    expect(history.records(0, 30_000 * DAY, 10).rows.map((row) => row.container)).toEqual(
      entries.map(({ container }) => container),
    );
    expect(history.flows(0, 30_000 * DAY, 10).rows.map((row) => row.container)).toEqual([null, pod]);
    const limits = { rows: 10, timeoutMs: 1000 };
    const columns = 'container, image, pod, namespace, project';
    expect(history.sql(`SELECT ${columns}, packet_size FROM connections WHERE pod IS NOT NULL`, limits).rows).toEqual([
      ['db', null, 'db-0', 'prod', null, 4000],
    ]);
    expect(history.sql(`SELECT ${columns}, rx_bytes FROM flows WHERE pod IS NOT NULL`, limits).rows).toEqual([
      ['db', null, 'db-0', 'prod', null, 1000],
    ]);
  });

  test('is summed by app, most bytes first, with the executable', () => {
    const { rows, total } = recorded().query(question());
    expect(rows.map((row) => [row.key, row.reason, row.detail, row.rxBytes, row.txBytes, row.flows])).toEqual([
      ['wget', null, '/usr/bin/wget', 70, 3_000_000_000, 1],
      ['curl', null, '/usr/bin/curl', 1500, 10, 1],
      [null, 'forwarded', null, 5, 0, 0],
    ]);
    expect(total).toEqual({ rxBytes: 1575, txBytes: 3_000_000_010, rxPackets: 3, txPackets: 10, flows: 2 });
  });

  test('is told by time, to the minute', () => {
    const history = recorded();
    const { rows, oldest, newest, resolutionMs } = history.query(question({ by: 'hour' }), utcZone);
    expect(rows.map((row) => [row.key, row.rxBytes])).toEqual([
      ['2026-11-01T00:00:00+00:00', 1570],
      ['2026-11-01T02:00:00+00:00', 5],
    ]);
    expect([oldest, newest, resolutionMs]).toEqual([(NOVEMBER + 10) * MINUTE, (NOVEMBER + 131) * MINUTE, MINUTE]);
    const [wget] = history.query(question({ app: 'wget' })).rows;
    expect([wget?.firstSeen, wget?.lastSeen]).toEqual([(NOVEMBER + 10) * MINUTE, (NOVEMBER + 130) * MINUTE]);
    const [row] = history.query(question({ app: 'curl' })).rows;
    expect([row?.firstSeen, row?.lastSeen]).toEqual([(NOVEMBER + 10) * MINUTE, (NOVEMBER + 10) * MINUTE]);
  });

  test('is cut at the edges of the stretch', () => {
    const from = (NOVEMBER + 11) * MINUTE;
    expect(recorded().query(question({ from, to: from + 2 * HOUR })).total.txBytes).toBe(3_000_000_000);
    expect(recorded().query(question({ from, to: from + HOUR })).rows).toEqual([]);
  });

  test('makes a series whose steps sum to the total', () => {
    const { series } = recorded().query(question({ to: NOVEMBER * MINUTE + 4 * HOUR, steps: 4 }));
    expect(series).toEqual({
      from: NOVEMBER * MINUTE,
      stepMs: HOUR,
      rxBytes: [1570, 0, 5, 0],
      txBytes: [10, 0, 3_000_000_000, 0],
    });
  });

  test('counts once for each sequence number', () => {
    const history = recorded();
    const before = history.query(question());
    for (const sequence of [1, 4]) history.apply(sequence, batch(NOVEMBER, [entry({ rxBytes: 1 })]));
    expect(history.query(question())).toEqual(before);
    expect(history.applied).toBe(4);
  });

  test('is all in the image', () => {
    const history = recorded();
    const image = history.image();
    expect(history.bytes).toBe(image.length);
    const again = HistoryDatabase.open(sql, fileOf(image));
    expect(again.applied).toBe(4);
    expect(again.query(question({ steps: 10 }))).toEqual(history.query(question({ steps: 10 })));
    again.apply(5, batch(NOVEMBER + 10, [entry({ rxBytes: 1, flows: 0 })]));
    expect(again.query(question()).total.rxBytes).toBe(1576);
    expect(history.query(question()).total.rxBytes).toBe(1575);
  });

  test('is narrowed by name and by filter', () => {
    const history = recorded();
    const keys = (changes: Parameters<typeof question>[0]) =>
      history.query(question(changes)).rows.map((row) => row.key ?? row.reason);
    expect(keys({ by: 'host', app: 'wget' })).toEqual(['ftp.example.org']);
    expect(keys({ by: 'category' })).toEqual(['not categorised', 'web']);
    expect(keys({ by: 'domain', interface: 'eth0', category: 'web' })).toEqual(['example.com', 'no domain']);
    expect(keys({ app: 'nobody' })).toEqual([]);
    expect(keys({ filter: 'rx>1K' })).toEqual(['curl']);
    expect(keys({ filter: 'host:example proto:tcp dir=out not app=curl' })).toEqual(['wget']);
    expect(keys({ filter: 'domain=example.com out', by: 'domain' })).toEqual(
      keys({ domain: 'example.com', filter: 'out', by: 'domain' }),
    );
    expect(keys({ filter: 'domain=example.com', by: 'domain' })).toEqual(['example.com']);
    expect(history.query(question({ filter: 'app=curl', by: 'hour', steps: 1 }), utcZone)).toMatchObject({
      rows: [{ rxBytes: 1500 }],
      series: { rxBytes: [1500] },
    });
    expect(() => history.query(question({ filter: 'rx>' }))).toThrow(expect.objectContaining({ code: 'bad-filter' }));
  });

  test('keeps the rows beyond top as one', () => {
    const { rows } = recorded().query(question({ top: 1 }));
    expect(rows.map((row) => [row.key, row.reason, row.rxBytes])).toEqual([
      ['wget', null, 70],
      [null, '2 more', 1505],
    ]);
  });

  test('is cut into days of a zone that half hours part, exactly while minutes are kept and by whole hours after that', () => {
    const history = HistoryDatabase.create(sql);
    const india = () => 5.5 * HOUR;
    // Midnight in India is at 18:30 UTC; the hour from 18:00 belongs to the day that holds its middle.
    for (const minute of [18 * 60 + 29, 18 * 60 + 30, 18 * 60 + 31])
      history.apply(minute, batch(NOVEMBER + minute, [entry({ rxBytes: minute })]));
    const days = () => {
      const { rows, resolutionMs } = history.query(question({ by: 'day' }), india);
      return [resolutionMs, ...rows.map((row) => [row.key, row.rxBytes])];
    };
    expect(days()).toEqual([MINUTE, ['2026-11-01T00:00:00+05:30', 1109], ['2026-11-02T00:00:00+05:30', 1110 + 1111]]);
    while (history.prune(NOVEMBER * MINUTE + 10 * DAY, 1e9));
    expect(days()).toEqual([HOUR, ['2026-11-02T00:00:00+05:30', 1109 + 1110 + 1111]]);
    while (history.prune(NOVEMBER * MINUTE + 100 * DAY, 1e9));
    expect(days()).toEqual([DAY, ['2026-11-01T00:00:00+05:30', 1109 + 1110 + 1111]]);
  });

  test('is told by the hour at once, however long nothing was recorded in between', () => {
    const history = HistoryDatabase.create(sql);
    for (const [i, minute] of [0, 7, NOVEMBER + 60, NOVEMBER + 1440].entries())
      history.apply(i + 1, batch(minute, [entry({ rxBytes: i + 1 })]));
    let asked = 0;
    const zone = () => {
      asked++;
      return -3.5 * HOUR;
    };
    const { rows } = history.query(question({ from: 0, to: 1e14, by: 'hour' }), zone);
    expect(rows.map((row) => [row.key, row.rxBytes])).toEqual([
      ['1969-12-31T20:00:00-03:30', 3],
      ['2026-10-31T21:00:00-03:30', 3],
      ['2026-11-01T20:00:00-03:30', 4],
    ]);
    expect(asked).toBeLessThan(1000);
  });

  test('is cut in the zone of the process where none is told', () => {
    vi.stubEnv('TZ', 'America/New_York');
    expect(
      recorded()
        .query(question({ by: 'day' }))
        .rows.map((row) => row.key),
    ).toEqual(['2026-10-31T00:00:00-04:00']);
    vi.unstubAllEnvs();
  });

  test('is all or nothing: a batch that cannot be booked leaves no trace', () => {
    const history = recorded();
    const broken = { ...entry({ app: 'new', rxBytes: 5 }), host: 7 as unknown as string };
    expect(() => history.apply(5, batch(NOVEMBER, [entry({ app: 'newer', rxBytes: 1 }), broken]))).toThrow();
    expect(history.applied).toBe(4);
    expect(history.query(question()).total.rxBytes).toBe(1575);
    history.apply(5, batch(NOVEMBER, [entry({ app: 'newer', rxBytes: 1 })]));
    expect(history.query(question({ app: 'newer' })).total.rxBytes).toBe(1);
  });

  test('is bounded: texts of any length and characters, numbers of any size', () => {
    const history = HistoryDatabase.create(sql);
    const app = `${'x'.repeat(600)}`;
    history.apply(
      1,
      batch(NOVEMBER, [entry({ app, host: 'a\u001b[2Jb\ud800', rxBytes: 1e300, txBytes: Number.NaN, flows: 1.9 })]),
    );
    const [row] = history.query(question({ by: 'host' })).rows;
    expect([row?.key, row?.rxBytes, row?.txBytes, row?.flows]).toEqual(['a[2Jb', 1e15, 0, 1]);
    expect(history.query(question()).rows[0]?.key).toBe('x'.repeat(512));
    history.apply(2, batch(-5, [entry({ rxBytes: 1 })]));
    history.apply(3, batch(1e30, [entry({ rxBytes: 1 })]));
    expect(history.query(question({ from: 0, to: 1e18, by: 'app', app: 'curl' })).total.rxBytes).toBe(2);
  });
});

describe('a file whose numbers were forged', () => {
  const LARGEST = '9223372036854775807';

  test('answers by hour and by day, and still takes records', () => {
    const file = new OverlayFile({ size: 0, read: () => 0 });
    const made = HistoryDatabase.create(sql, file);
    made.apply(1, batch(NOVEMBER, [entry({ rxBytes: 5, flows: 1 })]));
    made.apply(2, batch(NOVEMBER + 3, [entry({ rxBytes: 7, flows: 1 })]));
    made.close();
    const forger = openDatabase(sql, file);
    for (const table of ['minute', 'hour', 'day'])
      forger.run(`UPDATE ${table} SET rx = ${LARGEST}, tx = ${LARGEST}, flows = ${LARGEST}`);
    forger.close();
    const history = HistoryDatabase.open(sql, file);
    for (const by of ['hour', 'day', 'app', 'host'] as const)
      expect([by, history.query(question({ by, steps: 2 })).total.rxBytes > 9e18]).toEqual([by, true]);
    history.apply(3, batch(NOVEMBER, [entry({ rxBytes: 5, flows: 1 })]));
    expect(history.applied).toBe(3);
    history.close();
  });

  test('has no times that no calendar knows', () => {
    const file = new OverlayFile({ size: 0, read: () => 0 });
    HistoryDatabase.create(sql, file).close();
    const forger = openDatabase(sql, file);
    forger.run(`UPDATE meta SET value = ${LARGEST} WHERE key <> 'applied'`);
    forger.run(`INSERT INTO meta VALUES ('newest', ${LARGEST}), ('oldest', -${LARGEST})`);
    forger.close();
    const history = HistoryDatabase.open(sql, file);
    history.apply(1, batch(NOVEMBER, [entry({ rxBytes: 5 })]));
    const { oldest, newest, total } = history.query(question());
    expect([oldest, newest, total.rxBytes]).toEqual([NOVEMBER * MINUTE, NOVEMBER * MINUTE, 5]);
    history.close();
  });
});

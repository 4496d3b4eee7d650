// What was asked of DNS in the file: written once, read back whole, deleted with its app, with its time, after a week, and when there is too much.

import { describe, expect, it } from 'vitest';
import { HistoryDatabase } from '../../../src/history/database.ts';
import type { RecordedEncrypted, RecordedQuestion } from '../../../src/model/dns.ts';
import { asked, batch, DAY, HOUR, MINUTE, NOVEMBER, sqlJs } from '../../support/history.ts';

const START = NOVEMBER * MINUTE;
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER, app: null, most: 1_000_000 };
const LIMITS = { rows: 10, timeoutMs: 1000 };

/** A history with these questions, a batch each. */
async function history(...batches: (readonly RecordedQuestion[])[]): Promise<HistoryDatabase> {
  const database = HistoryDatabase.create(await sqlJs());
  for (const [i, questions] of batches.entries())
    database.apply(i + 1, {
      minute: NOVEMBER + i,
      entries: [],
      flows: [],
      unlogged: 0,
      dns: { questions, missed: 0, encrypted: [] },
    });
  return database;
}

const names = (database: HistoryDatabase, change = {}) => database.dns({ ...ALL, ...change }).questions.map(({ name }) => name);

function settle(database: HistoryDatabase, now: number, maxBytes = 200_000_000): void {
  for (let steps = 0; database.prune(now, maxBytes); steps++) if (steps > 100) throw new Error('it never ends');
}

describe('questions of DNS', () => {
  const lost = asked({
    time: START + 5,
    name: 'lost.example.com',
    app: null,
    pid: null,
    reason: 'forwarded',
    result: 'no answer',
  });
  const unanswered = { ...lost, answer: '', answerCount: 0, tookMs: null, tries: 3, domain: null };
  const safari = asked({ time: START + 9, app: 'mDNSResponder', onBehalfOf: 'Safari', transport: 'mdns', direction: 'local' });

  it('come back whole, in the order of time', async () => {
    const database = await history([unanswered, asked()], [safari]);
    expect(database.dns(ALL).questions).toEqual([asked(), unanswered, safari]);
    expect(
      database.sql(
        'SELECT time, app_name, asked_by, name, record_type, result, answers, took_ms, transport FROM dns ORDER BY time',
        LIMITS,
      ).rows,
    ).toEqual([
      ['2026-11-01T00:00:00.000Z', 'curl', 'curl', 'www.example.com', 'A', 'NOERROR', '192.0.2.7 192.0.2.8', 12.345, 'udp'],
      ['2026-11-01T00:00:00.005Z', null, null, 'lost.example.com', 'A', 'no answer', '', null, 'udp'],
      [
        '2026-11-01T00:00:00.009Z',
        'Safari',
        'mDNSResponder',
        'www.example.com',
        'A',
        'NOERROR',
        '192.0.2.7 192.0.2.8',
        12.345,
        'mdns',
      ],
    ]);
  });

  it('are asked for by time and by app, also the one for which a resolver asked; the newest of too many', async () => {
    const hours = [0, 1, 2, 3].map((hour) =>
      asked({ name: `${hour}`, time: START + hour * HOUR, app: hour === 2 ? 'wget' : 'curl' }),
    );
    const database = await history(hours, [safari]);
    expect(names(database, { from: START + HOUR, to: START + 3 * HOUR })).toEqual(['1', '2']);
    expect(names(database, { app: 'curl', most: 2 })).toEqual(['1', '3']);
    expect(names(database, { app: 'Safari' })).toEqual(['www.example.com']);
    expect(names(database, { app: 'never met' })).toEqual([]);
  });

  it('are stripped of what moves a cursor, and numbers of what they cannot be', async () => {
    const forged = asked({
      name: 'a\u001b[2Jb',
      app: 'e\u0007',
      answer: 'c\nd\u202e',
      result: 'x\u009b',
      tookMs: -5,
      tries: 1e300,
      time: Number.NaN,
    });
    const [found] = (await history([forged])).dns(ALL).questions;
    expect(found).toMatchObject({ name: 'a[2Jb', app: 'e', answer: 'c\nd', result: 'x', tookMs: 0, tries: 65_535, time: 0 });
  });

  it('go with their app, and with their time', async () => {
    const all = [
      asked({ name: 'old' }),
      asked({ name: 'new', time: START + 2 * DAY }),
      asked({ name: 'other', app: 'wget' }),
      safari,
    ];
    const byTime = await history(all);
    byTime.erase({ before: START + DAY, app: null });
    expect(names(byTime)).toEqual(['new']);
    const byApp = await history(all);
    byApp.erase({ before: null, app: 'curl' });
    byApp.erase({ before: null, app: 'Safari' });
    expect(names(byApp)).toEqual(['other']);
    const byBoth = await history(all);
    byBoth.erase({ before: START + DAY, app: 'curl' });
    expect(names(byBoth)).toEqual(['other', 'www.example.com', 'new']);
    settle(byApp, START + HOUR);
    const left = byApp.sql("SELECT count(*) FROM label WHERE text IN ('old', 'new', 'Safari', 'curl')", LIMITS).rows;
    expect(left).toEqual([[0]]);
  });

  it('are kept for a week, with their names', async () => {
    const database = await history(
      [asked({ name: 'old' })],
      [asked({ name: 'young', time: START + 3 * DAY, domain: 'young.org' })],
    );
    settle(database, START + 6 * DAY);
    expect(names(database)).toEqual(['old', 'young']);
    settle(database, START + 8 * DAY);
    expect(database.dns(ALL).questions).toEqual([asked({ name: 'young', time: START + 3 * DAY, domain: 'young.org' })]);
  });

  it('are bounded by a share of the file: the oldest give way', async () => {
    const database = await history(Array.from({ length: 1500 }, (_, i) => asked({ name: `n${i}`, time: START + i })));
    settle(database, START + HOUR, 130 * 10 * 1000);
    expect(names(database)).toEqual(Array.from({ length: 1000 }, (_, i) => `n${i + 500}`));
  });

  it('that were too many are counted', async () => {
    const database = await history([asked()]);
    for (const sequence of [2, 3])
      database.apply(sequence, {
        minute: NOVEMBER,
        entries: [],
        flows: [],
        unlogged: 0,
        dns: { questions: [], missed: 40, encrypted: [] },
      });
    expect(database.sql("SELECT value FROM meta WHERE key = 'questions_missed'", LIMITS).rows).toEqual([[80]]);
  });

  it('take the bytes that retention reckons with', async () => {
    const database = HistoryDatabase.create(await sqlJs());
    const before = database.bytes;
    const count = 20_000;
    const questions = Array.from({ length: count }, (_, i) =>
      asked({
        name: `host-${i % 4000}.example-${i % 700}.com`,
        domain: `example-${i % 700}.com`,
        time: START + i * 1000,
        answer: `198.51.${i % 100}.${i % 250}`,
      }),
    );
    database.apply(1, { minute: NOVEMBER, entries: [], flows: [], unlogged: 0, dns: { questions, missed: 0, encrypted: [] } });
    expect((database.bytes - before) / count).toBeLessThan(130);
  });
});

describe('encrypted DNS', () => {
  const moved = (changes: Partial<RecordedEncrypted> = {}): RecordedEncrypted => ({
    minute: NOVEMBER,
    app: 'firefox',
    reason: null,
    host: 'dns.google',
    transport: 'https',
    connections: 1,
    rxBytes: 500,
    txBytes: 100,
    ...changes,
  });

  async function history(...batches: (readonly RecordedEncrypted[])[]): Promise<HistoryDatabase> {
    const database = HistoryDatabase.create(await sqlJs());
    for (const [i, encrypted] of batches.entries())
      database.apply(i + 1, { ...batch(NOVEMBER, []), dns: { questions: [], missed: 0, encrypted } });
    return database;
  }

  const found = (database: HistoryDatabase, change = {}) =>
    database.dns({ ...ALL, ...change }).encrypted.map((row) => [row.app, row.host, row.transport, row.connections, row.rxBytes]);

  it('is summed by app and resolver over a range, the busiest first, and known to the minute', async () => {
    const stubby = moved({ app: 'stubby', host: '9.9.9.9', transport: 'tls', minute: NOVEMBER + 1, rxBytes: 2000 });
    const database = await history([moved()], [moved({ connections: 0 }), moved({ minute: NOVEMBER + 2 }), stubby]);
    expect(found(database)).toEqual([
      ['stubby', '9.9.9.9', 'tls', 1, 2000],
      ['firefox', 'dns.google', 'https', 2, 1500],
    ]);
    expect(found(database, { from: START + MINUTE, app: 'firefox' })).toEqual([['firefox', 'dns.google', 'https', 1, 500]]);
    expect(found(database, { to: START + MINUTE - 1 })).toEqual([['firefox', 'dns.google', 'https', 1, 1000]]);
    expect(database.dns(ALL).encrypted.map(({ lastSeen }) => lastSeen)).toEqual([START + MINUTE, START + 2 * MINUTE]);
    expect(
      database.sql('SELECT time, app_name, resolver, transport, connections, rx_bytes FROM encrypted_dns', LIMITS).rows,
    ).toEqual([
      ['2026-11-01T00:00:00Z', 'firefox', 'dns.google', 'https', 1, 1000],
      ['2026-11-01T00:01:00Z', 'stubby', '9.9.9.9', 'tls', 1, 2000],
      ['2026-11-01T00:02:00Z', 'firefox', 'dns.google', 'https', 1, 500],
    ]);
  });

  it('moves to the app that became known late', async () => {
    const nobody = moved({ app: null, reason: 'not looked up yet' });
    const back = { ...nobody, connections: -1, rxBytes: -500, txBytes: -100 };
    const database = await history([nobody], [back, moved()]);
    expect(database.dns(ALL).encrypted).toMatchObject([{ app: 'firefox', reason: null, connections: 1, rxBytes: 500 }]);
    expect(database.sql('SELECT count(*) FROM encrypted_dns', LIMITS).rows).toEqual([[1]]);
    const late = await history([nobody], [{ ...back, minute: NOVEMBER + 1 }, moved({ minute: NOVEMBER + 1 })]);
    expect(found(late, { from: START + MINUTE })).toEqual([['firefox', 'dns.google', 'https', 1, 500]]);
    expect(found(late)).toEqual([['firefox', 'dns.google', 'https', 1, 500]]);
  });

  it('is stripped of what moves a cursor, and of numbers that cannot be', async () => {
    const forged = moved({ app: 'e\u0007', host: 'a\u001b[2Jb', rxBytes: Number.NaN, txBytes: 1e300, connections: 1e300 });
    const many = await history([forged], [forged]);
    expect(many.dns(ALL).encrypted).toMatchObject([{ app: 'e', host: 'a[2Jb', rxBytes: 0, txBytes: 2e15 }]);
  });

  it('goes with its app, with its time, and after a week, with its names', async () => {
    const all = [moved(), moved({ minute: NOVEMBER + 2 * 1440 }), moved({ app: 'stubby' })];
    const byTime = await history(all);
    byTime.erase({ before: START + DAY, app: null });
    expect(found(byTime)).toEqual([['firefox', 'dns.google', 'https', 1, 500]]);
    const byApp = await history(all);
    byApp.erase({ before: null, app: 'firefox' });
    expect(found(byApp)).toEqual([['stubby', 'dns.google', 'https', 1, 500]]);
    settle(byApp, START + HOUR);
    expect(byApp.sql("SELECT text FROM label WHERE text IN ('firefox', 'stubby', 'dns.google') ORDER BY 1", LIMITS).rows).toEqual(
      [['dns.google'], ['stubby']],
    );
    settle(byApp, START + 8 * DAY);
    expect(byApp.dns(ALL).encrypted).toEqual([]);
    expect(byApp.sql("SELECT text FROM label WHERE text IN ('stubby', 'dns.google')", LIMITS).rows).toEqual([]);
  });

  it('is bounded by a share of the file: the oldest minutes give way', async () => {
    const rows = Array.from({ length: 1500 }, (_, i) => moved({ minute: NOVEMBER + i }));
    const database = await history(rows);
    settle(database, START + HOUR, 40 * 100 * 1000);
    expect(database.sql('SELECT min(time), count(*) FROM encrypted_dns', LIMITS).rows).toEqual([['2026-11-01T08:20:00Z', 1000]]);
  });

  it('takes the bytes that retention reckons with', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) =>
      moved({ minute: NOVEMBER + (i >> 2), app: `app ${i & 3}`, rxBytes: 1e6 + i }),
    );
    const database = await history([]);
    const before = database.bytes;
    database.apply(2, { ...batch(NOVEMBER, []), dns: { questions: [], missed: 0, encrypted: rows } });
    expect((database.bytes - before) / rows.length).toBeLessThan(40);
  });
});

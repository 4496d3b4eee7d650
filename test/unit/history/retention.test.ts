// What is given up and what stays: ages, bounds, the order in which a file that is too large shrinks, and a clock that was wrong.

import { beforeAll, describe, expect, test } from 'vitest';
import { HistoryDatabase } from '../../../src/history/database.ts';
import { type RetentionTime, retentionClock } from '../../../src/history/retention.ts';
import type { HistoryBatch } from '../../../src/model/history-batch.ts';
import { batch, DAY, entry, HOUR, loggedFlow, MINUTE, NOVEMBER, question, sqlJs, utcZone } from '../../support/history.ts';

const START = NOVEMBER * MINUTE;
const ROOMY = 1e9;
let sql: Awaited<ReturnType<typeof sqlJs>>;
beforeAll(async () => {
  sql = await sqlJs();
});

function recorded(batches: readonly HistoryBatch[]): HistoryDatabase {
  const history = HistoryDatabase.create(sql);
  for (const [i, one] of batches.entries()) history.apply(i + 1, one);
  return history;
}

/** @returns steps that it took */
function prune(history: HistoryDatabase, now: number, maxBytes = ROOMY): number {
  for (let steps = 1; steps < 5000; steps++) if (!history.prune(now, maxBytes)) return steps;
  throw new Error('pruning has no end');
}

const count = (history: HistoryDatabase, table: string) => rowsOf(history, `SELECT count(*) FROM ${table}`)[0]?.[0];
const rowsOf = (history: HistoryDatabase, text: string) => history.sql(text, { rows: 1000, timeoutMs: 0 }).rows;
const resolution = (history: HistoryDatabase, from: number) =>
  history.query(question({ from, to: START + 900 * DAY })).resolutionMs;
/** A day's batch of every hour, for one host. */
const hourly = (days: number) =>
  Array.from({ length: days * 24 }, (_, i) => batch(NOVEMBER + i * 60 + 7, [entry({ rxBytes: 10, flows: 1 })]));

describe('age', () => {
  test('takes minutes after two days, hours after sixty, days never', () => {
    const history = recorded(hourly(70));
    prune(history, START + 70 * DAY);
    expect([count(history, 'minute'), count(history, 'hour'), count(history, 'day')]).toEqual([48, 60 * 24, 70]);
    expect(resolution(history, START + 68 * DAY)).toBe(MINUTE);
    expect(resolution(history, START + 68 * DAY - 1)).toBe(HOUR);
    expect(resolution(history, START + 10 * DAY)).toBe(HOUR);
    expect(resolution(history, START + 10 * DAY - 1)).toBe(DAY);
    expect(history.query(question({ to: START + 70 * DAY })).total).toMatchObject({ rxBytes: 70 * 240, flows: 70 * 24 });
    prune(history, START + 2000 * DAY);
    expect([count(history, 'minute'), count(history, 'hour'), count(history, 'day')]).toEqual([0, 0, 70]);
  });

  test('works in steps, and counts old records once in between', () => {
    const entries = Array.from({ length: 500 }, (_, i) => entry({ host: `h${i}`, rxBytes: 1 }));
    const history = recorded(Array.from({ length: 60 }, (_, i) => batch(NOVEMBER + i, entries)));
    const now = START + 3 * DAY;
    const total = () => history.query(question({ by: 'host', steps: 10 })).total.rxBytes;
    const inView = () => rowsOf(history, 'SELECT sum(packet_size) FROM connections')[0]?.[0];
    let steps = 0;
    while (history.prune(now, ROOMY)) {
      steps++;
      expect([total(), inView()]).toEqual([30_000, 30_000]);
    }
    expect(steps).toBeGreaterThan(1);
    expect(count(history, 'minute')).toBe(0);
  });

  test('takes flows after a week, and more than a quarter of the file', () => {
    const flows = Array.from({ length: 60_000 }, (_, i) => loggedFlow({ start: START + i * 1000, end: START + i * 1000 }));
    const history = recorded([batch(NOVEMBER, [], flows)]);
    prune(history, START);
    expect(count(history, 'flow')).toBe(60_000);
    prune(history, START, 20e6);
    expect(count(history, 'flow')).toBe(50_000);
    prune(history, START + 7 * DAY + 20_000_000);
    expect(count(history, 'flow')).toBe(40_000);
    prune(history, START + 8 * DAY);
    expect(count(history, 'flow')).toBe(0);
  });

  test('leaves no unused host, but the domains that apps reached', () => {
    const history = recorded([
      batch(NOVEMBER, [entry({ rxBytes: 1 })], [loggedFlow({ app: 'wget', host: 'gone.example.net', domain: 'example.net' })]),
    ]);
    prune(history, START + 8 * DAY);
    const labels = rowsOf(history, 'SELECT text FROM label ORDER BY id').flat();
    expect(labels).toEqual(['curl', '/usr/bin/curl', 'www.example.com', 'example.com', 'web', 'eth0', 'tcp', 'outbound']);
    expect(count(history, 'subject')).toBe(1);
    history.apply(2, batch(NOVEMBER, [entry({ app: 'wget', rxBytes: 5 })]));
    expect(history.query(question({ app: 'wget' })).total.rxBytes).toBe(5);
  });
});

describe('size', () => {
  const many = (day: number) =>
    batch(
      NOVEMBER + day * 1440,
      Array.from({ length: 800 }, (_, i) =>
        entry({ host: `host-${day}-${i}.example.com`, domain: `d${i % 40}.com`, rxBytes: 1000 - i, flows: 1 }),
      ),
      Array.from({ length: 50 }, () => loggedFlow({ start: START + day * DAY, end: START + day * DAY })),
    );

  test('takes minutes first, then logged flows, then hours, then small hosts of old days; never a sum', () => {
    const order: string[] = [];
    const history = recorded(Array.from({ length: 20 }, (_, day) => many(day)));
    const now = START + 20 * DAY;
    while (history.prune(now, ROOMY));
    const sums = () => history.query(question({ by: 'category', to: now }), utcZone).total;
    const days = () => history.query(question({ by: 'day', to: now }), utcZone).rows.map((row) => row.rxBytes);
    const before = [sums(), days()];
    const state = () => ({
      minutes: count(history, 'minute'),
      flows: count(history, 'flow'),
      hours: count(history, 'hour'),
      days: count(history, 'day'),
    });
    let last = state();
    while (history.prune(now, 300_000)) {
      const next = state();
      for (const part of ['minutes', 'flows', 'hours', 'days'] as const)
        if (next[part] !== last[part] && order.at(-1) !== part) order.push(part);
      last = next;
    }
    expect(order).toEqual(['minutes', 'flows', 'hours', 'days']);
    expect(history.bytes).toBeLessThanOrEqual(300_000);
    expect(history.image().length).toBe(history.bytes);
    expect([sums(), days()]).toEqual(before);
    const hosts = history.query(question({ by: 'host', to: now, top: 5 })).rows;
    expect(hosts[0]).toMatchObject({ key: null, reason: 'other hosts' });
    expect(hosts[1]?.key).toMatch(/^host-\d+-0\./);
  });

  test('takes only as much as it must, and only once', () => {
    const history = recorded(Array.from({ length: 20 }, (_, day) => many(day)));
    const now = START + 20 * DAY;
    prune(history, now);
    const limit = history.bytes - 4096;
    prune(history, now, limit);
    expect(history.bytes).toBeLessThanOrEqual(limit);
    expect(history.bytes).toBeGreaterThan(limit * 0.7);
    const image = history.image();
    expect(prune(history, now, limit)).toBe(1);
    expect(Buffer.compare(history.image(), image)).toBe(0);
  });

  test('that is out of reach leaves the current hour and day', () => {
    const history = recorded(Array.from({ length: 5 }, (_, day) => many(day)));
    const now = START + 4 * DAY + 5 * MINUTE;
    prune(history, now, 1);
    expect([count(history, 'minute'), count(history, 'flow'), count(history, 'hour')]).toEqual([800, 0, 800]);
    expect(history.query(question({ to: now })).total.rxBytes).toBe(5 * 800 * 600.5);
  });

  test('shrinks once there are many free pages', () => {
    const history = recorded(Array.from({ length: 20 }, (_, day) => many(day)));
    const before = history.bytes;
    prune(history, START + 2000 * DAY);
    expect(history.bytes).toBeLessThan(before * 0.8);
  });
});

describe('a wrong clock', () => {
  test('that was ahead costs later records no detail', () => {
    const history = recorded([
      batch(NOVEMBER + 600, [entry({ rxBytes: 1 })]),
      batch(NOVEMBER + 3000 * 1440, [entry({ rxBytes: 2 })]),
    ]);
    prune(history, START + 3000 * DAY);
    expect(resolution(history, START + 11 * HOUR)).toBe(DAY);
    prune(history, START + 11 * HOUR);
    history.apply(3, batch(NOVEMBER + 700, [entry({ rxBytes: 4 })]));
    history.apply(4, batch(NOVEMBER + 1440 + 61, [entry({ rxBytes: 8 })]));
    expect(resolution(history, START + DAY)).toBe(MINUTE);
    const ever = question({ from: 0, to: START + 4000 * DAY });
    expect(history.query(ever).total.rxBytes).toBe(15);
    expect(history.query({ ...ever, by: 'hour' }, utcZone).rows.map((row) => [row.key, row.rxBytes])).toEqual([
      [null, 5],
      ['2026-11-02T01:00:00+00:00', 8],
      ['2035-01-18T00:00:00+00:00', 2],
    ]);
  });

  test('that was set back books into the tables that are still kept', () => {
    const history = recorded(hourly(3));
    prune(history, START + 3 * DAY);
    history.apply(1000, batch(NOVEMBER + 90, [entry({ rxBytes: 100_000 })]));
    expect([count(history, 'minute'), count(history, 'hour')]).toEqual([48, 72]);
    const { rows } = history.query(question({ by: 'hour', to: START + 3 * HOUR }), utcZone);
    expect(rows.map((row) => row.rxBytes)).toEqual([10, 100_010, 10]);
  });

  test('that was set back further books into days alone, with the right sums', () => {
    const history = recorded(hourly(70));
    prune(history, START + 70 * DAY);
    history.apply(5000, batch(NOVEMBER + 90, [entry({ rxBytes: 100_000 })]));
    expect([count(history, 'minute'), count(history, 'hour'), count(history, 'day')]).toEqual([48, 60 * 24, 70]);
    expect(history.query(question({ to: START + DAY })).total.rxBytes).toBe(100_240);
  });
});

describe('the retention clock', () => {
  const now = START;
  const at = (change: Partial<RetentionTime>): RetentionTime => ({ now, wall: now, elapsedMs: 600_000, ...change });

  test('follows the wall clock while that keeps pace with the monotonic one', () => {
    expect(retentionClock(now - 600_000, null, at({}))).toBe(now);
    expect(retentionClock(null, null, at({}))).toBe(now);
    expect(retentionClock(null, now - HOUR, at({}))).toBe(now);
  });

  test('runs at most eight times as fast, and a day at a time', () => {
    const wall = now + 3650 * DAY;
    expect(retentionClock(now, null, at({ now: wall, wall, elapsedMs: 11_000 }))).toBe(now + 88_000);
    expect(retentionClock(now, null, at({ now: wall, wall, elapsedMs: 1.7 }))).toBe(now + 13);
    expect(retentionClock(now, null, at({ now: wall, wall, elapsedMs: 90 * DAY }))).toBe(now + DAY);
    expect(retentionClock(null, now, at({ now: wall, wall, elapsedMs: 0 }))).toBe(now);
  });

  test('has whole milliseconds, even if the packets of a replay have microseconds', () => {
    expect(retentionClock(null, null, at({ now: now - 0.25 }))).toBe(now - 1);
    expect(retentionClock(now - HOUR, null, at({ now: now - 0.25, elapsedMs: 3_599_999.9 }))).toBe(now - 1);
  });

  test('goes back with the wall clock only, not with the packets of a replay', () => {
    expect(retentionClock(now, null, at({ now: now - 400 * DAY }))).toBe(now);
    expect(retentionClock(now + 3650 * DAY, null, at({}))).toBe(now);
  });
});

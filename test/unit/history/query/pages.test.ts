// Exports: records and flows page by page, in order, each once, as they were given; first contacts.

import { beforeAll, describe, expect, test } from 'vitest';
import { HistoryDatabase } from '../../../../src/history/database.ts';
import { batch, DAY, entry, fileOf, HOUR, loggedFlow, MINUTE, NOVEMBER, sqlJs } from '../../../support/history.ts';

const START = NOVEMBER * MINUTE;
const END = START + 400 * DAY;
let sql: Awaited<ReturnType<typeof sqlJs>>;
beforeAll(async () => {
  sql = await sqlJs();
});

function pages<Row, Cursor>(page: (cursor: Cursor | null) => { rows: readonly Row[]; next: Cursor | null }): Row[][] {
  const all: Row[][] = [];
  for (let cursor: Cursor | null = null; ; ) {
    const { rows, next } = page(cursor);
    all.push([...rows]);
    if (next === null) return all;
    cursor = next;
  }
}

describe('records', () => {
  test('come in order of time from the finest tables, in pages of any size', () => {
    const history = HistoryDatabase.create(sql);
    for (let day = 0; day < 64; day += 3)
      history.apply(
        day + 1,
        batch(NOVEMBER + day * 1440 + 61, [entry({ rxBytes: day + 1 }), entry({ app: null, reason: 'forwarded', txBytes: 1 })]),
      );
    while (history.prune(START + 64 * DAY, 1e9));
    const all = pages((cursor: Parameters<typeof history.records>[3] | null) => history.records(START, END, 1000, cursor)).flat();
    expect(all.length).toBe(44);
    expect([...new Set(all.map((record) => record.spanMs))]).toEqual([DAY, HOUR, MINUTE]);
    expect(all.map((record) => record.time)).toEqual(all.map((record) => record.time).toSorted((a, b) => a - b));
    expect(all.at(-1)).toMatchObject({ app: null, exe: '/usr/bin/curl', txBytes: 1, time: START + 63 * DAY + 61 * MINUTE });
    for (const size of [1, 3, 7, 22, 44]) {
      const paged = pages((cursor: Parameters<typeof history.records>[3] | null) => history.records(START, END, size, cursor));
      expect(paged.flat()).toEqual(all);
      expect(Math.max(...paged.map((page) => page.length))).toBe(size);
    }
    const part = history.records(START + 63 * DAY, END, 10);
    expect(part).toEqual({ rows: all.slice(-2), next: null });
    expect(history.records(END, END + DAY, 10)).toEqual({ rows: [], next: null });
  });
});

describe('flows', () => {
  const flows = Array.from({ length: 10 }, (_, i) =>
    loggedFlow({ start: START + i * HOUR, end: START + i * HOUR + 30 * MINUTE, localPort: 40_000 + i, pid: i === 3 ? null : i }),
  );

  test('come as they were given', () => {
    const history = HistoryDatabase.create(sql);
    const odd = loggedFlow({
      app: null,
      exe: null,
      reason: 'forwarded',
      attribution: 'none',
      host: null,
      domain: null,
      nameSource: 'none',
      application: null,
      category: null,
    });
    history.apply(1, batch(NOVEMBER, [], [...flows, odd]));
    expect(history.flows(START, END, 100).rows).toEqual([...flows, odd]);
    const paged = pages((cursor: Parameters<typeof history.flows>[3] | null) => history.flows(START, END, 4, cursor));
    expect(paged.map((page) => page.length)).toEqual([4, 4, 3]);
    expect(paged.flat()).toEqual([...flows, odd]);
  });

  test('are those that were open in the stretch', () => {
    const history = HistoryDatabase.create(sql);
    history.apply(1, batch(NOVEMBER, [], flows));
    const ports = (from: number, to: number) =>
      history.flows(START + from, START + to, 100).rows.map((flow) => flow.localPort - 40_000);
    expect(ports(10 * MINUTE, 20 * MINUTE)).toEqual([0]);
    expect(ports(45 * MINUTE, 3 * HOUR)).toEqual([1, 2]);
    expect(ports(31 * MINUTE, 59 * MINUTE)).toEqual([]);
  });
});

describe('first contacts', () => {
  const contacts = (history: HistoryDatabase) =>
    history
      .firstSeen({ from: 0, to: END, app: null, most: 1000 })
      .map(({ app, domain, time }) => [app, domain, (time - START) / MINUTE]);

  test('are the first of each app and domain, kept when all else is gone', () => {
    const history = HistoryDatabase.create(sql);
    history.apply(
      1,
      batch(NOVEMBER + 5, [
        entry({ rxBytes: 1 }),
        entry({ rxBytes: 1, host: 'example.com' }),
        entry({ rxBytes: 1, domain: null }),
      ]),
    );
    history.apply(
      2,
      batch(NOVEMBER + 7, [entry({ rxBytes: 1 }), entry({ app: 'wget', rxBytes: 1 }), entry({ app: null, rxBytes: 1 })]),
    );
    expect(contacts(history)).toEqual([
      ['curl', 'example.com', 5],
      ['wget', 'example.com', 7],
    ]);
    while (history.prune(START + 390 * DAY, 1));
    expect(contacts(HistoryDatabase.open(sql, fileOf(history.image())))).toEqual([
      ['curl', 'example.com', 5],
      ['wget', 'example.com', 7],
    ]);
    expect(history.firstSeen({ from: START + 6 * MINUTE, to: END, app: null, most: 1000 })).toHaveLength(1);
    expect(history.firstSeen({ from: 0, to: END, app: null, most: 1 }).map(({ app }) => app)).toEqual(['curl']);
    expect(history.firstSeen({ from: 0, to: END, app: 'wget', most: 1000 }).map(({ app }) => app)).toEqual(['wget']);
    expect(history.firstSeen({ from: 0, to: END, app: 'never', most: 1000 })).toEqual([]);
  });

  test('tell all names that were met, also of apps that reached none', () => {
    const history = HistoryDatabase.create(sql);
    history.apply(
      1,
      batch(NOVEMBER + 5, [
        entry({ rxBytes: 1 }),
        entry({ app: 'ping', domain: null, rxBytes: 1 }),
        entry({ app: null, rxBytes: 1 }),
      ]),
    );
    const { apps, domains } = history.knownNames(100);
    expect([apps.toSorted(), domains]).toEqual([['curl', 'ping'], ['example.com']]);
    expect(history.knownNames(1).apps).toHaveLength(1);
  });

  test('that a correction leaves without any record were none', () => {
    const history = HistoryDatabase.create(sql);
    history.apply(1, batch(NOVEMBER + 5, [entry({ rxBytes: 10, flows: 1 }), entry({ app: 'wget', rxBytes: 10, flows: 1 })]));
    history.apply(2, batch(NOVEMBER + 6, [entry({ rxBytes: -10, flows: -1 }), entry({ app: 'wget', rxBytes: -4 })]));
    expect(contacts(history)).toEqual([['wget', 'example.com', 5]]);
  });
});

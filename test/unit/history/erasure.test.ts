import { describe, expect, it } from 'vitest';
import { HistoryDatabase } from '../../../src/history/database.ts';
import { batch, DAY, entry, loggedFlow, MINUTE, NOVEMBER, question, sqlJs } from '../../support/history.ts';

const SIZE = 200_000_000;
const ALL_TIME = { from: 0, to: Number.MAX_SAFE_INTEGER, app: null, most: 1000 };
const at = (day: number) => (NOVEMBER * MINUTE) / 1 + day * DAY;

/** Four days, each with 100 bytes of curl and 10 of wget at noon. */
async function fourDays(): Promise<HistoryDatabase> {
  const database = HistoryDatabase.create(await sqlJs());
  for (let day = 0; day < 4; day++) {
    const noon = at(day) / MINUTE + 720;
    const secret = entry({
      app: 'wget',
      exe: '/usr/bin/wget',
      host: 'secret.example.org',
      domain: 'example.org',
      rxBytes: 10,
      rxPackets: 1,
      flows: 1,
    });
    const flows = [
      loggedFlow({ start: noon * MINUTE, end: noon * MINUTE + 5 }),
      loggedFlow({ app: 'wget', host: 'secret.example.org', start: noon * MINUTE, end: noon * MINUTE + 5 }),
    ];
    database.apply(day + 1, batch(noon, [entry({ rxBytes: 100, rxPackets: 1, flows: 1 }), secret], flows));
  }
  return database;
}

function settle(database: HistoryDatabase): void {
  for (let steps = 0; database.prune(at(4), SIZE); steps++) if (steps > 100) throw new Error('it never ends');
}

const sums = (database: HistoryDatabase, change = {}) =>
  Object.fromEntries(database.query(question(change)).rows.map(({ key, rxBytes }) => [key ?? '', rxBytes]));
const text = (database: HistoryDatabase) => Buffer.from(database.image()).toString('latin1');

describe('erase', () => {
  it('deletes whole days before a time, in every tier and in the log', async () => {
    const database = await fourDays();
    database.erase({ before: at(2) + 5 * 3_600_000, app: null });
    settle(database);
    expect(sums(database)).toEqual({ curl: 200, wget: 20 });
    expect(sums(database, { by: 'day' })).toSatisfy((days: object) => Object.keys(days).length === 2);
    expect(database.query(question()).oldest).toBe(at(2));
    expect(database.flows(0, at(10), 100).rows).toHaveLength(4);
    for (const table of ['minute', 'hour', 'day'])
      expect(database.sql(`SELECT SUM(rx) FROM ${table}`, { rows: 1, timeoutMs: 1000 }).rows).toEqual([[220]]);
    expect(database.firstSeen(ALL_TIME)).toHaveLength(2);
    database.close();
  });

  it('deletes an app altogether, its name and its hosts out of the file too', async () => {
    const database = await fourDays();
    expect(text(database)).toContain('secret.example.org');
    database.erase({ before: null, app: 'wget' });
    settle(database);
    expect(sums(database)).toEqual({ curl: 400 });
    expect(database.firstSeen(ALL_TIME).map(({ app }) => app)).toEqual(['curl']);
    expect(text(database)).not.toContain('secret.example.org');
    expect(text(database)).not.toContain('wget');
    database.close();
  });

  it('deletes what an app did before a time, and keeps when it first came', async () => {
    const database = await fourDays();
    database.erase({ before: at(3), app: 'wget' });
    settle(database);
    expect(sums(database)).toEqual({ curl: 400, wget: 10 });
    expect(database.query(question()).oldest).toBe(at(0) + 720 * MINUTE);
    expect(database.firstSeen(ALL_TIME)).toHaveLength(2);
    database.close();
  });

  it('leaves an empty history behind when all is old, which records on', async () => {
    const database = await fourDays();
    database.erase({ before: at(9), app: null });
    settle(database);
    expect(database.query(question())).toMatchObject({ rows: [], oldest: null, newest: null });
    database.apply(5, batch(at(9) / MINUTE, [entry({ rxBytes: 7, flows: 1 })]));
    expect(sums(database)).toEqual({ curl: 7 });
    database.close();
  });

  it('does nothing for an app that was never there', async () => {
    const database = await fourDays();
    database.erase({ before: null, app: 'nobody' });
    settle(database);
    expect(sums(database)).toEqual({ curl: 400, wget: 40 });
    database.close();
  });
});

// What the watch found, in the file: written once, read back whole, deleted with its app, with its time, and when there is too much of it.

import { describe, expect, it } from 'vitest';
import { HistoryDatabase } from '../../../src/history/database.ts';
import type { WatchRecords } from '../../../src/model/history-batch.ts';
import type { FirstContact, KnownBaseline } from '../../../src/model/watch.ts';
import { alert, batch, DAY, entry, HOUR, MINUTE, NOVEMBER, sqlJs } from '../../support/history.ts';

const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER, app: null, most: 100 };
const START = NOVEMBER * MINUTE;
const LIMITS = { rows: 10, timeoutMs: 1000 };

const watchOf = (some: Partial<WatchRecords>): WatchRecords => ({ alerts: [], contacts: [], deliveries: [], ...some });

/** A history with these records of the watch, a batch each, a minute after the other. */
async function history(...found: Partial<WatchRecords>[]): Promise<HistoryDatabase> {
  const database = HistoryDatabase.create(await sqlJs());
  for (const [i, some] of found.entries())
    database.apply(i + 1, { minute: NOVEMBER + i, entries: [], flows: [], unlogged: 0, watch: watchOf(some) });
  return database;
}

const ids = (database: HistoryDatabase, change = {}) => database.alerts({ ...ALL, ...change }).map(({ id }) => id);

describe('alerts', () => {
  it('come back whole, with what became of them', async () => {
    const held = alert({ id: 'b', time: START + 5, pid: null, held: 'learning', details: [], evidence: '/tmp/b.pcapng' });
    const database = await history(
      { alerts: [alert(), held, alert()] },
      { deliveries: [{ id: 'a-1', sink: 'webhook', time: START + 9, failure: 'no route' }] },
      {
        deliveries: [
          { id: 'a-1', sink: 'webhook', time: START + 20, failure: null },
          { id: 'a-1', sink: 'syslog', time: START + 30, failure: 'gone' },
          { id: 'nobody', sink: 'syslog', time: START + 30, failure: null },
        ],
      },
    );
    const deliveries = [
      { sink: 'webhook', time: START + 20, failure: null },
      { sink: 'syslog', time: START + 30, failure: 'gone' },
    ];
    expect(database.alerts(ALL)).toEqual([
      { ...alert(), deliveries },
      { ...held, deliveries: [] },
    ]);
    expect(database.sql('SELECT time, kind, delivered, failures, held FROM alerts ORDER BY time', LIMITS).rows).toEqual([
      ['2026-11-01T00:00:00.000Z', 'new-domain', 'webhook', 'syslog: gone', null],
      ['2026-11-01T00:00:00.005Z', 'new-domain', null, null, 'learning'],
    ]);
  });

  it('are asked for by time and app, the newest of too many', async () => {
    const alerts = [0, 1, 2, 3].map((hour) =>
      alert({ id: `${hour}`, time: START + hour * HOUR, app: hour === 2 ? 'wget' : 'curl' }),
    );
    const database = await history({ alerts });
    expect(ids(database)).toEqual(['0', '1', '2', '3']);
    expect(ids(database, { from: START + HOUR, to: START + 3 * HOUR })).toEqual(['1', '2']);
    expect(ids(database, { app: 'curl', most: 2 })).toEqual(['1', '3']);
  });

  it('are stripped of what moves a cursor', async () => {
    const database = await history({
      alerts: [alert({ text: 'a\u001b[2Jb', details: ['c\nd\u202e'], app: 'e\u0007', user: null })],
      deliveries: [{ id: 'a-1', sink: 'hook', time: 1, failure: 'f\u001b]0;g' }],
    });
    expect(database.alerts(ALL)).toMatchObject([
      { text: 'a[2Jb', details: ['cd'], app: 'e', user: null, deliveries: [{ failure: 'f]0;g' }] },
    ]);
  });

  it('have a bounded number of details', async () => {
    const database = await history({ alerts: [alert({ details: Array(1000).fill('more') })] });
    expect(database.alerts(ALL)[0]?.details).toHaveLength(64);
  });

  it('go with their app, and with their time', async () => {
    const alerts = [alert({ id: 'old' }), alert({ id: 'new', time: START + 2 * DAY }), alert({ id: 'other', app: 'wget' })];
    const deliveries = alerts.map(({ id }) => ({ id, sink: 'hook', time: START, failure: null }));
    const contacts = ['curl', 'wget'].map((app) => ({ kind: 'country', time: START, app, name: 'DE' }) as const);
    const byTime = await history({ alerts, deliveries, contacts });
    byTime.erase({ before: START + DAY, app: null });
    expect(ids(byTime)).toEqual(['new']);
    const byApp = await history({ alerts, deliveries, contacts });
    byApp.erase({ before: null, app: 'curl' });
    expect(ids(byApp)).toEqual(['other']);
    expect(byApp.sql('SELECT count(*) FROM delivery', LIMITS).rows).toEqual([[1]]);
    expect(byApp.sql('SELECT app_name, kind, name FROM first_reached', LIMITS).rows).toEqual([['wget', 'country', 'DE']]);
    const byBoth = await history({ alerts, contacts });
    byBoth.erase({ before: START + DAY, app: 'curl' });
    expect(ids(byBoth)).toEqual(['other', 'new']);
    expect(byBoth.sql('SELECT count(*) FROM reached', LIMITS).rows).toEqual([[2]]);
  });

  it('are bounded: the oldest give way', async () => {
    const database = await history({ alerts: Array.from({ length: 50 }, (_, i) => alert({ id: `${i}`, time: START + i })) });
    for (let steps = 0; database.prune(START + HOUR, 700 * 20 * 10); steps++) if (steps > 100) throw new Error('it never ends');
    expect(ids(database)).toEqual(Array.from({ length: 10 }, (_, i) => `${i + 40}`));
  });
});

describe('a baseline', () => {
  const namesOf = ({ apps, domains, contacts }: KnownBaseline) =>
    Object.entries({ domain: domains, ...contacts }).flatMap(([kind, { apps: places, names }]) =>
      places.map((place, i) => [kind, apps[place]?.app, names[i]]),
    );
  const contact = (kind: FirstContact['kind'], app: string, name: string, minute: number): FirstContact => ({
    kind,
    app,
    name,
    time: START + minute * MINUTE + 5000,
  });
  const settle = (database: HistoryDatabase, now: number) => {
    for (let steps = 0; database.prune(now, 200_000_000); steps++) if (steps > 100) throw new Error('it never ends');
  };

  it('knows what each app reached, since when, and keeps it through a sweep', async () => {
    const database = await history({
      contacts: [
        contact('country', 'curl', 'DE', 0),
        contact('network', 'curl', 'AS64500', 0),
        contact('country', 'curl', 'DE', 1),
        contact('inbound', 'sshd', 'tcp/22', 2),
      ],
    });
    database.apply(2, batch(NOVEMBER + 3, [entry({ rxBytes: 1 })]));
    settle(database, START + HOUR);
    const baseline = database.baseline({ now: START + HOUR, most: 100 });
    expect(namesOf(baseline)).toEqual([
      ['domain', 'curl', 'example.com'],
      ['country', 'curl', 'DE'],
      ['network', 'curl', 'AS64500'],
      ['inbound', 'sshd', 'tcp/22'],
    ]);
    expect(baseline).toMatchObject({ isCut: false, recordedMs: HOUR, contactsMs: HOUR });
    expect(baseline.apps).toEqual([
      { app: 'curl', exes: ['/usr/bin/curl'], first: START, recordedMs: HOUR, peakTx: 0, hourTx: 0 },
      { app: 'sshd', exes: [], first: START + 2 * MINUTE, recordedMs: HOUR, peakTx: 0, hourTx: 0 },
    ]);
    expect(database.baseline({ now: START + HOUR, most: 1 }).isCut).toBe(true);
  });

  it('knows what an app sent in this hour, and the most in another, without earlier months and its own machine', async () => {
    const database = await history();
    const book = (hour: number, txBytes: number, change = {}) =>
      database.apply(database.applied + 1, batch(NOVEMBER + hour * 60, [entry({ txBytes, ...change })]));
    book(-24 * 31, 1e9);
    for (let hour = 0; hour < 99; hour++) book(hour, 100);
    book(99, 600);
    book(99, 400, { host: 'other.example.com' });
    book(99, 5e9, { direction: 'local' });
    book(100, 7e9);
    book(50, 1, { app: 'new' });
    book(100, 3, { direction: 'local' });
    const { apps, recordedMs, contactsMs, hour } = database.baseline({ now: START + 100.5 * HOUR, most: 10 });
    expect(apps.map(({ app, recordedMs: watched, peakTx, hourTx }) => [app, watched / HOUR, peakTx, hourTx])).toEqual([
      ['curl', 102, 1000, 7e9],
      ['new', 51, 1, 0],
    ]);
    expect([recordedMs / HOUR, contactsMs, hour]).toEqual([102, 0, START / HOUR + 100]);
  });

  it('of years counts days, where hours are gone', async () => {
    const database = await history();
    database.apply(1, batch(NOVEMBER - 1440 * 90 + 700, [entry({ rxBytes: 1 })]));
    database.apply(2, batch(NOVEMBER, [entry({ app: 'new', domain: null, rxBytes: 1 })]));
    settle(database, START);
    const { apps } = database.baseline({ now: START + HOUR, most: 10 });
    expect(apps.map(({ app, first, recordedMs }) => [app, first, recordedMs / HOUR])).toEqual([
      ['curl', START - 90 * DAY, 25],
      ['new', START, 1],
    ]);
  });

  it('is bounded: an app that meets the whole world keeps 4096 networks', async () => {
    const contacts = Array.from({ length: 5000 }, (_, i) => contact('network', 'torrent', `AS${i}`, 0));
    const database = await history({ contacts: [...contacts, contact('network', 'curl', 'AS4999', 0)] });
    const kept = namesOf(database.baseline({ now: START, most: 100_000 }));
    expect(kept.filter(([, app]) => app === 'torrent')).toHaveLength(4096);
    expect(kept.filter(([, app]) => app === 'curl')).toHaveLength(1);
  });
});

// What history knows from earlier runs reaches the log once, or a failure does, and the file is closed in every case.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EventLog, NAMES } from '../../../src/aggregate/event-log.ts';
import { KnownHistoryQuery } from '../../../src/app/known-history.ts';
import type { KnownAmounts, KnownBaseline } from '../../../src/model/watch.ts';
import { rulePeriod } from '../../../src/watch/rules.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { appRow, hostRow, NOON, snapshot } from '../../support/snapshot-builder.ts';
import { historyResult } from '../cli/history/answers.ts';
import { FakeReader } from '../cli/history/fake-io.ts';

let log: EventLog;
let query: KnownHistoryQuery | null = null;
beforeEach(() => {
  vi.useFakeTimers();
  log = new EventLog(null);
});
afterEach(() => {
  query?.close();
  vi.useRealTimers();
});

const ask = (open: (() => Promise<FakeReader>) | null) =>
  new KnownHistoryQuery({ log, watchman: null, open, records: false, budget: null, rules: [], clock: new FakeClock() });
const settle = () => vi.advanceTimersByTimeAsync(0);
/** Events of a tick in the first second of a run, without the first. */
const told = () => {
  const apps = [appRow({ id: 'a', app: 'curl' }), appRow({ id: 'b', app: 'wget' })];
  const hosts = [hostRow({ id: 'h', domain: 'example.com' })];
  const events = log.next(snapshot({ started: NOON, time: NOON + 1000, apps, hosts }), 0);
  return events.slice(1).map(({ kind, app, domain, text }) => `${kind}: ${domain ?? app ?? text}`);
};
const NEW_IN_RUN = 'apps and domains count as new after the first minute of this run';

describe('known history', () => {
  test('names what earlier runs recorded, and closes the file', async () => {
    const reader = new FakeReader();
    reader.seen = [{ app: 'curl', domain: 'example.com', time: 0 }];
    query = ask(() => Promise.resolve(reader));
    expect(told()).toEqual([]);
    await settle();
    expect(told()).toEqual(['start: met before, by history: apps 1, domains 1', 'new app: wget']);
    expect(reader.closed).toBe(1);
  });

  test('says so if there is no history, or an empty one', async () => {
    query = ask(null);
    expect(told()).toEqual([`start: no history: ${NEW_IN_RUN}`]);
    log = new EventLog(null);
    query = ask(() => Promise.resolve(new FakeReader()));
    await settle();
    expect(told()).toEqual([`start: history is empty: ${NEW_IN_RUN}`]);
  });

  test('says why history could not be read', async () => {
    query = ask(() => Promise.reject(new Error('the history file /h: permission denied')));
    await settle();
    expect(told()).toEqual([`start: the history file /h: permission denied: ${NEW_IN_RUN}`]);
  });

  test('is not waited for longer than 15 seconds, and a later answer is ignored', async () => {
    const reader = new FakeReader();
    let answer: (met: { apps: string[]; domains: string[] }) => void = () => {};
    reader.knownNames = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    query = ask(() => Promise.resolve(reader));
    await vi.advanceTimersByTimeAsync(15_000);
    expect(told()).toEqual([`start: history did not answer in time: ${NEW_IN_RUN}`]);
    expect(reader.closed).toBe(1);
    answer({ apps: ['curl'], domains: [] });
    await settle();
    expect(told()).toHaveLength(1);
  });

  test('calls no name new if more are known than were read', async () => {
    const reader = new FakeReader();
    reader.knownNames = () =>
      Promise.resolve({ apps: Array.from({ length: NAMES }, (_, i) => `app ${i}`), domains: ['example.org'] });
    query = ask(() => Promise.resolve(reader));
    await settle();
    expect(told().slice(1)).toEqual(['new domain: example.com']);
  });

  test('tells the watch what is usual and what was moved; or that nothing is known', async () => {
    const told: unknown[] = [];
    const watchman = {
      know: (known: KnownBaseline | null) => void told.push(known?.recordedMs ?? null),
      knowAmounts: (known: KnownAmounts | null) => void told.push(known && [known.budget, ...known.rules]),
    };
    const budget = { bytes: 5e9, day: 1, interface: 'en0', units: 'bytes' } as const;
    const rule = { name: 'much', when: 'app:rclone', over: { bytes: 5e9, per: 'day' }, forMs: null, severity: null } as const;
    const rules = [rule, { ...rule, name: 'port', when: 'port:443' }, { ...rule, name: 'any', over: null }];
    const clock = new FakeClock();
    const parts = { log: null, watchman, budget, rules, clock };
    const reader = new FakeReader();
    reader.answer = (query) => {
      const total = { ...historyResult([]).total, rxBytes: query.filter === null ? 7 : 70, txBytes: 5 };
      return historyResult([], { query, total });
    };
    const { from } = rulePeriod(clock.now(), 'day');
    query = new KnownHistoryQuery({ ...parts, open: () => Promise.resolve(reader), records: true });
    await settle();
    expect(reader.asked).toMatchObject([
      { interface: 'en0', app: null, filter: null, to: clock.now() },
      { interface: null, filter: '(app:rclone) and dir!=transit', from, to: clock.now() },
    ]);
    query = new KnownHistoryQuery({ ...parts, open: () => Promise.reject(new Error('no')), records: true });
    await settle();
    query = new KnownHistoryQuery({ ...parts, open: null, records: true });
    query = new KnownHistoryQuery({ ...parts, open: null, records: false });
    expect(told).toEqual([expect.any(Number), [12, ['much', { from, bytes: 75 }]], null, null, 0, null, null, null]);
  });

  test('tells the watch what is usual even if amounts take too long', async () => {
    const told: unknown[] = [];
    const watchman = {
      know: (known: unknown) => void told.push(known !== null),
      knowAmounts: (known: unknown) => void told.push(known),
    };
    const rule = { name: 'much', when: 'app:rclone', over: { bytes: 5e9, per: 'day' }, forMs: null, severity: null } as const;
    const reader = new FakeReader();
    reader.query = () => new Promise(() => {});
    const open = () => Promise.resolve(reader);
    query = new KnownHistoryQuery({
      log: null,
      watchman,
      budget: null,
      rules: [rule],
      clock: new FakeClock(),
      open,
      records: true,
    });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(told).toEqual([true, null]);
  });
});

// What history knows of before: told to the log once, a failure or a silence told instead, the file closed in every case.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EventLog, NAMES } from '../../../src/aggregate/event-log.ts';
import { Introduction } from '../../../src/app/known-history.ts';
import { appRow, hostRow, NOON, snapshot } from '../../support/snapshot-builder.ts';
import { FakeReader } from '../cli/history/fake-room.ts';

let log: EventLog;
let introduction: Introduction;
beforeEach(() => {
  vi.useFakeTimers();
  log = new EventLog(null);
  introduction = new Introduction(log);
});
afterEach(() => {
  introduction.close();
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(0);
/** What is told of a tick in the first second of a run, without its first line. */
const told = () => {
  const apps = [appRow({ id: 'a', app: 'curl' }), appRow({ id: 'b', app: 'wget' })];
  const hosts = [hostRow({ id: 'h', domain: 'example.com' })];
  const events = log.next(snapshot({ started: NOON, time: NOON + 1000, apps, hosts }), 0);
  return events.slice(1).map(({ kind, app, domain, text }) => `${kind}: ${domain ?? app ?? text}`);
};
const NEW_IN_RUN = 'what is met after the first minute is new in this run';

describe('an introduction', () => {
  test('makes known what was recorded before, and leaves the file', async () => {
    const reader = new FakeReader();
    reader.seen = [{ app: 'curl', domain: 'example.com', time: 0 }];
    introduction.begin(() => Promise.resolve(reader));
    expect(told()).toEqual([]);
    await settle();
    expect(told()).toEqual(['start: met before, by history: apps 1, domains 1', 'new app: wget']);
    expect(reader.closed).toBe(1);
  });

  test('without history, or with an empty one, says so', async () => {
    introduction.begin(null);
    expect(told()).toEqual([`start: no history: ${NEW_IN_RUN}`]);
    log = new EventLog(null);
    introduction = new Introduction(log);
    introduction.begin(() => Promise.resolve(new FakeReader()));
    await settle();
    expect(told()).toEqual([`start: history is empty: ${NEW_IN_RUN}`]);
  });

  test('says why history could not be read', async () => {
    introduction.begin(() => Promise.reject(new Error('the history file /h: permission denied')));
    await settle();
    expect(told()).toEqual([`start: the history file /h: permission denied: ${NEW_IN_RUN}`]);
  });

  test('does not wait for ever, and takes no answer that comes later', async () => {
    const reader = new FakeReader();
    let answer: (met: { apps: string[]; domains: string[] }) => void = () => {};
    reader.met = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    introduction.begin(() => Promise.resolve(reader));
    await vi.advanceTimersByTimeAsync(15_000);
    expect(told()).toEqual([`start: history did not answer in time: ${NEW_IN_RUN}`]);
    expect(reader.closed).toBe(1);
    answer({ apps: ['curl'], domains: [] });
    await settle();
    expect(told()).toHaveLength(1);
  });

  test('of more names than are held calls none of the others new', async () => {
    const reader = new FakeReader();
    reader.met = () => Promise.resolve({ apps: Array.from({ length: NAMES }, (_, i) => `app ${i}`), domains: ['example.org'] });
    introduction.begin(() => Promise.resolve(reader));
    await settle();
    expect(told().slice(1)).toEqual(['new domain: example.com']);
  });
});

// Questions of the screen and their answers: the file is opened once, read anew when it is stale, what is overtaken is not asked, failures are
// answers.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HistoryAnswers } from '../../../src/app/history-answers.ts';
import { missingHistory } from '../../../src/history/files.ts';
import type { FirstSeenQuery } from '../../../src/history/query/pages.ts';
import type { HistoryReader } from '../../../src/history/query/reader.ts';
import { NetmonError } from '../../../src/model/errors.ts';
import type { HistoryAnswer, HistoryQuery } from '../../../src/model/history.ts';
import type { HistoryRequest, HistorySlot } from '../../../src/view/history/state.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeHistory } from '../../support/fake-history.ts';

const DAY = 86_400_000;
const model = new FakeHistory({ oldest: 0, newest: 10 * DAY, apps: ['curl'] });

/** A reader whose calls are counted, and answered when the test says so. */
class SlowReader {
  opened = 0;
  refreshed = 0;
  closed = 0;
  failure: Error | null = null;
  readonly asked: HistoryQuery[] = [];
  #held: (() => void)[] = [];

  async open(): Promise<HistoryReader> {
    this.opened++;
    if (this.failure !== null) throw this.failure;
    return {
      query: (query: HistoryQuery) => {
        this.asked.push(query);
        return new Promise((resolve) => this.#held.push(() => resolve(model.query(query))));
      },
      firstSeen: async ({ app }: FirstSeenQuery) =>
        [
          { app: 'curl', domain: 'example.com', time: 5 },
          { app: 'ssh', domain: 'example.org', time: 6 },
        ].filter((pair) => pair.app === app),
      refresh: async () => void this.refreshed++,
      close: async () => void this.closed++,
    } as unknown as HistoryReader;
  }

  async answer(): Promise<void> {
    for (const go of this.#held.splice(0)) go();
    await flush();
  }
}

const flush = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

const clock = new FakeClock();
const told: { slot: HistorySlot; serial: number; answer: HistoryAnswer }[] = [];
let reader: SlowReader;
let answers: HistoryAnswers;
let serial = 0;

const rows = (slot: HistorySlot, to = DAY): HistoryRequest => ({
  slot,
  serial: ++serial,
  question: {
    kind: 'rows',
    query: { from: 0, to, by: 'app', app: null, domain: null, category: null, interface: null, filter: null, top: 10, steps: 0 },
  },
});

function start(path: string | null = '/tmp/h.sqlite'): void {
  reader = new SlowReader();
  answers = new HistoryAnswers({
    path,
    open: () => reader.open(),
    clock,
    tell: (slot, number, answer) => told.push({ slot, serial: number, answer }),
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  told.length = 0;
  start();
});

afterEach(async () => {
  await answers.close();
  vi.useRealTimers();
});

describe('questions', () => {
  test('are asked one at a time, in order, of one reader', async () => {
    const [first, second] = [rows('chart'), rows('apps')];
    answers.ask([first, second]);
    await flush();
    expect(reader.asked.length).toBe(1);
    await reader.answer();
    await reader.answer();
    expect(told.map(({ slot, serial: number }) => [slot, number])).toEqual([
      ['chart', first.serial],
      ['apps', second.serial],
    ]);
    expect(reader.opened).toBe(1);
    expect(told[0]?.answer).toMatchObject({ kind: 'rows', result: { query: { to: DAY } } });
  });

  test('that were overtaken are not asked', async () => {
    answers.ask([rows('chart'), rows('apps', 2 * DAY)]);
    const last = rows('apps', 3 * DAY);
    await flush();
    answers.ask([rows('apps', 4 * DAY)]);
    answers.ask([last]);
    for (let i = 0; i < 5; i++) await reader.answer();
    expect(reader.asked.map(({ to }) => to)).toEqual([DAY, 3 * DAY]);
    expect(told.at(-1)?.serial).toBe(last.serial);
  });

  test('about an app get its own domains alone', async () => {
    answers.ask([{ slot: 'first', serial: 9, question: { kind: 'first-seen', app: 'curl' } }]);
    await flush();
    expect(told).toEqual([
      {
        slot: 'first',
        serial: 9,
        answer: { kind: 'first-seen', app: 'curl', domains: [{ domain: 'example.com', time: 5 }], isCut: false },
      },
    ]);
  });
});

describe('the file', () => {
  const askOnce = async () => {
    answers.ask([rows('chart')]);
    await flush();
    await reader.answer();
  };

  test('is opened once, and read again when the last look is old', async () => {
    await askOnce();
    await askOnce();
    expect(reader.refreshed).toBe(0);
    clock.pass(60_000);
    await askOnce();
    expect(reader).toMatchObject({ opened: 1, refreshed: 1, closed: 0 });
    expect(told.length).toBe(3);
  });

  test('that is not there is an answer, and is looked for again', async () => {
    reader.failure = missingHistory('/tmp/h.sqlite');
    answers.ask([rows('chart'), rows('apps')]);
    await flush();
    expect(told.map(({ answer }) => answer)).toEqual([{ kind: 'missing' }, { kind: 'missing' }]);
    expect(reader.opened).toBe(1);
    reader.failure = null;
    await askOnce();
    expect(told.at(-1)?.answer.kind).toBe('rows');
  });

  test('that can not be read is a failure, with what to type', async () => {
    reader.failure = new NetmonError('history', 'the history file /h: permission denied', 'name another');
    answers.ask([rows('chart')]);
    await flush();
    expect(told[0]?.answer).toEqual({ kind: 'failed', message: 'the history file /h: permission denied', hint: 'name another' });
  });

  test('of no name has nothing recorded', async () => {
    await answers.close();
    start(null);
    answers.ask([rows('chart')]);
    await flush();
    expect(told[0]?.answer).toEqual({ kind: 'missing' });
    expect(reader.opened).toBe(0);
  });

  test('is left at the end, and nothing is told any more', async () => {
    answers.ask([rows('chart')]);
    await flush();
    await answers.close();
    await reader.answer();
    expect(told).toEqual([]);
    expect(reader.closed).toBe(1);
    answers.ask([rows('apps')]);
    await flush();
    expect(reader.asked.length).toBe(1);
  });
});

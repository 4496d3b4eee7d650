// From taken to delivered: order, retries, quiet hours, rate and digests, on a clock of the test's.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Delivery, Outcome } from '../../../src/messenger/delivery.ts';
import { Dispatcher } from '../../../src/messenger/dispatcher.ts';
import type { Message } from '../../../src/messenger/message.ts';
import { Outbox } from '../../../src/messenger/outbox.ts';
import type { Answer } from '../../../src/messenger/protocol.ts';
import type { PacingPlan } from '../../../src/model/delivery.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { alertJson } from '../../support/alerts.ts';

const NOON = new Date(2026, 0, 5, 12).getTime();
const FREE: PacingPlan = { quiet: null, most: 100, perMs: 3_600_000 };
const NIGHT: PacingPlan = { ...FREE, quiet: { from: 22 * 60, to: 7 * 60 } };
const OK: Outcome = { isDelivered: true, refused: null };
const again = (reason: string, pauseMs: number | null = null): Outcome => ({
  isDelivered: false,
  reason,
  isAgain: true,
  pauseMs,
});

/** A channel that notes what it is given, and answers as told; then with success. */
class FakeDelivery implements Delivery {
  readonly sent: Message[] = [];
  readonly channel: 'webhook' | 'command' | 'syslog';
  readonly outcomes: Outcome[];
  readonly isLog: boolean;
  readonly patienceMs = 3_600_000;

  constructor(channel: FakeDelivery['channel'], outcomes: Outcome[] = []) {
    this.channel = channel;
    this.outcomes = outcomes;
    this.isLog = channel === 'syslog';
  }

  async send(message: Message): Promise<Outcome> {
    this.sent.push(message);
    return this.outcomes.shift() ?? OK;
  }

  get ids(): string[] {
    return this.sent.map(({ alerts }) => alerts.map(({ id }) => id).join(' '));
  }
}

function setUp(plan: PacingPlan, deliveries: FakeDelivery[], outbox = Outbox.open(null, null)) {
  const answers: Answer[] = [];
  const dispatcher = new Dispatcher({ outbox, deliveries, plan, clock: systemClock, answer: (answer) => answers.push(answer) });
  const fates = () => answers.flatMap((one) => (one.type === 'done' ? [`${one.id} ${one.channel} ${one.failure}`] : []));
  const status = () => {
    dispatcher.report();
    const last = answers.at(-1);
    return last?.type === 'status' ? last.channels : [];
  };
  const take = (...ids: string[]) => dispatcher.take(ids.map((id) => alertJson({ id, time: Date.now() })));
  return { dispatcher, answers, fates, status, take, outbox };
}

beforeEach(() => void vi.useFakeTimers({ now: NOON }));
afterEach(() => void vi.useRealTimers());
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('alerts', () => {
  it('go to each channel one by one, and are done when all have them', async () => {
    const [hook, web] = [new FakeDelivery('command'), new FakeDelivery('webhook', [again('down')])];
    const { take, fates, status } = setUp(FREE, [hook, web]);
    take('a', 'b');
    await pass(0);
    expect(hook.ids).toEqual(['a', 'b']);
    expect(web.ids).toEqual(['a']);
    expect(fates()).toEqual(['a command null', 'b command null']);
    expect(status()).toEqual([
      { channel: 'command', delivered: 2, waiting: 0, lost: 0, failure: null, hold: null, next: null },
      { channel: 'webhook', delivered: 0, waiting: 2, lost: 0, failure: 'down', hold: null, next: Date.now() + 1000 },
    ]);
    await pass(1000);
    // What waited behind the failure comes as one digest.
    expect(web.ids).toEqual(['a', 'a b']);
    expect(fates().slice(2)).toEqual(['a webhook null', 'b webhook null']);
    expect(status()[1]).toMatchObject({ delivered: 2, waiting: 0, failure: null });
  });

  it('are tried again with growing pauses, or as the receiver asks, and given up in the end', async () => {
    const web = new FakeDelivery('webhook', [again('1'), again('2'), again('3', 60_000)]);
    const { take, fates, status } = setUp(FREE, [web]);
    take('a');
    await pass(999);
    expect(web.sent).toHaveLength(1);
    await pass(1);
    expect(web.sent).toHaveLength(2);
    await pass(1999);
    expect(web.sent).toHaveLength(2);
    await pass(1);
    expect(web.sent).toHaveLength(3);
    await pass(59_999);
    expect(web.sent).toHaveLength(3);
    web.outcomes.push(...Array.from({ length: 100 }, () => again('down for good')));
    await pass(3_600_000 + 300_000);
    expect(fates()).toEqual(['a webhook down for good']);
    expect(status()).toEqual([
      { channel: 'webhook', delivered: 0, waiting: 0, lost: 1, failure: 'down for good', hold: null, next: expect.anything() },
    ]);
  });

  it('that are refused for good hold up no others', async () => {
    const web = new FakeDelivery('webhook', [{ isDelivered: false, reason: 'status 400', isAgain: false, pauseMs: null }]);
    const { take, fates } = setUp(FREE, [web]);
    take('a', 'b');
    await pass(0);
    expect(fates()).toEqual(['a webhook status 400', 'b webhook null']);
  });
});

describe('quiet hours', () => {
  it('hold what is not critical, and end with one digest', async () => {
    vi.setSystemTime(new Date(2026, 0, 5, 23));
    const [web, log] = [new FakeDelivery('webhook'), new FakeDelivery('syslog')];
    const { take, dispatcher, status } = setUp(NIGHT, [web, log]);
    take('a');
    await pass(3_600_000);
    take('b');
    dispatcher.take([alertJson({ id: 'c', severity: 'critical', time: Date.now() })]);
    await pass(0);
    expect(web.ids).toEqual(['c']);
    expect(log.ids).toEqual(['a', 'b', 'c']); // a log wakes nobody
    expect(status()).toMatchObject([
      { waiting: 2, hold: 'quiet', next: new Date(2026, 0, 6, 7).getTime() },
      { waiting: 0, hold: null, next: null },
    ]);
    await pass(7 * 3_600_000 - 1);
    expect(web.ids).toEqual(['c']);
    await pass(1);
    expect(web.ids).toEqual(['c', 'a b']);
    expect(web.sent[1]).toMatchObject({ title: 'netmon-tui: 2 alerts', alert: null });
  });

  it('hold what could not be delivered before', async () => {
    vi.setSystemTime(new Date(2026, 0, 5, 21, 59, 59, 500));
    const web = new FakeDelivery('webhook', [again('down')]);
    const { take } = setUp(NIGHT, [web]);
    take('a');
    await pass(8 * 3_600_000);
    expect(web.sent).toHaveLength(1);
    await pass(3_600_000 + 300_000);
    expect(web.ids).toEqual(['a', 'a']);
  });
});

it('the rate makes a digest of what is too much', async () => {
  const web = new FakeDelivery('webhook');
  const { take } = setUp({ quiet: null, most: 2, perMs: 60_000 }, [web]);
  take('a');
  await pass(10_000);
  take('b', 'c', 'd');
  await pass(10_000);
  take('e');
  expect(web.ids).toEqual(['a', 'b']);
  await pass(39_999);
  expect(web.ids).toEqual(['a', 'b']);
  await pass(1);
  expect(web.ids).toEqual(['a', 'b', 'c d e']);
});

describe('what an earlier messenger left behind', () => {
  const left = () => {
    const outbox = Outbox.open(null, null);
    outbox.add([alertJson({ id: 'a' })], ['webhook', 'command']);
    outbox.add([alertJson({ id: 'b' })], ['command']);
    outbox.add([alertJson({ id: 'c' })], ['syslog']);
    return outbox;
  };

  it('goes out together, to those who did not have it', async () => {
    const [hook, web] = [new FakeDelivery('command'), new FakeDelivery('webhook')];
    const { fates, outbox } = setUp(FREE, [hook, web], left());
    await pass(0);
    expect(hook.ids).toEqual(['a b']);
    expect(web.ids).toEqual(['a']);
    expect(fates().sort()).toEqual(['a command null', 'a webhook null', 'b command null']);
    expect(outbox.waiting).toEqual([]); // nobody asks for the log any more
  });

  it('waits for the end of quiet hours, too', async () => {
    vi.setSystemTime(new Date(2026, 0, 5, 23));
    const hook = new FakeDelivery('command');
    setUp(NIGHT, [hook], left());
    await pass(3_600_000);
    expect(hook.ids).toEqual([]);
  });
});

it('the end waits for what is being sent, not for what failed', async () => {
  let finish: (outcome: Outcome) => void = () => {};
  const slow = new FakeDelivery('command');
  slow.send = () => new Promise((resolve) => (finish = resolve));
  const { take, dispatcher } = setUp(FREE, [slow, new FakeDelivery('webhook', [again('down')])]);
  take('a');
  await pass(0);
  let isIdle = false;
  void dispatcher.idle().then(() => (isIdle = true));
  await pass(0);
  expect(isIdle).toBe(false);
  finish(OK);
  await pass(0);
  expect(isIdle).toBe(true);
});

it('a critical alert passes by what waits for the end of quiet hours', async () => {
  vi.setSystemTime(new Date(2026, 0, 5, 21, 59, 59));
  const web = new FakeDelivery('webhook', [again('down')]);
  const { take, dispatcher } = setUp(NIGHT, [web]);
  take('a');
  await pass(60_000);
  dispatcher.take([alertJson({ id: 'b', time: Date.now(), severity: 'critical' })]);
  await pass(0);
  expect(web.ids).toEqual(['a', 'b']);
  await pass(9 * 3_600_000 + 300_000);
  expect(web.ids).toEqual(['a', 'b', 'a']);
});

it('in quiet hours the rate holds a critical alert for its own time only', async () => {
  vi.setSystemTime(new Date(2026, 0, 5, 23));
  const web = new FakeDelivery('webhook');
  const { take, dispatcher } = setUp({ ...NIGHT, most: 1 }, [web]);
  const critical = (id: string) => dispatcher.take([alertJson({ id, time: Date.now(), severity: 'critical' })]);
  take('a');
  critical('b');
  critical('c');
  await pass(0);
  expect(web.ids).toEqual(['b']);
  await pass(3_600_000);
  expect(web.ids).toEqual(['b', 'c']);
  await pass(8 * 3_600_000);
  expect(web.ids).toEqual(['b', 'c', 'a']);
});

it('the end finishes what is being sent, and begins nothing more', async () => {
  let finish: (outcome: Outcome) => void = () => {};
  const web = new FakeDelivery('webhook');
  const { take, dispatcher, outbox } = setUp(FREE, [web]);
  web.send = (message) => {
    web.sent.push(message);
    return new Promise((resolve) => (finish = resolve));
  };
  take('a', 'b');
  await pass(0);
  dispatcher.stop();
  let isOver = false;
  void dispatcher.idle().then(() => (isOver = true));
  await pass(8000);
  expect(isOver).toBe(false);
  finish(OK);
  await pass(0);
  expect(isOver).toBe(true);
  expect(web.ids).toEqual(['a']);
  expect(outbox.waiting.map(({ alert }) => alert.id)).toEqual(['b']);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CounterBook, isCounterState, MORE_APPS, MORE_INTERFACES } from '../../../src/export/counter-book.ts';
import type { MetricRow, MetricSample } from '../../../src/model/metrics.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const T0 = 20_000 * DAY;

const row = (app: string | null, fields: Partial<MetricRow> = {}): MetricRow => ({
  app,
  reason: app === null ? 'forwarded' : null,
  category: 'web',
  interface: 'eth0',
  rxBytes: 0,
  txBytes: 0,
  rxPackets: 0,
  txPackets: 0,
  flows: 0,
  ...fields,
});

function samplesOf(book: CounterBook): MetricSample[] {
  const samples: MetricSample[] = [];
  book.samples(samples);
  return samples;
}
const told = (book: CounterBook, metric: MetricSample['metric']) =>
  Object.fromEntries(
    samplesOf(book)
      .filter((sample) => sample.metric === metric)
      .map(({ labels, value }) => [labels.join(' '), value]),
  );
const received = (book: CounterBook) =>
  Object.fromEntries(
    Object.entries(told(book, 'appBytes')).flatMap(([key, value]) =>
      key.endsWith(' receive') ? [[key.slice(0, -8), value]] : [],
    ),
  );

describe('the counters', () => {
  it('sum minutes by app, category and interface', () => {
    const book = new CounterBook(8);
    book.add([row('curl', { rxBytes: 100, txBytes: 10, rxPackets: 2, txPackets: 1, flows: 1 })], T0 + MINUTE);
    book.add([row('curl', { rxBytes: 1, category: null }), row(null, { txBytes: 5, interface: 'wlan0' })], T0 + 2 * MINUTE);
    expect(told(book, 'appBytes')).toEqual({
      'curl receive': 101,
      'curl transmit': 10,
      '(forwarded) receive': 0,
      '(forwarded) transmit': 5,
    });
    expect(told(book, 'appPackets')).toMatchObject({ 'curl receive': 2, 'curl transmit': 1 });
    expect(told(book, 'appConnections')).toEqual({ curl: 1, '(forwarded)': 0 });
    expect(told(book, 'categoryBytes')).toMatchObject({ 'web receive': 100, 'web transmit': 15, '(not categorised) receive': 1 });
    expect(told(book, 'interfaceBytes')).toMatchObject({ 'eth0 receive': 101, 'wlan0 transmit': 5 });
    expect(told(book, 'settled')).toEqual({ '': (T0 + 2 * MINUTE) / 1000 });
    expect(told(book, 'reassignedBytes')).toEqual({});
  });

  it('take nothing back: what turns out to be another app’s is in series of its own', () => {
    const book = new CounterBook(8);
    book.add([row(null, { rxBytes: 1000, rxPackets: 10, flows: 1 })], T0 + MINUTE);
    book.add(
      [row(null, { rxBytes: -400, rxPackets: -4, flows: -1 }), row('curl', { rxBytes: 400, rxPackets: 4, flows: 1 })],
      T0 + 2 * MINUTE,
    );
    expect(received(book)).toEqual({ '(forwarded)': 1000, curl: 400 });
    expect(told(book, 'reassignedBytes')).toMatchObject({ 'app (forwarded) receive': 400 });
    expect(told(book, 'reassignedPackets')).toMatchObject({ 'app (forwarded) receive': 4 });
    expect(told(book, 'reassignedConnections')).toEqual({ '(forwarded)': 1 });
  });

  it('never fall and lose nothing, whatever moves, in whatever order, over days', () => {
    const change = fc.record({
      app: fc.constantFrom(null, 'a', 'b', 'c', 'd', 'e', 'f'),
      rxBytes: fc.integer({ min: -1000, max: 1_000_000 }),
      interface: fc.constantFrom('eth0', 'wlan0'),
      later: fc.constantFrom(MINUTE, MINUTE, MINUTE, DAY / 3),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), fc.nat(59), (changes, restart) => {
        let book = new CounterBook(3);
        let time = T0;
        let sum = 0;
        let falls = false;
        // What is no longer shown has kept its last value, from which it goes on if it comes back.
        const seen = new Map<string, number>();
        for (const [i, { app, rxBytes, interface: name, later }] of changes.entries()) {
          time += later;
          sum += rxBytes;
          if (i === restart)
            book = new CounterBook(3, JSON.parse(JSON.stringify(book.state())) as ReturnType<CounterBook['state']>);
          book.add([row(app, { rxBytes, interface: name })], time);
          for (const { metric, labels, value } of samplesOf(book)) {
            const key = `${metric} ${labels.join(' ')}`;
            falls ||= value < (seen.get(key) ?? 0);
            seen.set(key, value);
          }
        }
        expect(falls).toBe(false);
        const part = (start: string) =>
          [...seen].filter(([key]) => key.startsWith(start)).reduce((all, [, value]) => all + value, 0);
        expect(part('interfaceBytes') - part('reassignedBytes interface')).toBe(sum);
        expect(part('categoryBytes') - part('reassignedBytes category')).toBe(sum);
        expect(part('appBytes') - part('reassignedBytes app')).toBe(sum);
      }),
      { numRuns: 150 },
    );
  });
});

describe('series', () => {
  it('belong to the apps that move most today; the others share one', () => {
    const book = new CounterBook(2);
    book.add([row('small', { rxBytes: 10 }), row('large', { rxBytes: 1000 }), row('middle', { rxBytes: 100 })], T0 + MINUTE);
    expect(received(book)).toEqual({ large: 1000, middle: 100, [MORE_APPS]: 10 });
    book.add([row('small', { rxBytes: 5 })], T0 + 2 * MINUTE);
    expect(received(book)).toEqual({ large: 1000, middle: 100, [MORE_APPS]: 15 });
    expect(book.seriesOf({ app: 'small', reason: null })).toBe(MORE_APPS);
    expect(book.seriesOf({ app: 'large', reason: null })).toBe('large');
  });

  it('pass to an app that moves more, and stay as they were until the day ends', () => {
    const book = new CounterBook(1);
    book.add([row('first', { rxBytes: 10 })], T0 + MINUTE);
    book.add([row('second', { rxBytes: 21 })], T0 + 2 * MINUTE);
    expect(received(book)).toEqual({ first: 10, second: 21 });
    book.add([row('first', { rxBytes: 1 })], T0 + 3 * MINUTE);
    expect(received(book)).toEqual({ first: 10, second: 21, [MORE_APPS]: 1 });
    // No third: what was given up today is bounded, too.
    book.add([row('third', { rxBytes: 9999 })], T0 + 4 * MINUTE);
    expect(received(book)).toEqual({ first: 10, second: 21, [MORE_APPS]: 10_000 });
    book.add([row('third', { rxBytes: 50 })], T0 + DAY + MINUTE);
    expect(received(book)).toEqual({ second: 21, third: 50, [MORE_APPS]: 10_000 });
  });

  it('are bounded, with any number of names from outside', () => {
    const book = new CounterBook(4);
    for (let minute = 1; minute < 3000; minute += 1) {
      const fields = { rxBytes: minute * 1000, category: `c${minute}`, interface: `veth${minute}` };
      book.add([row(`app${minute}`, fields), row(`x${minute}`, fields)], T0 + minute * 20_000);
    }
    expect(samplesOf(book).length).toBeLessThan(500);
    expect(told(book, 'interfaceBytes')[`${MORE_INTERFACES} receive`]).toBeGreaterThan(0);
    expect(JSON.stringify(book.state()).length).toBeLessThan(100_000);
  });

  it('have clean labels, which no app can choose to be taken for another', () => {
    const book = new CounterBook(8);
    const names = ['(forwarded)', MORE_APPS, '\u001b[31mred\u202e', 'x'.repeat(5000), '\ud800', ''];
    book.add(names.map((name) => row(name, { rxBytes: 1 })).concat(row(null, { rxBytes: 1 })), T0 + MINUTE);
    expect(Object.keys(received(book)).sort()).toEqual(
      ["'(forwarded)", "'(more apps)", "'(unprintable)", '(forwarded)', '[31mred', 'x'.repeat(128)].sort(),
    );
  });

  it('of TCP are only there for apps of which it told something', () => {
    const book = new CounterBook(8);
    book.add([row('curl', { rxBytes: 1 }), row('sshd', { rxBytes: 1 })], T0 + MINUTE);
    book.addTcp([{ app: 'curl', reason: null, sentAgain: 2, receivedAgain: 1, roundTrips: 4, roundTripSeconds: 0.5 }]);
    expect(told(book, 'appRetransmits')).toEqual({ 'curl receive': 1, 'curl transmit': 2 });
    expect(samplesOf(book).filter(({ metric }) => metric === 'appRoundTrip')).toEqual([
      { metric: 'appRoundTrip', labels: ['curl'], value: 0.5, count: 4 },
    ]);
  });
});

it('an app has series as soon as anything is known of it, if there is room', () => {
  const book = new CounterBook(2);
  book.addTcp([{ app: 'curl', reason: null, sentAgain: 0, receivedAgain: 0, roundTrips: 4, roundTripSeconds: 0.5 }]);
  expect(book.seriesOf({ app: 'sshd', reason: null })).toBe('sshd');
  expect(book.seriesOf({ app: 'ping', reason: null })).toBe(MORE_APPS);
  expect(samplesOf(book).find(({ metric }) => metric === 'appRoundTrip')?.labels).toEqual(['curl']);
  book.add([row('ping', { rxBytes: 1 })], T0 + MINUTE);
  expect(book.seriesOf({ app: 'ping', reason: null })).toBe('ping');
});

describe('a kept book', () => {
  it('goes on where it was', () => {
    const book = new CounterBook(1);
    book.add([row('first', { rxBytes: 10 })], T0 + MINUTE);
    book.add([row('second', { rxBytes: 21 })], T0 + 2 * MINUTE);
    const state = JSON.parse(JSON.stringify(book.state())) as unknown;
    expect(isCounterState(state)).toBe(true);
    const next = new CounterBook(1, state as ReturnType<CounterBook['state']>);
    for (const each of [book, next]) each.add([row('first', { rxBytes: 5 }), row('second', { rxBytes: 5 })], T0 + 3 * MINUTE);
    expect(samplesOf(next)).toEqual(samplesOf(book));
    expect(next.until).toBe(T0 + 3 * MINUTE);
  });

  it.each([
    null,
    [],
    {},
    { ...new CounterBook(1).state(), apps: [['a', [1, 2]]] },
    { ...new CounterBook(1).state(), ranks: [['a', -1]] },
    { ...new CounterBook(1).state(), until: 'x' },
    { ...new CounterBook(1).state(), retired: [1] },
    { ...new CounterBook(1).state(), interfaces: [['a', new Array(14).fill(Number.POSITIVE_INFINITY)]] },
  ])('is refused if it is not one: %j', (value) => expect(isCounterState(value)).toBe(false));
});

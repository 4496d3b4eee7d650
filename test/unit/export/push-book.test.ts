import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PushBook, pushStateIn } from '../../../src/export/push-book.ts';
import type { MinuteRow } from '../../../src/model/export-batch.ts';
import type { MetricSet } from '../../../src/model/metrics.ts';

const MINUTE = 60_000;
/** The turn of a minute that is not one of the fourth. */
const T0 = 1_700_000_100_000;

const row = (minute: number, fields: Partial<MinuteRow> = {}): MinuteRow => ({
  time: T0 + minute * MINUTE,
  isLate: false,
  app: 'curl',
  reason: null,
  exe: null,
  host: null,
  domain: null,
  container: null,
  category: null,
  interface: 'eth0',
  protocol: 'tcp',
  direction: 'outbound',
  rxBytes: 10,
  txBytes: 0,
  rxPackets: 1,
  txPackets: 0,
  flows: 0,
  ...fields,
});
const told = ({ time, samples }: MetricSet) =>
  [
    (time - T0) / MINUTE,
    Object.fromEntries(samples.map(({ metric, labels, value }) => [[metric, ...labels].join(' '), value])),
  ] as const;

describe('a book that is pushed', () => {
  it('has one set a minute, with what changed, and now and then everything', () => {
    const book = new PushBook(null);
    const first = book
      .add({ minutes: [row(0), row(0, { app: 'ssh' })] })
      .flat()
      .map(told);
    expect(first.map(([minute]) => minute)).toEqual([1 / MINUTE, 1]);
    expect(first[0]?.[1]).toMatchObject({
      'appBytes curl receive': 0,
      'appBytes ssh receive': 0,
      'interfaceBytes eth0 receive': 0,
    });
    expect(Object.keys(first[0]?.[1] ?? {})).not.toContain('settled');
    expect(first[1]?.[1]).toMatchObject({
      'appBytes curl receive': 10,
      'appBytes ssh receive': 10,
      'interfaceBytes eth0 receive': 20,
    });
    const [second, third] = book
      .add({ minutes: [row(2), row(1)] })
      .flat()
      .map(told);
    expect([second?.[0], third?.[0]]).toEqual([2, 3]);
    expect(book.since).toBe(T0);
    expect(second?.[1]).toMatchObject({ 'appBytes curl receive': 20 });
    expect(Object.keys(second?.[1] ?? {})).not.toContain('appBytes ssh receive');
    const whole = [...Array(4).keys()].flatMap((i) =>
      book
        .add({ minutes: [row(3 + i)] })
        .flat()
        .map(told),
    );
    expect(whole.filter(([, samples]) => 'appBytes ssh receive' in samples)).toHaveLength(1);
  });

  it('gives a minute that comes in parts, or late, times of its own after the newest', () => {
    const book = new PushBook(null);
    book.add({ minutes: [row(0)] });
    const times = [row(0), row(-7, { isLate: true, rxBytes: -3 }), row(1)]
      .flatMap((each) => book.add({ minutes: [each] }).flat())
      .map(({ time }) => time - T0);
    expect(times).toEqual([MINUTE + 1, 0, MINUTE + 2, 2 * MINUTE]); // what is taken off is a series that begins at zero
  });

  it('comes back from a clock that was days ahead', () => {
    const book = new PushBook(null);
    book.add({ minutes: [row(100_000)] });
    expect(
      book
        .add({ minutes: [row(0)] })
        .flat()
        .at(-1)?.time,
    ).toBe(T0 + MINUTE);
  });

  it('says the same however batches are cut, repeated and interrupted by restarts; nothing falls, and time goes on', () => {
    const change = fc.record({
      minute: fc.nat(5),
      app: fc.constantFrom('a', 'b', 'c'),
      rxBytes: fc.integer({ min: -50, max: 1000 }),
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.array(change, { maxLength: 5 }), fc.boolean(), fc.boolean()), { maxLength: 12 }),
        (batches) => {
          let kept: string | null = null;
          const plain = new PushBook(null);
          const values = new Map<string, number>();
          const times = new Map<string, number>();
          for (const [i, [changes, fails, restarts]] of batches.entries()) {
            const minutes = changes.map(({ minute, ...rest }) => row(i + minute, rest));
            const open = () => new PushBook(kept === null ? null : pushStateIn(kept));
            const sets = open().add({ minutes });
            const book = open();
            // It is sent again, by this run or by the next.
            if (fails || restarts) expect(book.add({ minutes })).toEqual(sets);
            else book.add({ minutes });
            kept = JSON.stringify(book.state(`t${i}`));
            expect(plain.add({ minutes })).toEqual(sets);
            for (const { time, samples } of sets.flat()) {
              for (const { metric, labels, value } of samples) {
                const key = [metric, ...labels].join(' ');
                expect(time).toBeGreaterThan(times.get(key) ?? 0);
                expect(value).toBeGreaterThanOrEqual(values.get(key) ?? 0);
                if (!values.has(key) && metric !== 'settled') expect(value).toBe(0);
                values.set(key, value);
                times.set(key, time);
              }
            }
          }
          const sum = batches.flatMap(([changes]) => changes).reduce((all, { rxBytes }) => all + rxBytes, 0);
          const net =
            (values.get('interfaceBytes eth0 receive') ?? 0) - (values.get('reassignedBytes interface eth0 receive') ?? 0);
          expect(net).toBe(sum);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(['', 'null', '{}', '[1]', '{"version":2}', '{"version":1,"token":"x","since":1,"newest":1,"counters":{}}', '\u0000'])(
    'is not read from %j',
    (text) => expect(pushStateIn(text)).toBeNull(),
  );
});

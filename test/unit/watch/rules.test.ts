// Rules of the user's: a match, a match that lasts, and amounts by period.

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AlertRule } from '../../../src/model/options.ts';
import type { WatchFlow } from '../../../src/model/watch.ts';
import { rulePeriod, unrecordedFields } from '../../../src/watch/rules.ts';
import { day } from '../../../src/watch/words.ts';
import { NOON } from '../../support/snapshot-builder.ts';
import { said, Watching, watchFlow } from '../../support/watching.ts';

function watching(rule: Partial<AlertRule>, isKnown = true) {
  const watch = new Watching({
    rules: [{ name: 'my rule', when: 'app:rclone', over: null, forMs: null, severity: null, ...rule }],
  });
  if (isKnown) watch.watchman.knowAmounts(null);
  return {
    watch,
    /** A tick in which these flows move. */
    move: (ms: number, ...flows: readonly Partial<WatchFlow>[]) => {
      for (const flow of flows) watch.watchman.moved(watchFlow({ app: 'rclone', ...flow }));
      return said(watch.tick(ms));
    },
  };
}

describe('a rule', () => {
  test('is asked for only if there is one', () => {
    expect(new Watching().watchman.wantsMoved).toBe(false);
    expect(watching({}).watch.watchman.wantsMoved).toBe(true);
  });

  test('raises what matches, once an hour for an app and its domain', () => {
    const { move } = watching({ when: 'country:kp or category:Ads' });
    expect(move(1000, {}, { category: 'Ads', host: 'ads.example', domain: 'ads.example' })).toEqual([
      'threshold: my rule: rclone talks to ads.example.',
    ]);
    expect(move(1000, { category: 'Ads', host: 'b.ads.example', domain: 'ads.example', hostNumber: 2 })).toEqual([]);
    expect(move(1000, { country: 'KP', host: '175.45.176.1', domain: null, hostNumber: 3 })).toHaveLength(1);
  });

  test('raises a connection without an owner only where nobody else was named', () => {
    const { move } = watching({ when: 'host:192.0.2.1' });
    const at = { host: '192.0.2.1', domain: null };
    const nobody = { ...at, app: null, appNumber: 1 };
    expect(move(1000, { ...nobody, hostNumber: 1 })).toEqual([
      'threshold: my rule: A connection without an owner talks to 192.0.2.1.',
    ]);
    expect(move(1000, { ...at, hostNumber: 1 })).toEqual(['threshold: my rule: rclone talks to 192.0.2.1.']);
    expect(move(1000, { ...at, hostNumber: 2, host: '192.0.2.11' })).toHaveLength(1);
    expect(move(1000, { ...nobody, hostNumber: 2, host: '192.0.2.11' })).toEqual([]);
  });

  test('about an amount adds up what matching flows move in a period, and begins anew with the next', () => {
    const { move, watch } = watching({ over: { bytes: 5e9, per: 'hour' } });
    expect(move(1000, { movedTx: 3e9 }, { movedTx: 9e9, app: 'curl' })).toEqual([]);
    expect(move(1000, { movedRx: 2.2e9 })).toEqual(['threshold: my rule: 5.2 GB moved this hour; the limit is 5 GB.']);
    expect(watch.raised[0]?.details.at(-1)).toBe('rule: when = app:rclone');
    expect(move(1000, { movedRx: 2.2e9 })).toEqual([]);
    expect(move(3_600_000, { movedTx: 3e9 })).toEqual([]);
    expect(move(1000, { movedTx: 3e9 })).toEqual(['threshold: my rule: 6 GB moved this hour; the limit is 5 GB.']);
  });

  test('about an amount goes on from what history knows of the period', () => {
    vi.stubEnv('TZ', 'Europe/Berlin'); // where days don't begin as in UTC
    onTestFinished(() => void vi.unstubAllEnvs());
    const { move, watch } = watching({ over: { bytes: 5e9, per: 'day' } }, false);
    const { from } = rulePeriod(NOON, 'day');
    expect(move(1000, { movedTx: 6e9 })).toEqual([]);
    watch.watchman.knowAmounts({ budget: 0, rules: new Map([['my rule', { bytes: 4e9, from }]]) });
    expect(move(1000, {})).toEqual(['threshold: my rule: 10 GB moved today; the limit is 5 GB.']);
    expect(watch.raised[0]?.details[0]).toBe(`counted since ${day(from)} 00:00`);
    expect(move(86_400_000, { movedTx: 4e9 })).toEqual([]);
    expect(move(1000, { movedTx: 2e9 })).toHaveLength(1);
  });

  test('about an amount that was exceeded before this run was told of then', () => {
    const { move, watch } = watching({ over: { bytes: 5e9, per: 'day' } }, false);
    watch.watchman.knowAmounts({
      budget: 0,
      rules: new Map([['my rule', { bytes: 5.1e9, from: rulePeriod(NOON, 'day').from }]]),
    });
    expect(move(1000, { movedTx: 1e9 })).toEqual([]);
    expect(move(86_400_000, { movedTx: 5.1e9 })).toHaveLength(1);
  });

  test('about an amount takes nothing from a period that has ended meanwhile', () => {
    const { move, watch } = watching({ over: { bytes: 5e9, per: 'day' } }, false);
    const { from } = rulePeriod(NOON - 86_400_000, 'day');
    watch.watchman.knowAmounts({ budget: 0, rules: new Map([['my rule', { bytes: 9e9, from }]]) });
    expect(move(1000, { movedTx: 4e9 })).toEqual([]);
    expect(move(1000, { movedTx: 2e9 })).toHaveLength(1);
  });

  test('about an amount begins anew when the clock is set back', () => {
    const { move } = watching({ over: { bytes: 5e9, per: 'minute' } });
    expect(move(1000, { movedTx: 4e9 })).toEqual([]);
    expect(move(-86_400_000, { movedTx: 0 })).toEqual([]);
    expect(move(120_000, { movedTx: 4e9 })).toEqual([]);
    expect(move(1000, { movedTx: 4e9 })).toHaveLength(1);
  });

  test('about a time needs a match at every tick', () => {
    const { move } = watching({ when: 'rate>10MB', forMs: 30_000 });
    const fast = { rxRate: 20e6, txRate: 0, movedRx: 20e6 } as Partial<WatchFlow>;
    const slow = { rxRate: 1e6, txRate: 0, movedRx: 1e6 } as Partial<WatchFlow>;
    for (let i = 0; i < 25; i++) expect(move(1000, fast)).toEqual([]);
    expect(move(1000, slow)).toEqual([]);
    for (let i = 0; i < 29; i++) expect(move(1000, fast)).toEqual([]);
    expect(move(1000, fast)).toEqual(['threshold: my rule: it has held for 30 s, mostly because of rclone with example.com.']);
    for (let i = 0; i < 60; i++) expect(move(1000, fast)).toEqual([]);
  });

  test('about a second holds at the first tick that matches', () => {
    const { move } = watching({ when: 'rate>10MB', forMs: 1000 });
    const fast = { rxRate: 20e6, txRate: 0, movedRx: 20e6 } as Partial<WatchFlow>;
    expect(move(998, fast)).toHaveLength(1);
  });

  test('is muted by its name, without the other rules', () => {
    const { move, watch } = watching({});
    watch.mutes = [{ kind: 'threshold', rule: 'another rule', app: null, domain: null, until: null }];
    expect(move(1000, {})).toEqual(['threshold: my rule: rclone talks to example.com.']);
    expect(watch.raised[0]?.rule).toBe('my rule');
    watch.mutes = [{ kind: 'threshold', rule: 'my rule', app: null, domain: null, until: null }];
    expect(move(1000, { hostNumber: 2, host: 'b.example', domain: 'b.example' })).toEqual([
      'threshold: my rule: rclone talks to b.example. (muted)',
    ]);
  });

  test('counts what the messenger sends, and finds nothing else in it', () => {
    const messenger = { pid: 99, app: 'netmon-tui (sender)', host: 'ntfy.example', domain: 'ntfy.example', movedTx: 3000 };
    const moved = (rule: Partial<AlertRule>) => {
      const made = new Watching({
        isMessenger: (pid) => pid === 99,
        rules: [{ name: 'any', when: 'proto:tcp', over: null, forMs: null, severity: null, ...rule }],
      });
      made.watchman.knowAmounts(null);
      made.watchman.moved(watchFlow(messenger));
      return said(made.tick());
    };
    expect(moved({})).toEqual([]);
    expect(moved({ over: { bytes: 2000, per: 'day' } })).toHaveLength(1);
  });

  test('keeps the severity that it was given', () => {
    const { move, watch } = watching({ severity: 'critical' });
    move(1000, {});
    expect(watch.raised.map(({ severity }) => severity)).toEqual(['critical']);
  });
});

test('history knows the amounts of rules that ask only for what a record is of', () => {
  const fields = (when: string) => unrecordedFields({ when, over: { bytes: 1, per: 'day' } });
  expect(fields('process:rclone and not (domain=example.com or in) iface:en0')).toEqual([]);
  expect(fields('app:rclone and (port:443 or example.com or new) tx>1MB')).toEqual(['port', 'text', 'new', 'tx']);
  expect(unrecordedFields({ when: 'port:443', over: null })).toEqual([]);
});

test('periods go by the clock of the user', () => {
  const at = new Date(2026, 0, 31, 14, 3, 22).getTime();
  const ends = (['minute', 'hour', 'day', 'week', 'month'] as const).map((per) => rulePeriod(at, per));
  expect(ends.map(({ from }) => from)).toEqual(
    [
      new Date(2026, 0, 31, 14, 3),
      new Date(2026, 0, 31, 14),
      new Date(2026, 0, 31),
      new Date(2026, 0, 26),
      new Date(2026, 0, 1),
    ].map((date) => date.getTime()),
  );
  expect(ends.map(({ to }) => to)).toEqual(
    [
      new Date(2026, 0, 31, 14, 4),
      new Date(2026, 0, 31, 15),
      new Date(2026, 1, 1),
      new Date(2026, 1, 2),
      new Date(2026, 1, 1),
    ].map((date) => date.getTime()),
  );
});

test('an hour is one hour when clocks are set back', () => {
  vi.stubEnv('TZ', 'Europe/Berlin');
  onTestFinished(() => void vi.unstubAllEnvs());
  const hours = [0, 1].map((hour) => Date.UTC(2026, 9, 25, hour)); // both begin at 02:00
  expect(hours.map((from) => rulePeriod(from + 1_800_000, 'hour'))).toEqual(
    hours.map((from) => ({ from, to: from + 3_600_000 })),
  );
});

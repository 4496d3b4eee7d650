import { describe, expect, it } from 'vitest';
import { MetricsFeed } from '../../../src/app/metrics-feed.ts';
import type { AppMetrics, MetricSet, RunFacts } from '../../../src/model/metrics.ts';

const MINUTE = 60_000;
const T0 = 1_700_000_040_000;
const RUN: RunFacts = {
  started: T0,
  frames: 10,
  dropped: null,
  shed: 2,
  capturedShare: 0.5,
  unownedShare: null,
  connections: 3,
  evicted: 0,
  alerts: [{ kind: 'new-app', severity: 'info', count: 2 }],
};

function setUp() {
  let now = T0;
  let next: Partial<AppMetrics> = {};
  const sets: MetricSet[] = [];
  const take = (): AppMetrics => {
    const taken = { settled: [], unsettled: [], until: Number.NEGATIVE_INFINITY, tcp: [], open: [], run: null, ...next };
    next = {};
    return taken;
  };
  const clock = { now: () => now, monotonic: () => now };
  const feed = new MetricsFeed({ metrics: { take } as never, clock, version: '1.2.3', tell: (set) => sets.push(set) });
  const collect = (metrics: Partial<AppMetrics> = {}, ms = 2500) => {
    next = metrics;
    feed.collect();
    now += ms;
  };
  const told = () =>
    Object.fromEntries((sets.at(-1)?.samples ?? []).map(({ metric, labels, value }) => [[metric, ...labels].join(' '), value]));
  return { collect, sets, told };
}

describe('the feed of metrics', () => {
  it('tells at once, then with every fourth collection, everything again', () => {
    const { collect, sets } = setUp();
    for (let i = 0; i < 9; i++) collect();
    expect(sets.map(({ time }) => time - T0)).toEqual([0, 10_000, 20_000]);
  });

  it('counts what is settled, and tells what is known of the run', () => {
    const { collect, told } = setUp();
    const row = {
      app: 'curl',
      reason: null,
      category: null,
      interface: 'eth0',
      rxBytes: 5,
      txBytes: 1,
      rxPackets: 1,
      txPackets: 1,
      flows: 1,
    };
    const tcp = { app: 'curl', reason: null, sentAgain: 1, receivedAgain: 0, roundTrips: 2, roundTripSeconds: 0.5 };
    collect();
    expect(told()).toEqual({ 'build 1.2.3': 1 });
    collect({ settled: [{ until: T0 + MINUTE, rows: [row] }], until: T0 + MINUTE, tcp: [tcp] });
    collect();
    collect();
    collect({
      open: [
        { app: 'curl', reason: null, count: 2 },
        { app: 'ssh', reason: null, count: 4 },
      ],
      run: RUN,
    });
    expect(told()).toMatchObject({
      'appBytes curl receive': 5,
      'appRetransmits curl transmit': 1,
      'appRoundTrip curl': 0.5,
      'appOpen curl': 2,
      'appOpen ssh': 4,
      connections: 3,
      'alerts new-app info': 2,
      capturedShare: 0.5,
      'dropped netmon-tui': 2,
      started: T0 / 1000,
      settled: (T0 + MINUTE) / 1000,
    });
    expect(Object.keys(told())).not.toContain('unownedShare');
    expect(Object.keys(told())).not.toContain('dropped kernel');
  });

  it('opens series at zero before they count', () => {
    const { collect, told } = setUp();
    const row = {
      app: 'curl',
      reason: null,
      category: 'web',
      interface: 'eth0',
      rxBytes: 5,
      txBytes: 1,
      rxPackets: 1,
      txPackets: 1,
      flows: 1,
    };
    collect();
    for (let i = 0; i < 4; i++) collect({ unsettled: [row] });
    expect(told()).toMatchObject({
      'appBytes curl receive': 0,
      'categoryBytes web receive': 0,
      'interfaceBytes eth0 transmit': 0,
    });
  });

  it('says up to when it has counted, even if nothing moves; never a time before it began', () => {
    const { collect, told } = setUp();
    for (let i = 0; i < 5; i++) collect({ until: T0 - MINUTE });
    expect(Object.keys(told())).not.toContain('settled');
    for (let i = 0; i < 4; i++) collect({ until: T0 + 3 * MINUTE });
    expect(told()).toMatchObject({ settled: (T0 + 3 * MINUTE) / 1000 });
  });
});

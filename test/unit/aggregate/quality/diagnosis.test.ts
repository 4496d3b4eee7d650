// What is wrong, and above all what isn't said to be.

import { describe, expect, it } from 'vitest';
import { diagnose, type JudgedHost, RecentResolvers } from '../../../../src/aggregate/quality/diagnosis.ts';
import { GENERATION_MS } from '../../../../src/aggregate/quality/figures.ts';
import type { DnsRow, ResolverRow } from '../../../../src/model/dns.ts';
import type { Figures, Quality } from '../../../../src/model/quality.ts';

const NONE: Figures = {
  roundTrips: null,
  segments: 0,
  sentAgain: 0,
  receivedAgain: 0,
  answered: 0,
  refused: 0,
  unanswered: 0,
  reset: 0,
};

function quality(figures: Partial<Figures>, leastMs: number | null = null): Quality {
  const recent = { ...NONE, ...figures };
  return { recent, all: recent, leastMs: leastMs ?? recent.roundTrips?.lowMs ?? null };
}
const trips = (medianMs: number, lowMs = medianMs, samples = 10) => ({
  roundTrips: { medianMs, highMs: medianMs * 2, lowMs, samples },
});
const host = (number: number, figures: Partial<Figures>, leastMs: number | null = null, isNear = false): JudgedHost => ({
  host: number,
  interface: 0,
  isNear,
  quality: quality(figures, leastMs),
});
/** Sums of hosts, as the end of an interface has them. */
function endOf(hosts: readonly JudgedHost[]): Quality | null {
  if (hosts.length === 0) return null;
  const sum = (key: Exclude<keyof Figures, 'roundTrips'>) => hosts.reduce((all, one) => all + one.quality.recent[key], 0);
  const roundTrips = hosts[0]?.quality.recent.roundTrips ?? null;
  const [segments, sentAgain, receivedAgain] = [sum('segments'), sum('sentAgain'), sum('receivedAgain')];
  return quality({ segments, sentAgain, receivedAgain, roundTrips });
}

function say(hosts: readonly JudgedHost[], silent = 0) {
  const ends = { near: endOf(hosts.filter(({ isNear }) => isNear)), far: endOf(hosts.filter(({ isNear }) => !isNear)) };
  return diagnose(hosts, [{ index: 0, name: 'eth0', ends, silent, link: null }], [], (number) => `host${number}`);
}

const WELL = { ...trips(12), segments: 200, answered: 3 };

describe('one host', () => {
  it('is slow beside others that are not', () => {
    expect(say([host(1, { ...WELL, ...trips(180) }), host(2, WELL)])).toEqual([
      { kind: 'host is slow', host: 'host1', ms: 180, leastMs: 180, othersMs: 12 },
    ]);
  });

  it('is not slow where nothing is known of others, where they are about as slow, or where it is quick enough', () => {
    expect(say([host(1, { ...WELL, ...trips(180) })])).toEqual([]);
    expect(say([host(1, { ...WELL, ...trips(180) }), host(2, { ...WELL, ...trips(12, 12, 4) })])).toEqual([]);
    expect(say([host(1, { ...WELL, ...trips(180) }), host(2, { ...WELL, ...trips(60) })])).toEqual([]);
    expect(say([host(1, { ...WELL, ...trips(90) }), host(2, { ...WELL, ...trips(2) })])).toEqual([]);
    expect(say([host(1, { ...WELL, ...trips(180, 180, 2) }), host(2, WELL)])).toEqual([]);
  });

  it('is not slow if it only acknowledges late: some of its answers are quick', () => {
    expect(say([host(1, { ...WELL, ...trips(200, 12) }), host(2, WELL)])).toEqual([]);
  });

  it('loses what others do not', () => {
    const lossy = { ...WELL, segments: 400, sentAgain: 10, receivedAgain: 6 };
    expect(say([host(1, lossy), host(2, WELL)])).toEqual([{ kind: 'host loses', host: 'host1', share: 0.04, othersShare: 0 }]);
    expect(say([host(1, lossy)])).toEqual([]);
    expect(say([host(1, lossy), host(2, { ...WELL, sentAgain: 2 })])).toEqual([]);
    expect(say([host(1, { ...WELL, segments: 100, sentAgain: 4 }), host(2, WELL)])).toEqual([]);
  });

  it('refuses, stays silent or resets, if all connections to it fail', () => {
    expect(say([host(1, { refused: 2 }), host(2, WELL)])).toEqual([{ kind: 'host refuses', host: 'host1', count: 2 }]);
    expect(say([host(1, { unanswered: 3 }), host(2, WELL)])).toEqual([{ kind: 'host is silent', host: 'host1', count: 3 }]);
    expect(say([host(1, { answered: 4, reset: 3 })])).toEqual([{ kind: 'host resets', host: 'host1', count: 3, of: 4 }]);
    expect(say([host(1, { refused: 2 }, null, true)])).toEqual([{ kind: 'host refuses', host: 'host1', count: 2 }]);
    for (const some of [{ refused: 1 }, { refused: 5, answered: 1 }, { unanswered: 1 }, { answered: 9, reset: 3 }])
      expect(say([host(1, some), host(2, WELL)])).toEqual([]);
  });
});

describe('names', () => {
  const asked = { resolver: '10.0.0.53', ms: 20, answers: 9, questions: 9, failed: 0, unanswered: 0 };
  const sayNames = (some: Partial<typeof asked>) => diagnose([], [], [{ ...asked, ...some }], () => '');

  it('are slow if the median answer is', () => {
    expect(sayNames({ ms: 900 })).toEqual([{ kind: 'names are slow', resolver: '10.0.0.53', ms: 900 }]);
    for (const some of [{}, { ms: 399 }, { ms: 900, answers: 2 }]) expect(sayNames(some)).toEqual([]);
  });

  it('fail if the resolver fails or is silent half of the time', () => {
    expect(sayNames({ failed: 2, unanswered: 3 })).toEqual([
      { kind: 'names fail', resolver: '10.0.0.53', failed: 2, unanswered: 3, of: 9 },
    ]);
    expect(sayNames({ unanswered: 4 })).toEqual([]);
    expect(sayNames({ unanswered: 2, questions: 2 })).toEqual([]);
  });
});

describe('resolvers', () => {
  const T0 = 1_700_000_010_000;
  const row = (parts: Partial<ResolverRow>): ResolverRow => ({
    ...{ id: 'r', address: '10.0.0.53', transport: 'udp', questions: 0, answered: 0, failed: 0, missing: 0, unanswered: 0 },
    ...{ medianMs: null, slowMs: null, recentMs: null, recentSlowMs: null, recent: 0, lastSeen: T0 },
    ...parts,
  });
  const asked = (time: number, address = '10.0.0.53', transport: DnsRow['transport'] = 'udp') =>
    ({ time, resolver: { address, port: 53 }, transport }) as DnsRow;

  it('are judged by the last half to whole minute', () => {
    const recent = new RecentResolvers();
    const at = (time: number, questions: number, unanswered: number) =>
      recent.judged({ resolvers: [row({ questions, unanswered })], waiting: [] }, time)[0];
    expect(at(T0, 10, 9)).toMatchObject({ questions: 10, unanswered: 9 });
    expect(at(T0 + GENERATION_MS, 12, 9)).toMatchObject({ questions: 12, unanswered: 9 });
    expect(at(T0 + 2 * GENERATION_MS, 15, 10)).toMatchObject({ questions: 5, unanswered: 1 });
    expect(at(T0 + 3 * GENERATION_MS, 15, 10)).toMatchObject({ questions: 3, unanswered: 1 });
    expect(at(T0 + 9 * GENERATION_MS, 16, 10)).toMatchObject({ questions: 1, unanswered: 0 });
  });

  it('are silent once a question has waited for seconds, even before the first has ended', () => {
    const recent = new RecentResolvers();
    const waiting = [asked(T0 - 2500), asked(T0 - 2499), asked(T0 - 9000, '10.0.0.54'), asked(T0 - 9000, 'ff02::fb', 'mdns')];
    expect(recent.judged({ resolvers: [row({ questions: 1, unanswered: 0 })], waiting }, T0)).toMatchObject([
      { resolver: '10.0.0.53', questions: 2, unanswered: 1 },
      { resolver: '10.0.0.54', questions: 1, unanswered: 1 },
    ]);
  });
});

describe('everything', () => {
  const lossy = { ...WELL, sentAgain: 8 };

  it('loses, and no host is blamed for it', () => {
    expect(say([host(1, lossy), host(2, lossy), host(3, lossy)])).toEqual([
      { kind: 'everything loses', interface: 'eth0', share: 0.04, hosts: 3, near: null, link: null },
    ]);
  });

  it('does not lose if it is two hosts, or some of many', () => {
    expect(say([host(1, lossy), host(2, lossy)])).toEqual([]);
    const many = [1, 2, 3].map((number) => host(number, lossy));
    const kinds = say([...many, host(4, WELL), host(5, WELL), host(6, WELL)]).map(({ kind }) => kind);
    expect(kinds).not.toContain('everything loses');
  });

  it('is slow if most hosts are far from their best', () => {
    const slow = (number: number) => host(number, { ...WELL, ...trips(240) }, 20);
    expect(say([slow(1), slow(2), slow(3)])).toEqual([
      { kind: 'everything is slow', interface: 'eth0', ms: 240, leastMs: 20, hosts: 3, near: null, link: null },
    ]);
    expect(say([slow(1), slow(2)])).toEqual([]);
    expect(say([host(1, trips(240)), host(2, trips(240)), host(3, trips(240))])).toEqual([]);
  });

  it('is slow if it never was quick, slower than any cable', () => {
    expect(say([1, 2, 3].map((number) => host(number, trips(500))))).toEqual([
      { kind: 'everything is slow', interface: 'eth0', ms: 500, leastMs: null, hosts: 3, near: null, link: null },
    ]);
  });

  it('is silent if several hosts are, one after the other', () => {
    const silent = [1, 2, 3].map((number) => host(number, { unanswered: 2 }));
    expect(say(silent, 6)).toEqual([{ kind: 'nothing answers', interface: 'eth0', count: 6, near: null, link: null }]);
    expect(say(silent, 4).map(({ kind }) => kind)).toEqual(Array(3).fill('host is silent'));
  });

  it('says how the local network does meanwhile', () => {
    const far = [1, 2, 3].map((number) => host(number, lossy));
    expect(say([...far, host(4, trips(2), null, true)])).toMatchObject([{ near: { ms: 2, share: 0, isBad: false } }]);
    expect(say([...far, host(4, { segments: 100, sentAgain: 6 }, null, true)])).toMatchObject([
      { near: { ms: null, share: 0.06, isBad: true } },
    ]);
    expect(say([...far, host(4, trips(80), null, true)])).toMatchObject([{ near: { ms: 80, isBad: true } }]);
  });
});

it('says nothing of hosts on another interface, and fifty things at most', () => {
  expect(diagnose([host(1, { refused: 2 })], [], [], () => '')).toEqual([]);
  expect(say(Array.from({ length: 60 }, (_, number) => host(number, { refused: 2 })))).toHaveLength(50);
});

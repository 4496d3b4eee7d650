// `netmon-tui why`: what is said of a host at the end, in words and in JSON.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Diagnosis, Quality } from '../../../src/model/quality.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { WhyOutput } from '../../../src/output/why-output.ts';
import { lineFaults } from '../../support/schemas.ts';
import { branchRow, hostRow, interfaceRow, NOON, snapshot } from '../../support/snapshot-builder.ts';

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

const figures = (medianMs: number) => ({
  roundTrips: { medianMs, highMs: medianMs, lowMs: medianMs, samples: 7 },
  segments: 100,
  sentAgain: 2,
  receivedAgain: 1,
  answered: 3,
  refused: 0,
  unanswered: 0,
  reset: 0,
});
/** Nothing recent: the whole run counts. */
const quality = (medianMs: number): Quality => ({
  recent: { ...figures(medianMs), roundTrips: null, segments: 0, sentAgain: 0, receivedAgain: 0, answered: 0 },
  all: figures(medianMs),
  leastMs: medianMs,
});
const SLOW: Diagnosis = { kind: 'host is slow', host: 'www.example.com', ms: 180, leastMs: 178, othersMs: 12 };
const OTHER: Diagnosis = { kind: 'host refuses', host: 'example.net', count: 3 };
const NAMES: Diagnosis = { kind: 'names are slow', resolver: '10.0.0.53', ms: 900 };

function measured(parts: Partial<Snapshot> = {}): Snapshot {
  return snapshot({
    time: NOON,
    started: NOON - 10_000,
    hosts: [
      hostRow({
        id: 'a',
        host: 'www.example.com',
        domain: 'example.com',
        addresses: ['192.0.2.1'],
        flows: 3,
        quality: quality(180),
      }),
      hostRow({ id: 'b', host: 'example.net', domain: 'example.net', flows: 9, quality: quality(12) }),
    ],
    branches: [branchRow({ id: 'x', hostId: 'a', app: 'curl' }), branchRow({ id: 'y', hostId: 'b', app: 'ssh' })],
    interfaces: [interfaceRow({ id: 'i', interface: 'en0', ends: { near: null, far: quality(12) } })],
    diagnoses: [],
    ...parts,
  });
}

async function told(host: string, samples: readonly Snapshot[], json = false): Promise<string> {
  let out = '';
  const output = new WhyOutput(host, { columns: 100, color: false, ascii: false, json }, async (text) => {
    out += text;
  });
  for (const sample of samples.slice(0, -1)) output.sample(sample);
  await output.end(samples.at(-1) as Snapshot);
  return out;
}

describe('in words', () => {
  test('what is wrong with the host and with everything, then figures of the whole run', async () => {
    const text = await told('example.com', [measured({ diagnoses: [NAMES, SLOW, OTHER] })]);
    const lines = text.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '));
    expect(lines).toEqual([
      'names are slow: the resolver 10.0.0.53 takes 900 ms',
      'www.example.com is slow: 180 ms, others 12 ms',
      '',
      'median 95 % best again answered refused silent reset',
      'en0, far 12ms 12ms 12ms 3.0 % 3 0 0 0',
      'www.example.com 180ms 180ms 180ms 3.0 % 3 0 0 0',
      'example.net 12ms 12ms 12ms 3.0 % 3 0 0 0',
      '',
      'measured on en0 in 10s',
      '3 connections of curl with example.com',
      '',
    ]);
  });

  test.each(['www.example.com', 'example.com', '192.0.2.1'])('a host is found as %s', async (host) => {
    expect(await told(host, [measured({ diagnoses: [SLOW] })])).toContain('www.example.com is slow');
  });

  test('what was wrong for a while has its time', async () => {
    const samples = [0, 4000, 9000].map((later) => measured({ time: NOON + later, diagnoses: later < 9000 ? [SLOW] : [] }));
    expect(await told('example.com', samples)).toMatch(/^www\.example\.com is slow: .* \(14:03:22 to 14:03:26\)\n/);
  });

  test('silence has its reason', async () => {
    expect(await told('example.com', [measured()])).toMatch(/^nothing is clearly wrong with example\.com\n/);
    expect(await told('example.org', [measured()])).toMatch(/^nothing was exchanged with example\.org in 10s: use it meanwhile/);
    const failing = (counts: object) => {
      const all = { ...figures(1), roundTrips: null, answered: 0, ...counts };
      return measured({ hosts: [hostRow({ id: 'a', host: 'example.com', quality: { ...quality(1), all } })] });
    };
    expect(await told('example.com', [failing({ unanswered: 1 })])).toMatch(
      /^example\.com left its only connection unanswered\n/,
    );
    expect(await told('example.com', [failing({ refused: 1 })])).toMatch(/^example\.com refused its only connection\n/);
    expect(await told('example.com', [failing({ refused: 2, unanswered: 1 })])).toMatch(/^example\.com answered none of 3 conn/);
    const quic = measured({ hosts: [hostRow({ id: 'a', host: 'example.com' })] });
    expect(await told('example.com', [quic])).toMatch(/^example\.com can't be judged: only datagrams/);
  });

  test('nothing from outside reaches the terminal as it is', async () => {
    const host = 'evil\u001b]0;x\u0007.example.com';
    const hosts = [hostRow({ id: 'a', host, domain: 'example.com', quality: quality(180) })];
    const text = await told('example.com', [measured({ hosts, diagnoses: [{ ...SLOW, host }] })]);
    expect(text).toContain('evil');
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});

test('in JSON, by its schema', async () => {
  for (const parts of [{ diagnoses: [NAMES, SLOW, OTHER] }, { hosts: [hostRow({ id: 'a', host: 'example.com' })] }]) {
    const line = JSON.parse(await told('example.com', [measured(parts)], true));
    expect(lineFaults(line)).toEqual([]);
  }
  const resolver = { id: 'r', address: '10.0.0.53', transport: 'udp', questions: 3, answered: 3, failed: 0, missing: 0 } as const;
  const times = {
    unanswered: 0,
    medianMs: 9.110309078,
    slowMs: null,
    recentMs: null,
    recentSlowMs: null,
    recent: 0,
    lastSeen: NOON,
  };
  const dns = { ...snapshot().dns, resolvers: [{ ...resolver, ...times }] };
  const { resolvers } = JSON.parse(await told('example.com', [measured({ dns })], true));
  expect(resolvers).toMatchObject([{ address: '10.0.0.53', median_ms: 9.11, p95_ms: null }]);
  const { diagnoses, hosts } = JSON.parse(await told('example.com', [measured({ diagnoses: [SLOW] })], true));
  expect(diagnoses).toMatchObject([{ kind: 'host is slow', text: 'www.example.com is slow: 180 ms, others 12 ms', holds: true }]);
  expect(hosts).toMatchObject([{ host: 'www.example.com', round_trip: { median_ms: 180, samples: 7 }, retransmits: 3 }]);
});

// Captures made for each kind of alert, from the file through everything that a replay goes through: each is found, and nothing else is raised.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as pathOf } from 'node:path';
import { expect, test } from 'vitest';
import { openFile } from '../../src/capture/file/source.ts';
import type { KnownBaseline } from '../../src/model/watch.ts';
import { assemble } from '../../src/pipeline/assembly.ts';
import { ReplaySession } from '../../src/pipeline/replay-session.ts';
import { systemClock } from '../../src/system/clock.ts';
import type { WatchmanParts } from '../../src/watch/watchman.ts';
import { joined, pcapFile, pktapHeader } from '../support/capture-writer.ts';
import { fakeEdges } from '../support/fake-edges.ts';
import { FakeOutput } from '../support/fake-source.ts';
import { be16, ethernet, type Inner, ipv4, join, tcp, udp } from '../support/frames.ts';
import { tlsHello } from '../support/payloads.ts';
import { knownBaseline, said, Watching } from '../support/watching.ts';

const MAC = '192.168.3.37';
const SERVER = '203.0.113.9';
const T0 = Date.UTC(2026, 0, 5, 9, 0, 0);
const [SYN, SYN_ACK, ACK, RST] = [0x02, 0x12, 0x10, 0x14];

interface Frame {
  readonly at: number;
  readonly app: string;
  readonly out: boolean;
  readonly ip: Inner;
}

const sends = (at: number, app: string, inner: Inner, to = SERVER): Frame => ({
  at,
  app,
  out: true,
  ip: ipv4({ src: MAC, dst: to }, inner),
});
const gets = (at: number, app: string, inner: Inner, from = SERVER): Frame => ({
  at,
  app,
  out: false,
  ip: ipv4({ src: from, dst: MAC }, inner),
});

/** A connection that is answered and says whom it wants. */
function visit(at: number, app: string, name: string, port: number, payload: Inner = ''): Frame[] {
  const here = { sport: port, dport: 443 };
  const there = { sport: 443, dport: port };
  return [
    sends(at, app, tcp({ ...here, flags: SYN })),
    gets(at + 10, app, tcp({ ...there, flags: SYN_ACK })),
    sends(at + 20, app, tcp({ ...here, flags: 0x18 }, tlsHello({ name }))),
    ...(payload === '' ? [] : [sends(at + 30, app, tcp({ ...here, flags: ACK }, payload))]),
  ];
}

function question(id: number, name: string): Uint8Array {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  return join(be16(id), [1, 0, 0, 1, 0, 0, 0, 0, 0, 0], labels, [0, 0, 16, 0, 1]);
}

const range = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** What is said about a capture on a machine where curl, sshd and rclone are known. */
async function watched(
  frames: readonly Frame[],
  parts: Partial<WatchmanParts> = {},
  known: KnownBaseline = usual(),
): Promise<string[]> {
  const folder = mkdtempSync(pathOf(tmpdir(), 'nmt-watch-'));
  try {
    const file = pathOf(folder, 'x.pcap');
    const records = frames.map(({ at, app, out, ip }) => {
      const told = {
        name: 'en0',
        direction: out ? 'out' : 'in',
        pid: app === '' ? -1 : 40 + app.length,
        comm: app,
        link: 1,
      } as const;
      return { data: joined(pktapHeader(told), ethernet({}, ip)), time: T0 + at };
    });
    writeFileSync(file, pcapFile({ link: 149, records }));
    const source = await openFile(file);
    const { watchman, raised } = new Watching(parts);
    watchman.know(known);
    watchman.knowAmounts(null);
    const subject = {
      named: [],
      file,
      categories: null,
      places: null,
      reverseDns: false,
      events: null,
      watcher: watchman,
      started: 0,
    };
    const made = await assemble({ source, fallbacks: [] }, subject, fakeEdges({ platform: 'linux' }), systemClock);
    const pace = { intervalMs: 1000, speed: 0, ticks: true, samples: null, durationMs: null, collect: null, writing: null };
    await new ReplaySession({ ...made, ...pace, source, clock: systemClock, output: new FakeOutput() }).run();
    source.close();
    return said(raised);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const usual = () =>
  knownBaseline(
    ['curl', 'sshd', 'rclone'].map((app) => ({ app, exes: [] })),
    { curl: ['example.com'], rclone: ['example.com'] },
  );

test('ordinary: known apps at known places', async () => {
  expect(
    await watched(range(20, (i) => visit(i * 1000 + ((i * 379) % 900), 'curl', 'www.example.com', 50_000 + i)).flat()),
  ).toEqual([]);
});

test('new-app', async () => {
  expect(await watched(visit(0, 'miner', 'pool.example.net', 50_000))).toEqual([
    'new-app: miner used the network for the first time, to reach pool.example.net.',
  ]);
});

test('new-domain', async () => {
  expect(await watched(visit(0, 'curl', 'www.example.org', 50_000))).toEqual([
    'new-domain: curl reached example.org for the first time.',
  ]);
});

test('new-inbound', async () => {
  const [here, there] = [
    { sport: 22, dport: 40_000 },
    { sport: 40_000, dport: 22 },
  ];
  const call = [
    gets(0, 'sshd', tcp({ ...there, flags: SYN })),
    sends(10, 'sshd', tcp({ ...here, flags: SYN_ACK })),
    gets(20, 'sshd', tcp({ ...there, flags: ACK })),
  ];
  expect(await watched(call)).toEqual([
    'new-inbound: sshd accepted a connection from outside this network for the first time, on tcp/22.',
  ]);
  expect(await watched([call[0] as Frame, sends(10, 'sshd', tcp({ ...here, flags: RST }))])).toEqual([]);
});

test('upload', async () => {
  const sent = range(40, (i) => visit(i * 500, 'rclone', 'www.example.com', 50_000 + i, 'x'.repeat(1200))).flat();
  const [told, ...more] = await watched(sent, { uploadFloor: 20_000 });
  expect(told).toMatch(/^upload: rclone sent 2\d kB this hour; it usually sends nothing\.$/);
  expect(more).toEqual([]);
});

test('beacon', async () => {
  const calls = range(14, (i) => visit(i * 60_000 + (i % 3) * 300, 'curl', 'c2.example.net', 50_000 + i)).flat();
  expect((await watched(calls)).filter((text) => text.startsWith('beacon'))).toEqual([
    'beacon: curl calls c2.example.net every 60 s, give or take 0.2 s.',
  ]);
});

test('scan, of ports and of this machine', async () => {
  const ports = range(200, (i) => sends(i * 20, 'curl', tcp({ sport: 50_000 + i, dport: 1 + i, flags: SYN }), '192.168.3.9'));
  expect(await watched(ports)).toEqual([
    expect.stringMatching(
      /^scan: curl tried about \d+ ports on 192\.168\.3\.9 within a minute; all refused or did not answer\.$/,
    ),
  ]);
  const own = range(60, (i) => [
    gets(i * 20, '', tcp({ sport: 50_000, dport: 1 + i, flags: SYN }), '192.168.3.9'),
    sends(i * 20 + 1, '', tcp({ sport: 1 + i, dport: 50_000, flags: RST }), '192.168.3.9'),
  ]).flat();
  expect(await watched(own)).toEqual([
    expect.stringMatching(
      /^scan: 192\.168\.3\.9 tried about \d+ ports on this machine within a minute; all refused or did not answer\.$/,
    ),
  ]);
});

test('dns-tunnel', async () => {
  const data = (i: number) => `${String(i).padStart(60, 'q')}.t.example.org`;
  const names = range(100, (i) =>
    sends(i * 100, 'curl', udp({ sport: 50_000 + i, dport: 53 }, question(i, data(i))), '192.168.3.1'),
  );
  expect(await watched(names)).toEqual([
    expect.stringMatching(/^dns-tunnel: curl asked DNS for 60 long names under example\.org within ten minutes\.$/),
  ]);
});

test('threshold', async () => {
  const rule = { name: 'too much', when: 'app:rclone', over: { bytes: 5000, per: 'hour' }, forMs: null, severity: null } as const;
  const [told] = await watched(
    range(8, (i) => visit(i * 1000, 'rclone', 'www.example.com', 50_000 + i, 'x'.repeat(900))).flat(),
    { rules: [rule] },
  );
  expect(told).toMatch(/^threshold: too much: [56](\.\d)? kB moved this hour; the limit is 5 kB\.$/);
});

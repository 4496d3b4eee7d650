// Captures that are written from captures: they say the same of every flow, and say it again when they are written once more.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { run } from '../../src/app/run.ts';
import { type Block, pcapngFile } from '../support/capture-writer.ts';
import { demoCapture } from '../support/demo-capture.ts';
import { fakeEdges } from '../support/fake-edges.ts';
import { ownFolder } from '../support/fake-run.ts';
import { ethernet, ipv4, nullLink, tcp, udp } from '../support/frames.ts';
import { type JsonLine, linesOf, optionsOf } from '../support/whole-run.ts';

/** Writes a file anew. @returns what is said on standard error */
async function convert(from: string, to: string, ...words: string[]): Promise<string> {
  let said = '';
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
  try {
    const options = await optionsOf(['--read', from, '--write', to, ...words]);
    expect(await run(options, { edges: fakeEdges({ platform: 'linux' }) })).toBe(0);
  } finally {
    write.mockRestore();
  }
  return said;
}

/** What a capture says. */
async function meaning(path: string, ...words: string[]): Promise<Record<string, unknown>> {
  const [end] = (await linesOf(path, '--once', ...words)) as [JsonLine];
  const { total, apps, hosts, flows, categories } = end;
  // Rates are means over the capture, whose length a filter changes.
  const sorted = (rows: unknown) =>
    (rows as object[]).map((row) => JSON.stringify({ ...row, id: 0, rx_rate: 0, tx_rate: 0 })).sort();
  return { total, apps: sorted(apps), hosts: sorted(hosts), flows: sorted(flows), categories: sorted(categories) };
}

function capture(bytes: Uint8Array): { path: string; out: (name: string) => string } {
  const folder = ownFolder();
  const path = join(folder, 'in.pcapng');
  writeFileSync(path, bytes);
  return { path, out: (name) => join(folder, name) };
}

const ticks = (ms: number) => BigInt(1_700_000_000_000 + ms) * 1000n;
const HOST = 0x8e01;
const told = (source: number, name: string) => ({ code: HOST, value: Buffer.concat([Buffer.from([source]), Buffer.from(name)]) });
const segment = (sport: number, payload = 'x') =>
  ethernet({}, ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, tcp({ sport, dport: 443, flags: 0x18 }, payload)));
const local = (sport: number, dport: number) =>
  nullLink(2, ipv4({ src: '127.0.0.1', dst: '127.0.0.1' }, udp({ sport, dport }, 'local')));

/** A Mac's: an app that acts for another, loopback packets twice, frames without a process, one without addresses. */
const MAC: readonly Block[] = [
  { block: 'section' },
  { block: 'interface', name: 'en0' },
  { block: 'interface', name: 'lo0', link: 0 },
  { block: 'process', pid: 300, name: 'mDNSResponder' },
  { block: 'process', pid: 42, name: 'Google Chrome He' },
  { block: 'process', pid: 77, name: 'client' },
  { block: 'process', pid: 78, name: 'server' },
  { block: 'packet', data: segment(5000), ticks: ticks(1), direction: 'out', process: 0, effective: 1 },
  { block: 'packet', interface: 1, data: local(900, 901), ticks: ticks(2), direction: 'out', process: 2 },
  { block: 'packet', interface: 1, data: local(900, 901), ticks: ticks(3), direction: 'in', process: 3 },
  { block: 'packet', interface: 1, data: local(901, 900), ticks: ticks(4), direction: 'out', process: 3 },
  { block: 'packet', interface: 1, data: local(901, 900), ticks: ticks(5), direction: 'in', process: 2 },
  { block: 'packet', data: segment(5001), ticks: ticks(6), direction: 'in', wire: 1500 },
  { block: 'packet', interface: 1, data: local(902, 903), ticks: ticks(6), direction: 'out', process: 2 },
  { block: 'packet', interface: 1, data: local(902, 903), ticks: ticks(6), direction: 'in', process: 3 },
  { block: 'packet', data: new Uint8Array(20), ticks: ticks(7) },
];

/** Our own: what Apple's blocks can't say, names that no packet shows. */
const OURS: readonly Block[] = [
  { block: 'section' },
  { block: 'interface', name: 'eth0' },
  {
    block: 'process',
    pid: 9,
    name: 'python3',
    options: [
      { code: 3, value: '/usr/bin/python3' },
      { code: 0x8e01, value: 'ann' },
      { code: 0x8e02, value: 'backup.py' },
    ],
  },
  { block: 'packet', data: segment(1), ticks: ticks(1), direction: 'out', process: 0, options: [told(6, 'cdn.example.com')] },
  { block: 'packet', data: segment(2), ticks: ticks(2), direction: 'out', process: 0, options: [told(3, 'www.example.net')] },
  { block: 'packet', data: segment(3), ticks: ticks(3), direction: 'out', process: 0, options: [told(6, 'not a name')] },
];

const between = (src: string, dst: string, sport: number, dport: number) =>
  ethernet({}, ipv4({ src, dst }, udp({ sport, dport }, 'contained')));
const [OUTBOUND, LOCAL, TRANSIT, SENT] = [0, 2, 3, 4];
const placed = (place: number) => ({ code: 0x8e03, value: Buffer.of(place) });
const otherEnd = (process: number) => ({ code: 0x8e02, value: Buffer.of(process, 0, 0, 0) });

/** A machine with containers: one of them speaks to the machine, one through it; and another machine's packet passes by. */
const CONTAINERS: readonly Block[] = [
  { block: 'section' },
  { block: 'interface', name: 'docker0' },
  { block: 'process', pid: 11, name: 'curl' },
  { block: 'process', pid: 12, name: 'nginx' },
  { block: 'process', pid: 13, name: 'apt' },
  ...[
    {
      data: between('172.17.0.1', '172.17.0.2', 7, 80),
      direction: 'out' as const,
      process: 0,
      options: [placed(LOCAL | SENT), otherEnd(1)],
    },
    { data: between('172.17.0.2', '172.17.0.1', 80, 7), direction: 'in' as const, process: 0 },
    {
      data: between('172.17.0.1', '172.17.0.3', 8, 80),
      direction: 'out' as const,
      process: 0,
      options: [placed(OUTBOUND | SENT)],
    },
    {
      data: between('172.17.0.3', '172.17.0.1', 80, 8),
      direction: 'in' as const,
      process: 0,
      options: [placed(LOCAL), otherEnd(1)],
    },
    { data: between('172.17.0.2', '192.0.2.9', 9, 80), process: 2, options: [placed(TRANSIT | SENT)] },
    { data: between('192.0.2.9', '172.17.0.4', 80, 10), process: 2, options: [placed(TRANSIT)] },
    {
      data: between('172.17.0.7', '172.17.0.8', 1, 2),
      options: [placed(TRANSIT | SENT), { code: 2, value: Buffer.of(0x11, 0, 0, 0) }],
    },
  ].map((packet, i) => ({ block: 'packet' as const, ticks: ticks(i), ...packet })),
];

describe('a capture that is written anew', () => {
  test.each([
    ['a working day', () => demoCapture(8)],
    ["a Mac's", () => pcapngFile(MAC)],
    ['our own', () => pcapngFile(OURS)],
    ['containers', () => pcapngFile(CONTAINERS)],
  ])('says the same, and is the same when it is written once more: %s', async (_, make) => {
    const { path, out } = capture(make());
    await convert(path, out('once'));
    expect(await meaning(out('once'))).toEqual(await meaning(path));
    await convert(out('once'), out('twice'));
    expect(readFileSync(out('twice')).equals(readFileSync(out('once')))).toBe(true);
  });

  test('holds what the filter matches', async () => {
    const { path, out } = capture(demoCapture(8));
    const said = await convert(path, out('cut'), '--filter', 'app:zoom');
    expect(said).toMatch(/^netmon-tui: wrote \d+ packets that match app:zoom, [\d.]+ [KM]iB, to .*cut\n$/);
    const [all, part] = [await meaning(path, '--filter', 'app:zoom'), await meaning(out('cut'))];
    expect(part['apps']).toEqual(all['apps']);
    expect((part['apps'] as string[]).length).toBe(1);
    expect(readFileSync(out('cut')).includes('packets that match app:zoom')).toBe(true);
  });

  test('names apps and hosts that only options name', async () => {
    const { path } = capture(pcapngFile(OURS));
    const [end] = (await linesOf(path, '--once')) as [JsonLine];
    const flows = end['flows'] as Record<string, unknown>[];
    const said = flows.map(({ app, pid, host, name_source }) => ({ app, pid, host, name_source }));
    expect(said).toContainEqual({ app: 'backup.py (python3)', pid: 9, host: 'cdn.example.com', name_source: 'tls' });
    expect(said).toContainEqual({ app: 'backup.py (python3)', pid: 9, host: 'www.example.net', name_source: 'dns' });
    expect(said).toContainEqual({ app: 'backup.py (python3)', pid: 9, host: '192.0.2.9', name_source: 'none' });
    expect((end['apps'] as Record<string, unknown>[])[0]).toMatchObject({ user: 'ann', exe: '/usr/bin/python3' });
  });

  test('tells connections within the machine, and through it', async () => {
    const { path } = capture(pcapngFile(CONTAINERS));
    const said = async (...words: string[]) => {
      const [end] = (await linesOf(path, '--once', ...words)) as [JsonLine];
      const flows = end['flows'] as { local: { address: string; port: number }; [field: string]: unknown }[];
      return flows.map(({ local, direction, app, peer_app }) => [local.address, local.port, direction, app, peer_app]).sort();
    };
    const expected = [
      ['172.17.0.1', 7, 'local', 'curl', 'nginx'],
      ['172.17.0.1', 8, 'local', 'curl', 'nginx'],
      ['172.17.0.2', 9, 'transit', 'apt', null],
      ['172.17.0.4', 10, 'transit', 'apt', null],
      ['172.17.0.7', 1, 'transit', null, null],
    ];
    expect(await said()).toEqual(expected);
    expect(await said('--no-names')).toEqual(expected);
    const [end] = (await linesOf(path, '--once')) as [JsonLine];
    const bytes = (end['apps'] as Record<string, unknown>[]).map(({ app, rx_packets, tx_packets }) => [
      app,
      rx_packets,
      tx_packets,
    ]);
    expect(bytes).toContainEqual(['nginx', 2, 2]);
  });

  test('takes the user of a process from a later block', async () => {
    const later: Block[] = [
      { block: 'section' },
      { block: 'interface', name: 'eth0' },
      { block: 'process', pid: 9, name: 'node' },
      { block: 'packet', data: segment(1), ticks: ticks(1), direction: 'out', process: 0 },
      { block: 'process', pid: 9, name: 'node', options: [{ code: 0x8e01, value: 'ann' }] },
      { block: 'packet', data: segment(1), ticks: ticks(2), direction: 'out', process: 1 },
    ];
    const { path } = capture(pcapngFile(later));
    const [end] = (await linesOf(path, '--once')) as [JsonLine];
    expect((end['apps'] as Record<string, unknown>[]).map(({ app, user, pids }) => [app, user, pids])).toEqual([
      ['node', 'ann', [9]],
    ]);
  });

  test('is refused where it would write over what it reads, and over a file without --force', async () => {
    const { path, out } = capture(demoCapture(2));
    await expect(convert(path, path)).rejects.toThrow('--write would write over what --read reads');
    await convert(path, out('a'));
    await expect(convert(path, out('a'))).rejects.toThrow('is there already');
    await convert(path, out('a'), '--force');
  });
});

// Whole runs over capture files: `--read FILE --once --json`, its numbers worked out by hand, and by tshark where that is installed.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { TCP_FLAG } from '../../src/net/numbers.ts';
import { type FrameRecord, pcapFile, pcapngFile } from '../support/capture-writer.ts';
import { arp, ethernet, icmp, ipv4, ipv6, tcp, udp } from '../support/frames.ts';
import { type JsonLine, linesOf } from '../support/whole-run.ts';

const { SYN, ACK, PSH, FIN } = TCP_FLAG;
const SAMPLES = fileURLToPath(new URL('../../../shared/samples/', import.meta.url));
const TSHARK = '/usr/bin/tshark';
const T0 = Date.UTC(2026, 0, 1);

const folder = mkdtempSync(join(tmpdir(), 'netmon-replay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Counts {
  rx_bytes: number;
  tx_bytes: number;
  rx_packets: number;
  tx_packets: number;
}
interface End extends JsonLine {
  time: string;
  flows_total: number;
  total: Counts & { unowned_bytes: number };
  capture: Record<string, unknown> & { packets: number; frame_bytes: number };
  apps: (Counts & { app: string | null; reason: string | null; flows: number })[];
  hosts: (Counts & { host: string })[];
  interfaces: (Counts & { interface: string })[];
  flows: (Counts & { protocol: string; local: { address: string; port: number }; remote: { address: string; port: number } })[];
}

async function end(path: string, ...words: string[]): Promise<End> {
  const all = await linesOf(path, '--once', ...words);
  expect(all).toHaveLength(1);
  expect(all[0]?.type).toBe('end');
  return all[0] as End;
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const us = '10.0.0.1';
const them = '192.0.2.80';
const out = (at: number, transport: Parameters<typeof ipv4>[1]): FrameRecord => ({
  data: ethernet({}, ipv4({ src: us, dst: them }, transport)),
  time: T0 + at,
});
const back = (at: number, transport: Parameters<typeof ipv4>[1]): FrameRecord => ({
  data: ethernet({}, ipv4({ src: them, dst: us }, transport)),
  time: T0 + at,
});
const here = { sport: 40_000, dport: 443 };
const there = { sport: 443, dport: 40_000 };

/** A connection: 40 + 44-byte SYNs are left bare, so every header is 20 + 20. */
const CONVERSATION: FrameRecord[] = [
  out(0, tcp({ ...here, flags: SYN, seq: 100, ack: 0 })),
  back(30, tcp({ ...there, flags: SYN | ACK, seq: 500, ack: 101 })),
  out(31, tcp({ ...here, flags: ACK, seq: 101, ack: 501 })),
  out(40, tcp({ ...here, flags: ACK | PSH, seq: 101, ack: 501 }, 'x'.repeat(200))),
  back(70, tcp({ ...there, flags: ACK, seq: 501, ack: 301 }, 'y'.repeat(1400))),
  back(71, tcp({ ...there, flags: ACK, seq: 501, ack: 301 }, 'y'.repeat(1400))),
  out(72, tcp({ ...here, flags: FIN | ACK, seq: 301, ack: 1901 })),
  back(1100, tcp({ ...there, flags: FIN | ACK, seq: 1901, ack: 302 })),
  out(1101, udp({ sport: 5000, dport: 53 }, 'z'.repeat(30))),
  back(1200, udp({ sport: 53, dport: 5000 }, 'z'.repeat(100))),
  out(1300, icmp({ type: 8, rest: 0x0035_0001 }, 'ping')),
  { data: ethernet({ pad: 0 }, arp(us, '10.0.0.254')), time: T0 + 1400 },
  {
    data: ethernet({}, ipv6({ src: 'fd00::1', dst: '2001:db8::9' }, udp({ sport: 6000, dport: 443 }, 'quic?'))),
    time: T0 + 2500,
  },
];

describe('a capture of our own', () => {
  it('gives the totals worked out by hand', async () => {
    const object = await end(file('one.pcap', pcapFile({ records: CONVERSATION })));
    // TCP out 40+40+240+40, in 40+1440+1440+40; DNS 58 and 128; ping 32; ARP 28; IPv6 40+8+5.
    expect(object.total).toMatchObject({ tx_bytes: 360 + 58 + 32 + 28 + 53, rx_bytes: 2960 + 128, tx_packets: 8, rx_packets: 5 });
    expect(object.capture).toMatchObject({
      driver: 'file',
      packets: 13,
      frame_bytes: CONVERSATION.reduce((sum, { data }) => sum + data.length, 0),
      undecoded: 0,
      dropped: null,
      interface_bytes: null,
    });
    expect(object.time).toBe('2026-01-01T00:00:02.500Z');
    expect(object.flows_total).toBe(5);
    const flow = object.flows.find((each) => each.protocol === 'tcp');
    expect(flow).toMatchObject({
      local: { address: us, port: 40_000 },
      remote: { address: them, port: 443 },
      direction: 'outbound',
      state: 'closed',
      rtt_ms: 30,
      retransmits: 1,
      tx_bytes: 360,
      rx_bytes: 2960,
      first_seen: '2026-01-01T00:00:00.000Z',
      last_seen: '2026-01-01T00:00:01.100Z',
      app: null,
      reason: 'recorded without owners',
    });
    expect(object.hosts.map(({ host, rx_bytes, tx_bytes }) => [host, rx_bytes, tx_bytes]).sort()).toEqual([
      ['10.0.0.254', 0, 28],
      ['192.0.2.80', 3088, 450],
      ['2001:db8::9', 0, 53],
    ]);
    // ARP needs no owner; a ping has one, whom the file doesn't name.
    expect(object.total.unowned_bytes).toBe(360 + 2960 + 58 + 128 + 53 + 32);
    expect(object.flows.find((each) => each.protocol === 'icmp')).toMatchObject({
      local: { port: 0 },
      remote: { port: 0 },
      application: null,
    });
    expect(object.apps.map(({ reason, flows }) => [reason, flows]).sort()).toEqual([
      ['no process: the kernel itself', 1],
      ['recorded without owners', 4],
    ]);
  });

  it('gives samples that end with the same totals', async () => {
    const path = file('two.pcap', pcapFile({ records: CONVERSATION }));
    const all = await linesOf(path, '--speed', '0');
    expect(all.map(({ type }) => type)).toEqual([
      ...['open', 'sample'],
      ...['open', 'open', 'open', 'sample'],
      ...['open', 'end'],
    ]);
    const last = all.at(-1) as End;
    expect(last.total).toMatchObject({ tx_bytes: 531, rx_bytes: 3088 });
    const samples = all.filter(({ type }) => type === 'sample') as End[];
    expect(samples.map(({ total }) => total.tx_packets + total.rx_packets)).toEqual([7, 12]);
    expect(samples[1]?.total).toMatchObject({ rx_rate: 40 + 128, tx_rate: 58 + 32 + 28 });
  });

  it('narrows everything by the filter, totals included', async () => {
    const object = await end(file('three.pcap', pcapFile({ records: CONVERSATION })), '--filter', 'proto:udp');
    expect(object.flows.map((flow) => flow.protocol)).toEqual(['udp', 'udp']);
    expect(object.total).toMatchObject({ tx_bytes: 58 + 53, rx_bytes: 128 });
  });

  it('takes owners, directions and several interfaces from pcapng', async () => {
    const data = (i: number) => (CONVERSATION[i] as FrameRecord).data;
    const bytes = pcapngFile([
      { block: 'section' },
      { block: 'interface', name: 'en0' },
      { block: 'interface', name: 'utun3', link: 101 },
      { block: 'process', pid: 300, name: 'curl' },
      { block: 'process', pid: 400, name: 'wg' },
      { block: 'packet', data: data(0), direction: 'out', process: 0 },
      { block: 'packet', data: data(1), direction: 'in' },
      { block: 'packet', interface: 1, data: data(8).subarray(14), direction: 'out', process: 1 },
    ]);
    const object = await end(file('four.pcapng', bytes));
    expect(object.apps.map(({ app, rx_bytes, tx_bytes }) => [app, rx_bytes, tx_bytes])).toEqual([
      ['curl', 40, 40],
      ['wg', 0, 58],
    ]);
    expect(object.capture).toMatchObject({ interfaces: ['en0', 'utun3'], attribution: 'capture' });
    expect(object.total).toMatchObject({ rx_bytes: 40, tx_bytes: 40, unowned_bytes: 0 });
  });

  it('plays what has no time at all', async () => {
    const records = CONVERSATION.map(({ data }) => ({ data }));
    const all = await linesOf(file('five.pcap', pcapFile({ records })), '--speed', '0');
    expect((all.at(-1) as End).capture.packets).toBe(13);
  });

  it('ends with what was whole when the file was cut', async () => {
    const bytes = pcapFile({ records: CONVERSATION });
    const object = await end(file('six.pcap', bytes.subarray(0, bytes.length - 10)));
    expect(object.capture).toMatchObject({ packets: 12, undecoded: 1, note: expect.stringContaining('cut') });
  });
});

describe('beside tshark', () => {
  const present = existsSync(TSHARK);
  const own = file('seven.pcap', pcapFile({ records: CONVERSATION }));
  const samples = ['PcapPlusPlus/many_interfaces-1.pcapng', 'nDPI/mpeg.pcap', 'scapy/macos.pcapng.gz'];

  it.for(['our own', ...samples])('%s: bytes and packets of each pair of IP addresses', async (name, { skip }) => {
    const path = name === 'our own' ? own : join(SAMPLES, name);
    if (!present) skip(`no ${TSHARK} to compare with`);
    if (!existsSync(path)) skip(`no sample captures at ${SAMPLES}`);
    const fields = ['ip.src', 'ip.dst', 'ip.len', 'ipv6.src', 'ipv6.dst', 'ipv6.plen'].flatMap((field) => ['-e', field]);
    const text = execFileSync(TSHARK, ['-r', path, '-n', '-T', 'fields', '-E', 'occurrence=f', ...fields], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const expected = new Map<string, [packets: number, bytes: number]>();
    for (const line of text.split('\n')) {
      const [src, dst, length, src6, dst6, length6] = line.split('\t');
      const [a, b, bytes] = src ? [src, dst, Number(length)] : [src6, dst6, Number(length6) + 40];
      if (!a || !b) continue;
      const key = [a, b].sort().join(' ');
      const [packets, sum] = expected.get(key) ?? [0, 0];
      expected.set(key, [packets + 1, sum + bytes]);
    }
    const seen = new Map<string, [packets: number, bytes: number]>();
    for (const flow of (await end(path)).flows) {
      if (flow.protocol === 'arp') continue;
      const key = [flow.local.address, flow.remote.address].sort().join(' ');
      const [packets, sum] = seen.get(key) ?? [0, 0];
      seen.set(key, [packets + flow.rx_packets + flow.tx_packets, sum + flow.rx_bytes + flow.tx_bytes]);
    }
    expect(expected.size).toBeGreaterThan(0);
    expect(seen).toEqual(expected);
  });
});

// Captures that other projects made on real machines, read whole; they lie outside of the project and are skipped where absent.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/capture/file/source.ts';
import { readAll } from '../support/capture-reader.ts';

const SAMPLES = fileURLToPath(new URL('../../../shared/samples/', import.meta.url));
const present = existsSync(SAMPLES);
if (!present) console.warn(`skipped: no sample captures at ${SAMPLES}`);

const sample = (name: string) => join(SAMPLES, name);

async function read(name: string) {
  const source = await openFile(sample(name));
  const frames = await readAll(source);
  const stats = source.stats();
  source.close();
  return { source, frames, stats, bytes: frames.reduce((sum, frame) => sum + frame.wire, 0) };
}

function tally<T>(values: readonly T[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}

const MANY_INTERFACES = new Set([
  'awdl0 1 virtual',
  'bridge0 1 bridge',
  'en0 1 physical',
  'en1 1 physical',
  'en2 1 physical',
  'lo0 0 loopback',
  'p2p0 12 virtual',
  'utun0 0 tunnel',
  'vboxnet0 1 virtual',
  'vboxnet1 1 virtual',
  'vboxnet2 1 virtual',
]);

describe.skipIf(!present)('sample captures', () => {
  test.each(['tcpdump/LINKTYPE_PKTAP.pcap', 'tcpdump/LINKTYPE_USER2_PKTAP.pcap'])(
    '%s: the 108-byte header of OS X 10.9',
    async (name) => {
      const { source, frames, stats } = await read(name);
      expect(stats).toMatchObject({ received: 1, malformed: 0 });
      // 182 bytes on the wire, 108 of them header; the frame is a DNS question. tshark reads process 512 without a name, too.
      expect(frames).toMatchObject([
        { wire: 74, link: 1, interface: 'en0', direction: 2, process: ':512', effective: null, time: 1392802874221.562 },
      ]);
      expect(frames[0]?.bytes).toMatch(/^001e491ff2c47073cb0b262a08004500003c/);
      expect(source.namesProcesses).toBe(true);
    },
  );

  test.each(['synthetic/gopacket_pktap_v1_lt149.pcap', 'synthetic/gopacket_pktap_v1_lt258.pcap'])(
    '%s: two 156-byte headers',
    async (name) => {
      const { source, frames, stats } = await read(name);
      expect(stats).toMatchObject({ received: 2, malformed: 0 });
      expect(frames).toMatchObject([
        { interface: 'en10', link: 1, direction: 1, process: 'Google Chrome He:2227' },
        { interface: 'utun4', link: 0, direction: 1, process: 'Spotify Helper:794', effective: null },
      ]);
      expect(frames[1]?.bytes).toMatch(/^020000004500/);
      expect(source.interfaces.map(({ name: iface, kind, link }) => [iface, kind, link])).toEqual([
        ['en10', 'physical', 1],
        ['utun4', 'tunnel', 0],
      ]);
    },
  );

  test('nDPI/mpeg.pcap: process blocks of OS X 10.10', async () => {
    const { source, frames, stats, bytes } = await read('nDPI/mpeg.pcap');
    expect(stats).toMatchObject({ received: 19, malformed: 0 });
    expect(bytes).toBe(10_643);
    expect(tally(frames.map((frame) => `${frame.interface} ${frame.direction} ${frame.process}`))).toEqual({
      'en0 1 acwebsecagent:224': 10,
      'en0 2 null': 9,
    });
    expect(source.namesProcesses).toBe(true);
    expect(source.firstTime).toBe(frames[0]?.time);
  });

  test('PcapPlusPlus/many_interfaces-1.pcapng: one Mac, several link types', async () => {
    const { source, frames, stats } = await read('PcapPlusPlus/many_interfaces-1.pcapng');
    expect(stats.malformed).toBe(0);
    // As `tshark -r FILE -T fields -e frame.interface_name -e frame.encap_type | sort | uniq -c` counts them.
    expect(tally(frames.map((frame) => `${frame.interface} ${frame.link}`))).toEqual({ 'en0 1': 62, 'lo0 0': 2 });
    expect(new Set(source.interfaces.map((iface) => `${iface.name} ${iface.link} ${iface.kind}`))).toEqual(MANY_INTERFACES);
    // Wireshark wrote it, not PKTAP.
    expect(source.interfaces.some((iface) => iface.deliversTwice)).toBe(false);
  });

  // As `capinfos` counts them: packets, bytes on the wire; link type and interface as `tshark` shows them.
  test.each([
    ['PcapPlusPlus/NullLoopback.pcap', { packets: 3, bytes: 924, names: ['if0 0'] }],
    ['PcapPlusPlus/mysql.pcapng', { packets: 2, bytes: 907, names: ['lo0 0'] }],
    ['PcapPlusPlus/postgres.pcapng', { packets: 2, bytes: 536, names: ['en0 1'] }],
    ['zeek/start-with-server.pcapng', { packets: 6, bytes: 381, names: ['if0 0'] }],
    ['scapy/macos.pcapng.gz', { packets: 1, bytes: 533, names: ['en0 1'] }],
    ['tcpdump/dhcp-option-108.pcapng', { packets: 2, bytes: 707, names: ['en0 1'] }],
  ])('%s', async (name, expected) => {
    const { source, frames, stats, bytes } = await read(name);
    expect(stats.malformed).toBe(0);
    expect({ packets: frames.length, bytes, names: source.interfaces.map((iface) => `${iface.name} ${iface.link}`) }).toEqual(
      expected,
    );
    expect(source.state).toBe('ended');
    expect(source.note).toBe('');
  });
});

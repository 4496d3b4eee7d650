// Names in a generated capture, read by the inspector and by tshark: none missed, none invented.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import dnsPacket from 'dns-packet';
import { expect, test } from 'vitest';
import { decode } from '../../../src/decode/decode.ts';
import { Packet } from '../../../src/decode/packet.ts';
import { Inspector } from '../../../src/inspect/inspector.ts';
import { formatAddress } from '../../../src/net/address.ts';
import { LINK } from '../../../src/net/numbers.ts';
import { pcapFile } from '../../support/capture-writer.ts';
import { be16, ethernet, ipv4, join, tcp, udp } from '../../support/frames.ts';
import { cryptoFrame, dtlsHello, helloMessage, httpRequest, quicInitial, tlsHello } from '../../support/payloads.ts';

const FLOWS = 600;
const CLIENT = '192.0.2.1';
const SERVER = '198.51.100.2';
const FIRST_PORT = 20_000;

const installed = spawnSync('tshark', ['--version']).status === 0;
if (!installed) console.log('skipped: names compared with tshark (it is not installed)');

const SALTS: readonly { version: number; salt: string; label?: string; type?: number }[] = [
  { version: 1, salt: '38762cf7f55934b34d179ae6a4c80cadccbb7f0a' },
  { version: 0x6b3343cf, salt: '0dede3def700a6db819381be6e269dcbf9bd2ed9', label: 'quicv2', type: 1 },
  { version: 0xff00001d, salt: 'afbfec289993d24c9e9786f19c6111e04390a899' },
  { version: 0xff000021, salt: '38762cf7f55934b34d179ae6a4c80cadccbb7f0a' },
  { version: 0xff00001b, salt: 'c3eef712c72ebb5a11a7d2432bb46365bef9f502' },
  { version: 0xfaceb001, salt: '7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a' },
  { version: 0xfaceb002, salt: 'c3eef712c72ebb5a11a7d2432bb46365bef9f502' },
];

/** Pieces of a stream in a fixed disorder. */
function pieces(stream: Uint8Array, size: number, turn: number): { at: number; bytes: Uint8Array }[] {
  const made: { at: number; bytes: Uint8Array }[] = [];
  for (let at = 0; at < stream.length; at += size) made.push({ at, bytes: stream.subarray(at, at + size) });
  for (let i = 0; i < turn; i++) made.push(made.shift()!);
  return made;
}

/** Frames of flow i; its kind and shape follow from i. */
function framesOf(i: number): Uint8Array[] {
  const sport = FIRST_PORT + i;
  const name = `h${i}.${['example.com', 'x.test', 'a.b.c.example.org'][i % 3]}`;
  const segments = (stream: Uint8Array, dport: number, size: number, turn: number): Uint8Array[] => [
    ethernet({}, ipv4({ src: CLIENT, dst: SERVER }, tcp({ sport, dport, seq: i * 7, flags: 2 }))),
    ...pieces(stream, size, turn).map(({ at, bytes }) =>
      ethernet({}, ipv4({ src: CLIENT, dst: SERVER }, tcp({ sport, dport, seq: i * 7 + 1 + at, flags: 0x18 }, bytes))),
    ),
  ];
  const datagram = (payload: Uint8Array, dport: number): Uint8Array =>
    ethernet({}, ipv4({ src: CLIENT, dst: SERVER }, udp({ sport, dport }, payload)));
  switch (i % 6) {
    case 0: {
      const big = i % 4 === 0;
      return segments(
        tlsHello({ name, keyBytes: big ? 1216 : 32, alpn: ['h2'], ech: i % 8 === 0 }),
        443,
        big ? 900 : 1400,
        big ? i % 2 : 0,
      );
    }
    case 1:
      return segments(tlsHello({ name }, 100), 443, 1400, 0);
    case 2: {
      const keyed = { ...SALTS[i % SALTS.length]!, destination: Uint8Array.from([i >> 8, i & 255, 1, 2, 3, 4, 5, 6]) };
      const hello = helloMessage({ name, alpn: ['h3'], keyBytes: i % 4 === 0 ? 1216 : 32 });
      const half = Math.min(hello.length, 900);
      const first = quicInitial(cryptoFrame(0, hello.subarray(0, half)), { ...keyed, number: 0 });
      if (half === hello.length) return [datagram(first, 443)];
      return [datagram(first, 443), datagram(quicInitial(cryptoFrame(half, hello.subarray(half)), { ...keyed, number: 1 }), 443)];
    }
    case 3:
      return segments(httpRequest(name, `/${'x'.repeat(i)}`), 80, 500, 0);
    case 4: {
      const addresses = Array.from(
        { length: 1 + (i % 4) },
        (_, k): dnsPacket.Answer => ({ type: 'A', name: `cdn.${name}`, data: `203.0.113.${k + 1}`, ttl: 60 }),
      );
      const answers: dnsPacket.Answer[] = [
        { type: 'CNAME', name, data: `cdn.${name}`, ttl: 60 },
        ...addresses,
        { type: 'AAAA', name: `cdn.${name}`, data: `2001:db8::${i}`, ttl: 9 },
      ];
      const message = Uint8Array.from(dnsPacket.encode({ type: 'response', id: i, questions: [{ name, type: 'A' }], answers }));
      const back = { src: SERVER, dst: CLIENT };
      if (i % 12 === 4) return [ethernet({}, ipv4(back, udp({ sport: 53, dport: sport }, message)))];
      return [
        ethernet({}, ipv4(back, tcp({ sport: 53, dport: sport, seq: 5, flags: 0x18 }, join(be16(message.length), message)))),
      ];
    }
    default:
      return dtlsHello({ name }).map((record) => datagram(record, 4433));
  }
}

test.skipIf(!installed)('the inspector reads the names that tshark reads', () => {
  const frames = Array.from({ length: FLOWS }, (_, i) => framesOf(i)).flat();
  const ours = new Set<string>();
  const inspector = new Inspector({
    serverName: (flow, _, name) => ours.add(`${flow} ${name}`),
    application: () => {},
    answer: (flow, _, name, words, at) => ours.add(`${flow} ${name} ${formatAddress(words, at)}`),
    pointer: () => ours.add('a pointer'),
  });
  const packet = new Packet();
  for (const frame of frames) {
    decode(frame, 0, frame.length, frame.length, LINK.ETHERNET, packet);
    const back = packet.sourcePort === 53;
    inspector.packet((back ? packet.destinationPort : packet.sourcePort) - FIRST_PORT, packet, frame, !back, 1);
  }

  const folder = mkdtempSync(path(tmpdir(), 'netmon-tshark-'));
  try {
    const file = path(folder, 'names.pcap');
    writeFileSync(file, pcapFile({ records: frames.map((data, i) => ({ data, time: 1000 + i })) }));
    const fields =
      'tcp.srcport tcp.dstport udp.srcport udp.dstport tls.handshake.extensions_server_name dtls.handshake.extensions_server_name http.host dns.qry.name dns.a dns.aaaa'.split(
        ' ',
      );
    const options = ['-o', 'tcp.reassemble_out_of_order:TRUE', '-d', 'udp.port==4433,dtls', '-T', 'fields', '-E', 'occurrence=a'];
    const output = execFileSync('tshark', ['-n', '-r', file, ...options, ...fields.flatMap((each) => ['-e', each])], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 26,
    });
    const theirs = new Set<string>();
    for (const line of output.trimEnd().split('\n')) {
      const [tcpFrom = '', tcpTo = '', udpFrom = '', udpTo = '', sni = '', dtls = '', host = '', asked = '', v4 = '', v6 = ''] =
        line.split('\t');
      const from = Number(tcpFrom || udpFrom);
      const flow = (from === 53 ? Number(tcpTo || udpTo) : from) - FIRST_PORT;
      for (const name of [sni, dtls, host]) if (name !== '') theirs.add(`${flow} ${name}`);
      for (const address of `${v4},${v6}`.split(',')) if (address !== '') theirs.add(`${flow} ${asked} ${address}`);
    }
    expect(theirs.size).toBeGreaterThan(FLOWS);
    expect([...ours].filter((each) => !theirs.has(each))).toEqual([]);
    expect([...theirs].filter((each) => !ours.has(each))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

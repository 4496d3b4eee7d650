// Compares real captures and our own frames with tshark, and tries every truncation of every real frame. The samples aren't part of the project.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { decode } from '../../../src/decode/decode.ts';
import { Packet, STATUS } from '../../../src/decode/packet.ts';
import { formatAddress } from '../../../src/net/address.ts';
import { u16le, u32le } from '../../../src/net/bytes.ts';
import { ETHERTYPE, LINK, PROTOCOL } from '../../../src/net/numbers.ts';
import {
  authentication,
  be32,
  bytesOf,
  ethernet,
  extension,
  fragmentHeader,
  icmpv6,
  ipv4,
  ipv6,
  join,
  type Layer,
  mpls,
  nullLink,
  ppp,
  pppoe,
  sctp,
  sll,
  sll2,
  snap,
  tcp,
  udp,
  udplite,
} from '../../support/frames.ts';

interface Frame {
  readonly link: number;
  readonly bytes: Uint8Array;
  readonly wire: number;
}

/** Frames of a little-endian pcap or pcapng file, as all samples are. */
function framesOf(path: string): Frame[] {
  const raw = readFileSync(path);
  const file = Uint8Array.from(path.endsWith('.gz') ? gunzipSync(raw) : raw);
  const frames: Frame[] = [];
  const add = (link: number, at: number, captured: number, wire: number) =>
    frames.push(unwrap({ link, bytes: file.slice(at, at + captured), wire }));
  if (u32le(file, 0) === 0xa1b2c3d4) {
    for (let at = 24; at + 16 <= file.length; at += 16 + u32le(file, at + 8)) {
      add(u32le(file, 20), at + 16, u32le(file, at + 8), u32le(file, at + 12));
    }
    return frames;
  }
  const links: number[] = [];
  for (let at = 0; at + 12 <= file.length; at += u32le(file, at + 4)) {
    if (u32le(file, at) === 1) links.push(u16le(file, at + 8));
    if (u32le(file, at) === 6) add(links[u32le(file, at + 8)] as number, at + 28, u32le(file, at + 20), u32le(file, at + 24));
  }
  return frames;
}

/** The frame behind a PKTAP header, as decode doesn't read PKTAP. */
function unwrap(frame: Frame): Frame {
  if (frame.link !== LINK.PKTAP && frame.link !== LINK.PKTAP_DLT) return frame;
  const header = u32le(frame.bytes, 0);
  return { link: u32le(frame.bytes, 8), bytes: frame.bytes.slice(header), wire: frame.wire - header };
}

const root = fileURLToPath(new URL('../../../../shared/samples/', import.meta.url));
const samples = existsSync(root)
  ? readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /\.pcap(ng)?(\.gz)?$/.test(name))
  : [];
if (samples.length === 0) console.log('skipped: real captures (the samples are not here)');

const tshark = ['/usr/bin/tshark', '/usr/local/bin/tshark', '/opt/homebrew/bin/tshark'].find((path) => existsSync(path));
if (tshark === undefined) console.log('skipped: comparison with tshark (it is not installed)');
const folder = mkdtempSync(joinPath(tmpdir(), 'decode-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FIELDS = ['ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst', 'tcp.srcport', 'tcp.dstport', 'udp.srcport', 'udp.dstport']
  .concat(['sctp.srcport', 'sctp.dstport', 'tcp.seq_raw', 'tcp.ack_raw', 'tcp.len', 'tcp.flags'])
  .concat(['tcp.options.timestamp.tsval', 'tcp.options.timestamp.tsecr', 'icmpv6.type', 'vlan.id', 'ip.len']);

/** What tshark reports for each frame: the outermost layer of each kind. */
function ask(path: string): string[][] {
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  const fixed = ['-n', '-o', 'ip.defragment:FALSE', '-o', 'ipv6.defragment:FALSE', '-o', 'tcp.desegment_tcp_streams:FALSE'];
  const args = ['-r', path, ...fixed, '-T', 'fields', '-E', 'occurrence=f', ...fields];
  const text = execFileSync(tshark as string, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => line.split('\t'));
}

/** What we report, in the same columns. */
function answer({ link, bytes, wire }: Frame): string[] {
  const packet = new Packet();
  decode(bytes, 0, bytes.length, wire, link, packet);
  const v4 = packet.hasAddresses && (bytes[packet.networkOffset] as number) >>> 4 === 4;
  const v6 = packet.hasAddresses && !v4;
  const at = (protocol: number, value: number) => (packet.protocol === protocol ? String(value >>> 0) : '');
  const stamp = (value: number) => (packet.hasTimestamps ? String(value >>> 0) : '');
  const datagram = packet.protocol === PROTOCOL.UDPLITE ? PROTOCOL.UDPLITE : PROTOCOL.UDP;
  return [v4, v4, v6, v6]
    .map((is, i) => (is ? formatAddress(packet.words, 4 * (i % 2)) : ''))
    .concat([at(PROTOCOL.TCP, packet.sourcePort), at(PROTOCOL.TCP, packet.destinationPort)])
    .concat([at(datagram, packet.sourcePort), at(datagram, packet.destinationPort)])
    .concat([at(PROTOCOL.SCTP, packet.sourcePort), at(PROTOCOL.SCTP, packet.destinationPort)])
    .concat([at(PROTOCOL.TCP, packet.sequence), at(PROTOCOL.TCP, packet.acknowledgement), at(PROTOCOL.TCP, packet.payloadBytes)])
    .concat([packet.protocol === PROTOCOL.TCP ? `0x${packet.tcpFlags.toString(16).padStart(4, '0')}` : ''])
    .concat([stamp(packet.timestampValue), stamp(packet.timestampEcho), at(PROTOCOL.ICMPV6, packet.icmpType >>> 8)])
    .concat([packet.vlan === 0 ? '' : String(packet.vlan), v4 ? String(packet.networkBytes) : '']);
}

it.skipIf(tshark === undefined || samples.length === 0).each(samples)('reads %s as tshark does', (name) => {
  const frames = framesOf(joinPath(root, name));
  const told = ask(joinPath(root, name));
  expect(told.length).toBe(frames.length);
  frames.forEach((frame, i) => {
    // tshark reads bytes 0f 00 08 00 as a family and an EtherType. For us they aren't an address family.
    const bad = frame.link === LINK.NULL && u32le(frame.bytes, 0) === 0x0008000f;
    if (bad) expect(decode(frame.bytes, 0, frame.bytes.length, frame.wire, LINK.NULL, new Packet())).toBe(STATUS.UNSUPPORTED);
    else expect(answer(frame)).toEqual(told[i]);
  });
});

const segments: Layer[] = [
  tcp({ sport: 1, dport: 65535, seq: 0xfffffffe, ack: 0x80000000, flags: 0x18, timestamps: [0xdeadbeef, 7] }, 'hello'),
  tcp({ flags: 0x02, options: Uint8Array.from([2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0]) }),
  udp({ sport: 1000, dport: 2000 }, 'hello'),
  udplite({ sport: 1000, dport: 2000 }, 'hello'),
  sctp({ sport: 1000, dport: 2000 }),
];
const packets: Layer[] = segments.flatMap((segment) => [
  ipv4({ ttl: 3 }, segment),
  ipv4({ options: Uint8Array.from([0x94, 4, 0, 0]) }, segment),
  ipv6({}, segment),
  ipv6({ extensions: [extension(PROTOCOL.HOPOPTS), extension(PROTOCOL.DSTOPTS), authentication()] }, segment),
  ipv6({ extensions: [fragmentHeader(5, 0, false)] }, segment),
]);
packets.push(ipv6({}, icmpv6({ type: 128 }, 'hello')));
const links: [string, number, (layer: Layer) => Uint8Array][] = [
  ['Ethernet', LINK.ETHERNET, (layer) => ethernet({ pad: 0 }, layer)],
  ['QinQ', LINK.ETHERNET, (layer) => ethernet({ vlan: [100, 200].map((id) => ({ id, type: ETHERTYPE.VLAN })) }, layer)],
  ['SNAP', LINK.ETHERNET, (layer) => ethernet({ type: snap(layer).length }, snap(layer))],
  ['MPLS', LINK.ETHERNET, (layer) => ethernet({}, mpls([16, 17], layer))],
  ['PPPoE', LINK.ETHERNET, (layer) => ethernet({ vlan: 9 }, pppoe(layer))],
  ['PPP', LINK.PPP, (layer) => ppp(layer)],
  ['NULL', LINK.NULL, (layer) => nullLink(layer.etherType === ETHERTYPE.IPV6 ? 30 : 2, layer)],
  ['LOOP', LINK.LOOP, (layer) => nullLink(layer.etherType === ETHERTYPE.IPV6 ? 24 : 2, layer, 'big')],
  ['RAW', LINK.RAW, (layer) => bytesOf(layer)],
  ['SLL', LINK.LINUX_SLL, (layer) => sll({}, layer)],
  ['SLL2', LINK.LINUX_SLL2, (layer) => sll2({}, layer)],
];

it.skipIf(tshark === undefined).each(links)('reads our own frames over %s as tshark does', (name, link, wrap) => {
  const frames = packets.map(wrap);
  const le32 = (value: number) => be32(value).reverse();
  const records = frames.flatMap((frame) => [le32(1_700_000_000), le32(0), le32(frame.length), le32(frame.length), frame]);
  const path = joinPath(folder, `${name}.pcap`);
  writeFileSync(path, join(le32(0xa1b2c3d4), [2, 0, 4, 0], le32(0), le32(0), le32(65535), le32(link), ...records));
  const told = ask(path);
  expect(told.length).toBe(frames.length);
  frames.forEach((bytes, i) => {
    expect(answer({ link, bytes, wire: bytes.length })).toEqual(told[i]);
  });
});

it.skipIf(samples.length === 0).each(samples)('learns more, never less, with every byte of %s', (name) => {
  for (const { link, bytes, wire } of framesOf(joinPath(root, name))) {
    const whole = new Packet();
    decode(bytes, 0, bytes.length, wire, link, whole);
    const before = new Packet();
    const packet = new Packet();
    for (let captured = 0; captured <= bytes.length; captured++) {
      decode(bytes, 0, captured, wire, link, packet);
      const { status, stoppedAt, payloadCaptured, frameBytes, hasAddresses, sourcePort, words, networkBytes } = packet;
      const isSame = status === whole.status;
      const isRight =
        (isSame || status === STATUS.TRUNCATED) &&
        (isSame || captured === 0 || before.status === STATUS.TRUNCATED) &&
        stoppedAt >= before.stoppedAt &&
        payloadCaptured >= before.payloadCaptured &&
        frameBytes === whole.frameBytes &&
        (!hasAddresses || (networkBytes === whole.networkBytes && words.every((word, i) => word === whole.words[i]))) &&
        (hasAddresses || !before.hasAddresses) &&
        (before.sourcePort === 0 || sourcePort === whole.sourcePort) &&
        (status !== STATUS.COMPLETE || packet.payloadBytes === whole.payloadBytes);
      if (!isRight) expect.fail(`${captured} bytes: ${JSON.stringify(packet)}, of ${JSON.stringify(whole)}`);
      decode(bytes, 0, captured, wire, link, before);
    }
    expect(packet).toEqual(whole);
  }
});

// The synthetic captures: made once, the same on every machine, kept in a private folder under the system's temporary one.

import { existsSync, lstatSync, mkdirSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FLOODS } from './flood-captures.js';
import { tcpFrame, udpFrame } from './frames.js';
import { dnsAnswer, quicInitial, tlsHello } from './hellos.js';
import { PcapWriter } from './pcap-writer.js';
import { Random } from './random.js';

/** Changed whenever the bytes below would differ, so that old files are not taken for new ones. */
const GENERATION = 2;

/** Folder of the files; refuses one that somebody else could have put there. */
function captureFolder() {
  const folder = join(tmpdir(), `netmon-bench-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== (process.getuid?.() ?? stat.uid))
    throw new Error(`${folder} is not this user's own folder`);
  return folder;
}

/**
 * Address of server number `i`, 16.0.0.0 to 143.255.255.255. Spread, as real ones are: tcpdump hashes addresses by their first bytes, and
 * took ten times as long over servers of one network.
 */
const serverOf = (i) => 0x10000000 + (Math.imul(i + 1, 2_654_435_761) >>> 1);

/** The two ends of flow number `i`: a host of 10.0.0.0/24 and a server. */
function endsOf(i) {
  return {
    source: 0x0a000001 + (i % 50),
    destination: serverOf(i),
    sourcePort: 1024 + (i % 64_000),
    destinationPort: i % 3 === 0 ? 53_000 + (i % 7) : 443,
  };
}

const swapped = (ends) => ({
  source: ends.destination,
  destination: ends.source,
  sourcePort: ends.destinationPort,
  destinationPort: ends.sourcePort,
});

/** Small packets of many flows in random order, both directions: three of five TCP acknowledgements, the others UDP of 64 bytes. */
function writeFlows(writer, packets, flows) {
  const random = new Random(11);
  const frames = Array.from({ length: flows * 2 }, (_, i) => {
    const ends = i < flows ? endsOf(i) : swapped(endsOf(i - flows));
    return i % 5 < 3 ? tcpFrame(ends, Buffer.alloc(0)) : udpFrame(ends, Buffer.alloc(22));
  });
  for (let i = 0; i < packets; i++) writer.add(frames[random.below(frames.length)]);
}

/** 7:4:1 of 64, 570 and 1500 bytes; in every thousand 10 ClientHellos, 20 DNS answers and 5 QUIC Initials. */
function writeMix(writer, packets, flows) {
  const random = new Random(22);
  const bulk = [64, 570, 1500].map((size) =>
    Array.from({ length: flows }, (_, i) => {
      const ends = random.below(2) === 0 ? endsOf(i) : swapped(endsOf(i));
      const payload = random.fill(Buffer.alloc(Math.max(size - 66, 0)));
      payload[0] = 0x17; // application data
      return i % 4 === 3 && size > 64 ? udpFrame(ends, payload) : tcpFrame(ends, payload);
    }),
  );
  const named = Array.from({ length: 512 }, (_, i) => {
    const name = `host-${i}.cdn.example-${i % 40}.com`;
    const ends = { ...endsOf(i), destinationPort: 443 };
    return {
      tls: tcpFrame(ends, tlsHello(name, random), { push: true }),
      quic: udpFrame(ends, quicInitial(name, random)),
      dns: udpFrame({ ...swapped(ends), source: 0x0a0000fe, sourcePort: 53 }, dnsAnswer(name, ends.destination, i)),
    };
  });
  for (let i = 0; i < packets; i++) {
    const kind = random.below(1000);
    const one = random.next();
    if (kind < 10) writer.add(named[one % named.length].tls);
    else if (kind < 30) writer.add(named[one % named.length].dns);
    else if (kind < 35) writer.add(named[one % named.length].quic);
    else {
      const share = random.below(12);
      writer.add(bulk[share < 7 ? 0 : share < 11 ? 1 : 2][one % flows]);
    }
  }
}

/** A scan: every packet is the SYN of a flow of its own. */
function writeScan(writer, packets) {
  const frame = tcpFrame({ source: 0x0a000001, destination: 0, sourcePort: 40_000, destinationPort: 0 }, Buffer.alloc(0), {
    syn: true,
  });
  for (let i = 0; i < packets; i++) {
    frame.writeUInt32BE(serverOf(i >>> 3), 30);
    frame.writeUInt16BE(1 + (i & 7) * 100 + (i >>> 20), 36);
    writer.add(frame);
  }
}

const SHAPES = { flows: writeFlows, mix: writeMix, scan: writeScan, ...FLOODS };

/**
 * Path of a capture of one shape, which is made where it is missing.
 *
 * @param {'flows' | 'mix' | 'scan' | keyof typeof FLOODS} shape
 * @param {number} packets
 * @param {number} flows
 */
export function captureFile(shape, packets, flows) {
  const path = join(captureFolder(), `${shape}-${packets}-${flows}-g${GENERATION}.pcap`);
  if (existsSync(path)) return path;
  const writer = new PcapWriter(`${path}.new`);
  SHAPES[shape](writer, packets, flows);
  writer.close();
  renameSync(`${path}.new`, path);
  return path;
}

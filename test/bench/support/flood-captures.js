// Traffic that is meant to fill tables: what strangers and broken programs send. Shapes for captureFile.

import { tcpFrame, udpFrame } from './frames.js';
import { dnsAnswer } from './hellos.js';

const HERE = 0x0a000001;
const ANY = { source: HERE, destination: 0x10000001, sourcePort: 40_000, destinationPort: 443 };
const SOURCE = 26;
const DESTINATION = 30;
const SOURCE_PORT = 34;
const DESTINATION_PORT = 36;

/** Addresses that look like noise, all different: 16.0.0.0 to 143.255.255.255. */
const strangerOf = (i) => 0x10000000 + (Math.imul(i + 1, 2_654_435_761) >>> 1);

/** SYNs to one port of this machine, each from another address and port. */
function writeSynFlood(writer, packets) {
  const frame = tcpFrame({ ...ANY, source: 0, destination: HERE }, Buffer.alloc(0), { syn: true });
  for (let i = 0; i < packets; i++) {
    frame.writeUInt32BE(strangerOf(i), SOURCE);
    frame.writeUInt16BE(1024 + (i % 60_000), SOURCE_PORT);
    writer.add(frame);
  }
}

/** Datagrams of one socket to a million hosts. */
function writeSpray(writer, packets) {
  const frame = udpFrame({ ...ANY, destination: 0 }, Buffer.alloc(22));
  for (let i = 0; i < packets; i++) {
    frame.writeUInt32BE(strangerOf(i), DESTINATION);
    writer.add(frame);
  }
}

/** SYNs from a few ports to every port of one host. */
function writePorts(writer, packets) {
  const frame = tcpFrame(ANY, Buffer.alloc(0), { syn: true });
  for (let i = 0; i < packets; i++) {
    frame.writeUInt16BE(1 + (i % 65_535), DESTINATION_PORT);
    frame.writeUInt16BE(40_000 + Math.floor(i / 65_535), SOURCE_PORT);
    writer.add(frame);
  }
}

/** Answers of one resolver, each with a name of its own. */
function writeAnswers(writer, packets) {
  const ends = { source: 0x0a0000fe, destination: HERE, sourcePort: 53, destinationPort: 40_001 };
  const label = 'aaaaaaaa';
  const frame = udpFrame(ends, dnsAnswer(`${label}.example.com`, 0x10000001, 1));
  const at = frame.indexOf(label);
  for (let i = 0; i < packets; i++) {
    for (let k = 0, rest = i; k < label.length; k++, rest = Math.floor(rest / 26)) frame[at + k] = 0x61 + (rest % 26);
    frame.writeUInt32BE(strangerOf(i), frame.length - 4);
    writer.add(frame);
  }
}

/** All ports of one machine in use towards one service. */
function writeOneApp(writer, packets) {
  const frame = tcpFrame(ANY, Buffer.alloc(100));
  for (let i = 0; i < packets; i++) {
    frame.writeUInt16BE(1 + (i % 65_535), SOURCE_PORT);
    writer.add(frame);
  }
}

/** By name, with what writes them. */
export const FLOODS = {
  'syn-flood': writeSynFlood,
  spray: writeSpray,
  ports: writePorts,
  answers: writeAnswers,
  'one-app': writeOneApp,
};

// Inspection: messages that carry names, read by the inspector packet by packet, each of a new flow; DNS beside a well-known library.

import { pathToFileURL } from 'node:url';
import dnsPacket from 'dns-packet';
import { dnsAnswer, quicInitial, tlsHello } from '../support/hellos.js';
import { Random } from '../support/random.js';

const TCP = 6;
const UDP = 17;
const MESSAGES = 512;
/** What a server answers in TLS 1.3, and the client's first encrypted record. */
const ANSWER = Buffer.concat([
  Buffer.from('160303007a020000760303', 'hex'),
  Buffer.alloc(32, 0x33),
  Buffer.from([32]),
  Buffer.alloc(32, 0x44),
  Buffer.from('130100002e002b0002030400330024001d0020', 'hex'),
  Buffer.alloc(32, 0x55),
]);
const FINISHED = Buffer.concat([Buffer.from('1403030001011703030035', 'hex'), Buffer.alloc(53, 0x66)]);
const SILENT = {
  offered: () => {},
  answered: () => {},
  certified: () => {},
  secured: () => {},
  alerted: () => {},
  requested: () => {},
  responded: () => {},
};

export const about = 'ClientHellos over TCP and QUIC, DNS answers, and packets that cannot matter: messages/s';

/** @param {import('../run.js').Context} context */
export async function run({ root, repeat, small }) {
  const built = (path) => import(pathToFileURL(`${root}/dist/${path}`).href);
  const [{ Inspector }, { Packet }] = await Promise.all([built('inspect/inspector.js'), built('decode/packet.js')]);
  const share = small ? 0.1 : 1;
  const random = new Random(7);
  const names = Array.from({ length: MESSAGES }, (_, i) => `host-${i}.cdn.example-${i % 40}.com`);
  const answers = names.map((name, i) => answerWithAlias(name, i));
  const sealed = names.map(() => random.fill(Buffer.alloc(100)));
  for (const payload of sealed) payload[0] = 0x40;
  const cases = [
    {
      what: 'TLS ClientHello',
      messages: names.map((name) => tlsHello(name, random)),
      protocol: TCP,
      port: 443,
      count: 2e6,
      goal: 1e6,
    },
    {
      what: 'QUIC Initial',
      messages: names.map((name) => quicInitial(name, random)),
      protocol: UDP,
      port: 443,
      count: 1e5,
      goal: 25e3,
    },
    { what: 'DNS, one address', messages: names.map((name, i) => dnsAnswer(name, i, i)), protocol: UDP, port: 53, count: 1e6 },
    { what: 'DNS, alias and four addresses', messages: answers, protocol: UDP, port: 53, count: 1e6, goal: 5e5, peer: dnsPacket },
    { what: 'no known protocol', messages: sealed, protocol: UDP, port: 9999, count: 1e7 },
  ];
  const hellos = names.map((name) => tlsHello(name, random));
  const spoken = [
    { what: 'TLS handshake, from hello to end', hellos, vary: false, count: 1e6, goal: 3e5 },
    { what: 'the same, each hello unlike any before', hellos, vary: true, count: 1e5, goal: 2e4 },
  ].map((each) => handshakes(Inspector, Packet, each, repeat, share));
  const plain = cases.map(({ what, messages, protocol, port, count, goal, peer }) => {
    let told = 0;
    const tell = () => told++;
    const inspector = new Inspector({ serverName: tell, application: () => {}, answer: tell, pointer: tell });
    const packet = new Packet();
    packet.protocol = protocol;
    packet.payloadOffset = 0;
    packet.sourcePort = port === 53 ? port : 40_000;
    packet.destinationPort = port === 53 ? 40_000 : port;
    const most = Math.ceil(count * share);
    const each = () => {
      for (let i = 0; i < most; i++) {
        const bytes = messages[i % MESSAGES];
        packet.payloadBytes = bytes.length;
        packet.payloadCaptured = bytes.length;
        inspector.forget(i & 4095);
        inspector.packet(i & 4095, packet, bytes, port !== 53, 1);
      }
    };
    const value = best(repeat, each, most);
    if (goal !== undefined && told < most) throw new Error(`${what}: ${told} of ${most} told`);
    const peers =
      peer === undefined ? [] : [{ name: 'dns-packet', value: best(repeat, () => decodeAll(messages, most / 10), most / 10) }];
    return { what, value, unit: 'messages/s', ...(goal === undefined ? {} : { goal: { least: goal } }), peers };
  });
  return [...plain, ...spoken];
}

/** Whole handshakes, told how they are spoken. @param vary changes a cipher of each hello */
function handshakes(Inspector, Packet, { what, hellos, vary, count, goal }, repeat, share) {
  let secured = 0;
  const talk = { ...SILENT, secured: () => secured++ };
  const inspector = new Inspector({ serverName: () => {}, application: () => {}, answer: () => {}, pointer: () => {} }, talk);
  const packet = new Packet();
  packet.protocol = TCP;
  packet.payloadOffset = 0;
  packet.sourcePort = 40_000;
  packet.destinationPort = 443;
  const most = Math.ceil(count * share);
  let number = 0;
  const give = (flow, bytes, fromOpener) => {
    packet.payloadBytes = bytes.length;
    packet.payloadCaptured = bytes.length;
    inspector.packet(flow, packet, bytes, fromOpener, 1);
  };
  const each = () => {
    for (let i = 0; i < most; i++) {
      const flow = i & 4095;
      const hello = hellos[i % MESSAGES];
      // The first two cipher suites lie behind the random number and a session of 32 bytes.
      if (vary) hello.writeUInt32BE((0x20002000 + number++) >>> 0, FIRST_CIPHERS);
      inspector.forget(flow);
      give(flow, hello, true);
      give(flow, ANSWER, false);
      give(flow, FINISHED, true);
    }
  };
  const value = best(repeat, each, most);
  if (secured < most) throw new Error(`${what}: ${secured} of ${most} were over`);
  return { what, value, unit: 'messages/s', goal: { least: goal } };
}

/** Offset of the cipher suites in a hello: record, handshake, version, random, session, their length. */
const FIRST_CIPHERS = 5 + 4 + 2 + 32 + 33 + 2;

function answerWithAlias(name, i) {
  const target = `edge-${i}.example.net`;
  const addresses = Array.from({ length: 4 }, (_, k) => ({ type: 'A', name: target, data: `198.51.100.${k + 1}`, ttl: 60 }));
  const alias = { type: 'CNAME', name, data: target, ttl: 60 };
  return dnsPacket.encode({ type: 'response', id: i, questions: [{ name, type: 'A' }], answers: [alias, ...addresses] });
}

function decodeAll(messages, count) {
  for (let i = 0; i < count; i++) dnsPacket.decode(messages[i % MESSAGES]);
}

/** The best rate of some runs. */
function best(repeat, work, count) {
  let most = 0;
  for (let i = 0; i < repeat; i++) {
    const begun = performance.now();
    work();
    most = Math.max(most, (count * 1000) / (performance.now() - begun));
  }
  return most;
}

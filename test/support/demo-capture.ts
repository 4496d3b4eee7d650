// A capture of a working day for pictures: a laptop whose apps stream, clone, install, call and upload, told with its processes as Apple's tcpdump
// tells them. Packets are written without their contents beyond what names a host, and nothing in it is left to chance.

import dnsPacket from 'dns-packet';
import { type Block, pcapngFile } from './capture-writer.ts';
import { bytesOf, ethernet, type Inner, ipv4, tcp, udp } from './frames.ts';
import { cryptoFrame, helloMessage, quicInitial, tlsHello } from './payloads.ts';

/** 2026-01-31 14:03:22 UTC. */
const START = Date.UTC(2026, 0, 31, 14, 3, 22);
const LAPTOP = '192.168.1.23';
const ROUTER = '192.168.1.1';
/** Packets of a flow that follow one another by less look like one to a reader of rates. */
const STEP_MS = 500;
/** A capture on a machine whose card joins segments has packets like this. */
const MOST_BYTES = 60_000;
const SYN = 0x02;
const SYN_ACK = 0x12;

interface Conversation {
  readonly app: string;
  readonly pid: number;
  readonly host: string;
  readonly address: string;
  readonly port?: number;
  readonly quic?: boolean;
  readonly rttMs: number;
  /** Bytes in this second since the start. */
  readonly rx: (second: number) => number;
  readonly tx: (second: number) => number;
  /** Seconds since the start at which it begins; 0 by default. */
  readonly from?: number;
}

/** Around `mean`, up and down over about `period` seconds. */
const wave =
  (mean: number, period: number, depth = 0.35) =>
  (second: number) =>
    Math.round(mean * (1 + depth * Math.sin((second * 6.283) / period) + 0.2 * depth * Math.sin(second * 2.399)));
/** `bytes` in each of the first `length` seconds of every `period`. */
const bursts =
  (bytes: number, period: number, length: number, begin = 0) =>
  (second: number) =>
    (second + period - begin) % period < length ? Math.round(bytes * (0.85 + 0.15 * Math.sin(second))) : 0;

const CONVERSATIONS: readonly Conversation[] = [
  {
    app: 'Google Chrome',
    pid: 412,
    host: 'rr3.sn-4g5e.googlevideo.com',
    address: '203.0.113.10',
    quic: true,
    rttMs: 14,
    rx: wave(1_900_000, 43),
    tx: wave(31_000, 43),
  },
  {
    app: 'Google Chrome',
    pid: 412,
    host: 'www.youtube.com',
    address: '203.0.113.11',
    quic: true,
    rttMs: 13,
    rx: wave(9_000, 11),
    tx: wave(2_800, 7),
  },
  {
    app: 'Google Chrome',
    pid: 412,
    host: 'docs.google.com',
    address: '203.0.113.12',
    rttMs: 15,
    rx: bursts(38_000, 9, 2),
    tx: bursts(14_000, 9, 2),
  },
  {
    app: 'Google Chrome',
    pid: 412,
    host: 'en.wikipedia.org',
    address: '198.51.100.20',
    rttMs: 21,
    rx: bursts(160_000, 50, 2, 8),
    tx: bursts(9_000, 50, 2, 8),
  },
  {
    app: 'node',
    pid: 2231,
    host: 'registry.npmjs.org',
    address: '198.51.100.31',
    rttMs: 18,
    rx: bursts(1_150_000, 400, 46, 288),
    tx: bursts(41_000, 400, 46, 288),
    from: 287,
  },
  {
    app: 'node',
    pid: 2231,
    host: 'registry.npmjs.org',
    address: '198.51.100.32',
    rttMs: 19,
    rx: bursts(430_000, 400, 46, 289),
    tx: bursts(17_000, 400, 46, 289),
    from: 288,
  },
  {
    app: 'git',
    pid: 2190,
    host: 'github.com',
    address: '203.0.113.40',
    rttMs: 27,
    rx: bursts(5_400_000, 400, 16, 184),
    tx: bursts(96_000, 400, 16, 184),
    from: 183,
  },
  {
    app: 'zoom.us',
    pid: 1180,
    host: 'fr88mmr.zoom.us',
    address: '198.51.100.88',
    port: 8801,
    rttMs: 24,
    rx: wave(236_000, 17, 0.2),
    tx: wave(198_000, 13, 0.2),
  },
  {
    app: 'Backblaze',
    pid: 622,
    host: 'pod-1147.backblaze.com',
    address: '198.51.100.60',
    rttMs: 96,
    rx: wave(8_000, 9),
    tx: wave(1_150_000, 83, 0.9),
  },
  {
    app: 'Spotify',
    pid: 702,
    host: 'audio4-fa.scdn.co',
    address: '203.0.113.70',
    rttMs: 12,
    rx: bursts(410_000, 14, 3),
    tx: bursts(12_000, 14, 3),
  },
  {
    app: 'Spotify',
    pid: 702,
    host: 'gew4-spclient.spotify.com',
    address: '203.0.113.71',
    rttMs: 22,
    rx: wave(900, 5),
    tx: wave(640, 5),
  },
  {
    app: 'Slack',
    pid: 530,
    host: 'wss-primary.slack.com',
    address: '198.51.100.52',
    rttMs: 31,
    rx: wave(5_200, 8),
    tx: wave(1_900, 6),
  },
  {
    app: 'Slack',
    pid: 530,
    host: 'files.slack.com',
    address: '198.51.100.53',
    rttMs: 29,
    rx: bursts(240_000, 75, 3, 20),
    tx: bursts(8_000, 75, 3, 20),
  },
  {
    app: 'Mail',
    pid: 544,
    host: 'imap.fastmail.com',
    address: '198.51.100.99',
    port: 993,
    rttMs: 84,
    rx: bursts(61_000, 30, 2, 4),
    tx: bursts(5_100, 30, 2, 4),
  },
  {
    app: 'ssh',
    pid: 1904,
    host: 'build.example.net',
    address: '203.0.113.122',
    port: 22,
    rttMs: 38,
    rx: wave(12_400, 19, 0.6),
    tx: wave(2_100, 19, 0.6),
  },
  {
    app: 'softwareupdated',
    pid: 311,
    host: 'swcdn.apple.com',
    address: '203.0.113.17',
    rttMs: 11,
    rx: bursts(880_000, 500, 24, 60),
    tx: bursts(19_000, 500, 24, 60),
    from: 59,
  },
];
const RESOLVER = { app: 'mDNSResponder', pid: 289 };

/** The capture's bytes. @param seconds how long it lasts */
export function demoCapture(seconds: number): Uint8Array {
  const apps = [...new Map([...CONVERSATIONS, RESOLVER].map(({ app, pid }) => [pid, app]))];
  const numbers = new Map(apps.map(([pid], i) => [pid, i]));
  const packets: { time: number; block: Block }[] = [];
  const add = (time: number, pid: number, direction: 'in' | 'out', inner: Inner, remote: string, payload = 0) => {
    const [src, dst] = direction === 'out' ? [LAPTOP, remote] : [remote, LAPTOP];
    const totalLength = 20 + bytesOf(inner).length + payload;
    const data = ethernet({}, ipv4({ src, dst, totalLength }, inner));
    const ticks = BigInt(Math.round(time * 1000));
    const process = numbers.get(pid) as number;
    packets.push({ time, block: { block: 'packet', data, wire: data.length + payload, ticks, direction, process } });
  };
  for (const [index, each] of CONVERSATIONS.entries()) converse(each, index, seconds, add);
  const blocks: Block[] = apps.map(([pid, name]) => ({ block: 'process', pid, name }));
  packets.sort((a, b) => a.time - b.time);
  return pcapngFile([{ block: 'section' }, { block: 'interface', name: 'en0' }, ...blocks, ...packets.map(({ block }) => block)]);
}

type Add = (time: number, pid: number, direction: 'in' | 'out', inner: Inner, remote: string, payload?: number) => void;

/** One conversation: the look-up, the handshake, the hello that names the host, and what it moves. */
function converse(each: Conversation, index: number, seconds: number, add: Add): void {
  const { pid, host, address, port = 443, quic = false, rttMs, from = 0 } = each;
  const begin = START + from * 1000 + index * 7;
  const local = 50_100 + index;
  const question = { type: 'A', name: host } as const;
  const query = dnsPacket.encode({ type: 'query', id: index, flags: dnsPacket.RECURSION_DESIRED, questions: [question] });
  const answers = [{ ...question, ttl: 300, data: address }];
  const answer = dnsPacket.encode({ type: 'response', id: index, questions: [question], answers });
  add(begin, RESOLVER.pid, 'out', udp({ sport: 49_000 + index, dport: 53 }, query), ROUTER);
  add(begin + 9, RESOLVER.pid, 'in', udp({ sport: 53, dport: 49_000 + index }, answer), ROUTER);

  const isTcp = !quic && port !== 8801;
  const next = { out: 1, in: 1 };
  const send = (time: number, direction: 'in' | 'out', inner: Uint8Array | string, payload: number, flags = 0x18) => {
    const ports = direction === 'out' ? { sport: local, dport: port } : { sport: port, dport: local };
    const other = direction === 'out' ? 'in' : 'out';
    const layer = isTcp ? tcp({ ...ports, seq: next[direction], ack: next[other], flags }, inner) : udp(ports, inner);
    add(time, pid, direction, layer, address, payload);
    next[direction] = (next[direction] + inner.length + payload + ((flags & SYN) === 0 ? 0 : 1)) >>> 0;
  };
  if (isTcp) {
    send(begin + 12, 'out', '', 0, SYN);
    send(begin + 12 + rttMs, 'in', '', 0, SYN_ACK);
    send(begin + 12 + rttMs, 'out', '', 0, 0x10);
  }
  const hello = { name: host, alpn: [quic ? 'h3' : 'h2'] };
  if (port === 443 || port === 993)
    send(begin + 13 + rttMs, 'out', quic ? quicInitial(cryptoFrame(0, helloMessage(hello))) : tlsHello(hello), 0);
  if (port === 22) send(begin + 13 + rttMs, 'out', 'SSH-2.0-OpenSSH_9.9\r\n', 0);
  // The first bytes of what follows say nothing more.
  const rest = quic ? 'A' : '';
  for (let at = begin + 2 * rttMs + 40; at < START + seconds * 1000; at += STEP_MS) {
    const second = (at - START) / 1000;
    const move = (time: number, direction: 'in' | 'out', bytes: number) => {
      for (let left = Math.round((bytes * STEP_MS) / 1000), part = 0; left > 0; left -= MOST_BYTES, part++)
        send(time + part / 8, direction, rest, Math.min(left, MOST_BYTES));
    };
    const [tx, rx] = [each.tx(second), each.rx(second)];
    move(at, 'out', tx);
    // what was sent is acknowledged a round trip later, by data or by itself
    if (isTcp && tx > 0) send(at + rttMs, 'in', '', 0, 0x10);
    move(at + rttMs + 1, 'in', rx);
  }
}

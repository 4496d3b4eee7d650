// Connections between the same two ends, one after the other, and datagrams in pieces: what is a flow of its own and what is not, through whole runs.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { pcapFile } from '../support/capture-writer.ts';
import { be32, ethernet, fragmentHeader, hex, type Inner, ipv4, ipv6, join, sctp, tcp, udp } from '../support/frames.ts';
import { cryptoFrame, helloMessage, quicInitial, tlsHello } from '../support/payloads.ts';
import { type JsonLine, linesOf } from '../support/whole-run.ts';

const T0 = Date.UTC(2026, 0, 1);
const US = '192.168.1.10';
const SERVER = '93.184.216.34';
const SYN = 2;
const RST = 4;
const SYN_ACK = 0x12;
const ACK = 0x10;
const FIN_ACK = 0x11;
const PUSH = 0x18;

const folder = mkdtempSync(path(tmpdir(), 'netmon-reuse-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Flow {
  readonly id: string;
  readonly host: string;
  readonly state: string;
  readonly reason: string | null;
  readonly local: { readonly port: number };
  readonly rx_bytes: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
}

async function lines(frames: readonly Uint8Array[], ...words: string[]): Promise<JsonLine[]> {
  const file = path(folder, 'capture.pcap');
  writeFileSync(file, pcapFile({ records: frames.map((data, i) => ({ time: T0 + i, data })) }));
  return linesOf(file, ...words);
}

async function flowsOf(frames: readonly Uint8Array[]): Promise<Flow[]> {
  const [end] = await lines(frames, '--once');
  const { flows, total, apps } = end as unknown as {
    flows: Flow[];
    total: { rx_bytes: number; tx_bytes: number };
    apps: { flows: number }[];
  };
  expect(flows.reduce((sum, flow) => sum + flow.tx_bytes, 0)).toBe(total.tx_bytes);
  expect(apps.reduce((sum, app) => sum + app.flows, 0)).toBe(flows.length);
  expect(flows.map(({ reason }) => reason)).not.toContain('not looked up yet');
  return flows.toSorted((a, b) => Number(a.id) - Number(b.id));
}

const sent = (inner: Inner) => ethernet({}, ipv4({ src: US, dst: SERVER }, inner));
const received = (inner: Inner) => ethernet({}, ipv4({ src: SERVER, dst: US }, inner));

describe('TCP', () => {
  const ends = { sport: 41_000, dport: 443 };
  const opened = (seq: number, host: string) => [
    sent(tcp({ ...ends, seq, flags: SYN })),
    received(tcp({ sport: 443, dport: 41_000, seq: 1, ack: seq + 1, flags: SYN_ACK })),
    sent(tcp({ ...ends, seq: seq + 1, flags: ACK })),
    sent(tcp({ ...ends, seq: seq + 1, flags: PUSH }, tlsHello({ name: host }))),
  ];

  it.each([
    [
      'after both ends closed',
      'closed',
      [sent(tcp({ ...ends, seq: 1000, flags: FIN_ACK })), received(tcp({ sport: 443, dport: 41_000, seq: 2, flags: FIN_ACK }))],
    ],
    ['after a reset', 'reset', [sent(tcp({ ...ends, seq: 1000, flags: RST }))]],
    ['half closed', 'closed', [sent(tcp({ ...ends, seq: 1000, flags: FIN_ACK }))]],
    ['lost without a word', 'closed', []],
  ])('keeps both connections of a tuple: %s', async (_how, state, over) => {
    const frames = [...opened(100, 'first.example.com'), ...over, ...opened(70_000, 'second.example.com')];
    const flows = await flowsOf(frames);
    expect(flows.map((flow) => [flow.host, flow.state])).toEqual([
      ['first.example.com', state],
      ['second.example.com', 'established'],
    ]);
  });

  it('takes a repeated SYN for the connection that it opened', async () => {
    const again = sent(tcp({ ...ends, seq: 100, flags: SYN }));
    expect(await flowsOf([again, ...opened(100, 'first.example.com'), again])).toHaveLength(1);
  });

  it('tells that the first one closed before it tells that the next one opened', async () => {
    const told = await lines([
      ...opened(100, 'a.example.com'),
      ...opened(7000, 'b.example.com'),
      ...opened(90_000, 'c.example.com'),
    ]);
    const events = told.filter(({ type }) => type === 'open' || type === 'close') as unknown as (Flow & { type: string })[];
    expect(events.map((event) => `${event.type} ${event.host}`)).toEqual([
      'open a.example.com',
      'close a.example.com',
      'open b.example.com',
      'close b.example.com',
      'open c.example.com',
    ]);
    expect(events.map(({ reason }) => reason)).toEqual(events.map(() => 'recorded without owners'));
  });
});

describe('SCTP', () => {
  const init = (tag: number) => sent(sctp({}, join([1, 0, 0, 20], be32(tag), new Uint8Array(12))));
  const answer = received(sctp({ sport: 5000, dport: 40_000 }));

  it('keeps both associations of a tuple', async () => {
    expect(await flowsOf([init(11), answer, init(11), init(22), answer])).toHaveLength(2);
  });
});

describe('QUIC', () => {
  const CLIENT_ID = hex('0101010101010101');
  const SERVER_ID = hex('5e5e5e5e');
  const initial = (host: string, destination: Uint8Array, token?: Uint8Array) =>
    quicInitial(cryptoFrame(0, helloMessage({ name: host })), { destination, ...(token === undefined ? {} : { token }) });
  const ask = (payload: Uint8Array) => sent(udp({ sport: 50_000, dport: 443 }, payload));
  const answer = (payload: Uint8Array) => received(udp({ sport: 443, dport: 50_000 }, payload));
  /** The server's first packet, with the ID that it chose; what is in it can't be read without the client's. */
  const accepted = (source: Uint8Array) =>
    answer(quicInitial(new Uint8Array(4), { destination: new Uint8Array(0), source, keyId: CLIENT_ID }));
  /** What a client sends in a connection that stands: an Initial by the server's ID, with the keys of its own. */
  const further = (destination: Uint8Array) => ask(quicInitial(new Uint8Array(4), { destination, keyId: CLIENT_ID, number: 1 }));
  const short = ask(join([0x40], new Uint8Array(60)));
  const first = ask(initial('first.example.com', CLIENT_ID));

  it('names a second connection on one tuple for itself, in a flow of its own', async () => {
    const second = ask(initial('second.example.com', hex('0202020202020202')));
    const flows = await flowsOf([first, accepted(SERVER_ID), further(SERVER_ID), short, short, second, short]);
    expect(flows.map((flow) => [flow.host, flow.tx_packets])).toEqual([
      ['first.example.com', 4],
      ['second.example.com', 2],
    ]);
  });

  it.each([
    ['a repeated hello', [first]],
    ['packets by the ID that the server chose', [accepted(SERVER_ID), further(SERVER_ID), first]],
    ['the same where the answer was not seen', [further(SERVER_ID), further(SERVER_ID), first]],
    [
      'the hello again after Retry',
      [
        answer(quicInitial(new Uint8Array(4), { type: 3, source: SERVER_ID })),
        ask(initial('first.example.com', SERVER_ID, hex('aabb'))),
      ],
    ],
    [
      'the hello again in another version',
      [answer(join([0xc0], be32(0), [0, 8], CLIENT_ID, be32(1))), ask(initial('first.example.com', hex('0303030303030303')))],
    ],
    [
      'bytes that only look like a hello',
      [ask(join(initial('x.example.com', hex('0404040404040404')).subarray(0, 1180), new Uint8Array(20)))],
    ],
  ])('takes for the same connection: %s', async (_what, more) => {
    const flows = await flowsOf([first, ...more, short]);
    expect(flows.map(({ host }) => host)).toEqual(['first.example.com']);
  });
});

describe('fragments', () => {
  const datagram = udp({ sport: 5000, dport: 6000 }, new Uint8Array(3000)).bytes;
  const pieces = (from: number, to: number) => datagram.subarray(from, to);
  const v4 = (id: number, from: number, to: number) =>
    ethernet(
      {},
      ipv4(
        { src: US, dst: SERVER, id, fragmentOffset: from / 8, flags: to < datagram.length ? 1 : 0, protocol: 17 },
        pieces(from, to),
      ),
    );
  const v6 = (id: number, from: number, to: number) =>
    ethernet(
      {},
      ipv6(
        { src: 'fd00::1', dst: '2001:db8::2', extensions: [fragmentHeader(id, from / 8, to < datagram.length)] },
        { protocol: 17, bytes: pieces(from, to) },
      ),
    );

  it.each([
    ['IPv4', v4],
    ['IPv6', v6],
  ])('that come ahead of their first belong to its flow: %s', async (_family, piece) => {
    const reversed = [piece(7, 2960, 3008), piece(7, 1480, 2960), piece(7, 0, 1480)];
    const flows = await flowsOf([...reversed, piece(8, 1480, 3008), piece(8, 0, 1480)]);
    expect(flows.map((flow) => [flow.local.port, flow.tx_packets])).toEqual([[5000, 5]]);
  });

  it('stay without ports where their first never comes', async () => {
    const flows = await flowsOf([v4(7, 2960, 3008), v4(9, 1480, 2960), v4(9, 0, 1480)]);
    expect(flows.map((flow) => [flow.local.port, flow.tx_packets])).toEqual([
      [0, 1],
      [5000, 2],
    ]);
  });
});

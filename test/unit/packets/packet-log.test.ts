// The last packets of one connection: what each is, against a script worked out by hand and against tshark's reading of the same frames.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import dnsPacket from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { Decoder } from '../../../src/decode/decode.ts';
import { Packet } from '../../../src/decode/packet.ts';
import { Localizer } from '../../../src/flow/direction.ts';
import { FlowTable } from '../../../src/flow/flow-table.ts';
import type { LoggedPacket } from '../../../src/model/packet-page.ts';
import { DIRECTION, LINK, TCP_FLAG } from '../../../src/net/numbers.ts';
import { contentsOf } from '../../../src/packets/packet-contents.ts';
import { LOGGED_PACKETS, PacketLog } from '../../../src/packets/packet-log.ts';
import { pcapFile } from '../../support/capture-writer.ts';
import { ethernet, type Inner, icmp, ipv4, join, type TcpFields, tcp, udp } from '../../support/frames.ts';
import { addresses } from '../../support/packets.ts';
import { cryptoFrame, helloMessage, httpRequest, quicInitial, tlsHello, tlsRecords } from '../../support/payloads.ts';
import { alert, answerMessage, changeOfKeys, encrypted, flight } from '../../support/talk.ts';

const HERE = '10.0.0.1';
const THERE = '198.51.100.2';
const T0 = 1_767_225_600_000;
const { SYN, ACK, FIN, PSH, RST } = TCP_FLAG;
const installed = spawnSync('tshark', ['--version']).status === 0;
if (!installed) console.log('skipped: packets of a connection compared with tshark (it is not installed)');

interface Sent {
  readonly frame: Uint8Array;
  readonly time: number;
}

/** A machine with a flow table and a log, fed with frames. */
class Machine {
  readonly flows: FlowTable;
  readonly log: PacketLog;
  readonly sent: Sent[] = [];
  readonly #decoder = new Decoder();
  #time = T0;

  constructor() {
    const localizer = new Localizer(false);
    localizer.setAddresses(addresses(HERE));
    this.flows = new FlowTable(localizer, 64, 7);
    this.log = new PacketLog(this.flows);
  }

  /** A segment of the one connection. @param ms since the packet before */
  segment(way: 'out' | 'back', ms: number, fields: TcpFields, payload: Inner = ''): this {
    const ports = way === 'out' ? { sport: 40_000, dport: 443 } : { sport: 443, dport: 40_000 };
    return this.frame(way, ms, tcp({ ...ports, ...fields }, payload));
  }

  frame(way: 'out' | 'back', ms: number, inner: Parameters<typeof ipv4>[1], captured?: number): this {
    this.#time += ms;
    const ends = way === 'out' ? { src: HERE, dst: THERE } : { src: THERE, dst: HERE };
    const frame = ethernet({}, ipv4(ends, inner));
    this.sent.push({ frame, time: this.#time });
    const packet = new Packet();
    this.#decoder.decode(frame, 0, captured ?? frame.length, frame.length, LINK.ETHERNET, packet);
    packet.time = this.#time;
    const row = this.flows.touch(packet, 0, DIRECTION.UNKNOWN);
    if (this.log.row < 0) this.log.watch(row);
    if (row === this.log.row) this.log.add(packet, frame, this.flows.lastSent);
    return this;
  }

  get packets(): readonly LoggedPacket[] {
    return this.log.page()?.packets ?? [];
  }

  /** Marks and contents of each packet. */
  get said(): string[] {
    return this.packets.map(({ marks, contents }) => [...marks, contents].filter((word) => word !== '').join(', '));
  }
}

const scale = (shift: number): Uint8Array => Uint8Array.from([3, 3, shift]);
const bytes = (count: number): string => 'x'.repeat(count);

/** A connection with everything that can go wrong, the round trip is 20 ms. */
function conversation(): Machine {
  return new Machine()
    .segment('out', 0, { seq: 1000, ack: 0, flags: SYN, window: 64_240, options: scale(7) })
    .segment('back', 20, { seq: 70_000, ack: 1001, flags: SYN | ACK, window: 65_535, options: scale(8) })
    .segment('out', 1, { seq: 1001, ack: 70_001, flags: ACK, window: 502 })
    .segment('out', 1, { seq: 1001, ack: 70_001, flags: ACK | PSH, window: 502 }, bytes(100))
    .segment('out', 300, { seq: 1001, ack: 70_001, flags: ACK | PSH, window: 502 }, bytes(100))
    .segment('back', 20, { seq: 70_001, ack: 1101, flags: ACK, window: 256 })
    .segment('back', 5, { seq: 70_001, ack: 1101, flags: ACK, window: 256 }, bytes(500))
    .segment('back', 1, { seq: 71_001, ack: 1101, flags: ACK, window: 256 }, bytes(500))
    .segment('out', 1, { seq: 1101, ack: 70_501, flags: ACK, window: 502 })
    .segment('out', 1, { seq: 1101, ack: 70_501, flags: ACK, window: 502 })
    .segment('back', 1, { seq: 70_501, ack: 1101, flags: ACK, window: 256 }, bytes(500))
    .segment('out', 1, { seq: 1101, ack: 71_501, flags: ACK, window: 0 })
    .segment('back', 400, { seq: 71_500, ack: 1101, flags: ACK, window: 256 })
    .segment('out', 1, { seq: 1101, ack: 71_501, flags: ACK, window: 0 })
    .segment('out', 500, { seq: 1101, ack: 71_501, flags: ACK, window: 502 })
    .segment('out', 5000, { seq: 1100, ack: 71_501, flags: ACK, window: 502 })
    .segment('back', 20, { seq: 71_501, ack: 1101, flags: ACK, window: 256 })
    .segment('back', 10, { seq: 71_501, ack: 1101, flags: FIN | ACK, window: 256 })
    .segment('out', 10, { seq: 1101, ack: 71_502, flags: RST | ACK, window: 0 });
}

describe('a connection', () => {
  test('has numbers that begin at its SYNs, windows scaled as they say, and a word for what goes wrong', () => {
    const machine = conversation();
    expect(machine.packets.map(({ tcp: segment }) => [segment?.sequence, segment?.acknowledgement, segment?.window])).toEqual([
      [0, null, 64_240],
      [0, 1, 65_535],
      [1, 1, 64_256],
      [1, 1, 64_256],
      [1, 1, 64_256],
      [1, 101, 65_536],
      [1, 101, 65_536],
      [1001, 101, 65_536],
      [101, 501, 64_256],
      [101, 501, 64_256],
      [501, 101, 65_536],
      [101, 1501, 0],
      [1500, 101, 65_536],
      [101, 1501, 0],
      [101, 1501, 64_256],
      [100, 1501, 64_256],
      [1501, 101, 65_536],
      [1501, 101, 65_536],
      [101, 1502, 0],
    ]);
    expect(machine.said).toEqual([
      ...['', '', '', '', 'retransmit', '', '', 'after a gap', '', 'repeated ACK', 'overtaken', 'zero window'],
      ...['keep-alive', 'keep-alive answer', 'window opens', 'keep-alive', 'keep-alive answer', '', ''],
    ]);
    expect(machine.packets.every(({ tcp: segment }) => segment?.isExact)).toBe(true);
    expect(machine.packets.map(({ isSent }) => (isSent ? '>' : '<')).join('')).toBe('><>>><<<>><><>>><<>');
    expect(machine.packets.map(({ number }) => number)).toEqual(machine.packets.map((_, i) => i));
  });

  test.skipIf(!installed)('reads as tshark reads it', () => {
    const machine = conversation();
    const folder = mkdtempSync(path(tmpdir(), 'nmt-talk-'));
    try {
      const file = path(folder, 'x.pcap');
      writeFileSync(file, pcapFile({ records: machine.sent.map(({ frame, time }) => ({ data: frame, time })) }));
      const fields = ['seq', 'ack', 'window_size', 'len'].map((field) => `tcp.${field}`);
      const analysis = [
        'retransmission',
        'lost_segment',
        'keep_alive',
        'keep_alive_ack',
        'zero_window',
        'window_update',
        'duplicate_ack',
      ];
      const asked = [...fields, ...analysis.map((field) => `tcp.analysis.${field}`), 'tcp.analysis.out_of_order'];
      const text = execFileSync('tshark', [
        '-r',
        file,
        '-T',
        'fields',
        '-E',
        'separator=;',
        ...asked.flatMap((field) => ['-e', field]),
      ]);
      const theirs = text
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => line.split(';'));
      expect(theirs).toHaveLength(machine.packets.length);
      for (const [i, packet] of machine.packets.entries()) {
        const [seq, ack, window, length, ...words] = theirs[i] as string[];
        const segment = packet.tcp;
        expect([segment?.sequence, segment?.acknowledgement ?? 0, segment?.window, packet.payloadBytes]).toEqual(
          [seq, ack, window, length].map(Number),
        );
        const ours = [
          'retransmit',
          'after a gap',
          'keep-alive',
          'keep-alive answer',
          'zero window',
          'window opens',
          'repeated ACK',
        ];
        const has = (word: string) => packet.marks.some((mark) => mark === word);
        // tshark calls the answer to a probe of a closed window one, too, and each ACK that repeats a closed one a closed window.
        const isCommon = !has('keep-alive answer') || segment?.window !== 0;
        if (isCommon) expect([i, ...ours.map(has)]).toEqual([i, ...words.slice(0, 7).map((word) => word !== '')]);
      }
      expect(theirs.filter((line) => line.at(-1) !== '')).toHaveLength(1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('that was met in its middle counts from 1, and says that its windows are not scaled', () => {
    const machine = new Machine()
      .segment('back', 0, { seq: 900_000, ack: 5000, flags: ACK, window: 300 }, bytes(10))
      .segment('out', 1, { seq: 5000, ack: 900_010, flags: ACK, window: 400 });
    expect(machine.packets.map(({ tcp: segment }) => segment)).toMatchObject([
      { sequence: 1, acknowledgement: 1, window: 300, isExact: false },
      { sequence: 1, acknowledgement: 11, window: 400, isExact: false },
    ]);
  });

  test('whose ends do not both scale windows has them as they stand', () => {
    const machine = new Machine()
      .segment('out', 0, { seq: 1, ack: 0, flags: SYN, window: 1000, options: scale(7) })
      .segment('back', 1, { seq: 1, ack: 2, flags: SYN | ACK, window: 1000 })
      .segment('out', 1, { seq: 2, ack: 2, flags: ACK, window: 1000 });
    expect(machine.packets[2]?.tcp).toMatchObject({ window: 1000, isExact: true });
    // An impossible shift counts as the greatest (RFC 7323 section 2.3).
    const odd = new Machine()
      .segment('out', 0, { seq: 1, ack: 0, flags: SYN, window: 1000, options: scale(200) })
      .segment('back', 1, { seq: 1, ack: 2, flags: SYN | ACK, window: 1000, options: scale(0) })
      .segment('out', 1, { seq: 2, ack: 2, flags: ACK, window: 0xffff });
    expect(odd.packets[2]?.tcp?.window).toBe(0xffff << 14);
  });

  test('with numbers around their end goes on', () => {
    const machine = new Machine()
      .segment('out', 0, { seq: 0xfffffff0, ack: 0, flags: SYN })
      .segment('back', 1, { seq: 0xffffffff, ack: 0xfffffff1, flags: SYN | ACK })
      .segment('out', 1, { seq: 0xfffffff1, ack: 0, flags: ACK }, bytes(100))
      .segment('out', 1, { seq: 0x55, ack: 0, flags: ACK }, bytes(100));
    expect(machine.packets.map(({ tcp: segment }) => segment?.sequence)).toEqual([0, 0, 1, 101]);
    expect(machine.said).toEqual(['', '', '', '']);
  });
});

test('of many packets the newest are kept, and the page says how many are not', () => {
  const machine = new Machine();
  for (let i = 0; i < LOGGED_PACKETS + 50; i++) machine.segment('out', 1, { seq: 1 + i * 10, flags: ACK }, bytes(10));
  const page = machine.log.page();
  expect([page?.packets.length, page?.dropped, page?.packets[0]?.number]).toEqual([LOGGED_PACKETS, 50, 50]);
  expect(machine.log.page()).toBe(page);
  machine.segment('out', 1, { seq: 5000, flags: ACK });
  const next = machine.log.page();
  expect(next).not.toBe(page);
  expect(next?.packets.at(-2)).toBe(page?.packets.at(-1));
});

test('the page is of one connection, which keeps it when it is asked for again', () => {
  const machine = new Machine().segment('out', 0, { seq: 1, flags: ACK });
  machine.frame('out', 1, udp({ sport: 1, dport: 53 }));
  expect(machine.packets).toHaveLength(1);
  const first = machine.log.row;
  expect(machine.log.watch(first)).toBe(false);
  const second = machine.flows.rows - 1;
  expect(machine.log.watch(second)).toBe(true);
  expect(machine.packets).toEqual([]);
  machine.frame('out', 1, udp({ sport: 1, dport: 53 }));
  expect(machine.packets).toHaveLength(1);
  // Another connection in the same row adds nothing.
  machine.flows.remove(second);
  machine.frame('out', 1, udp({ sport: 2, dport: 53 }));
  expect(machine.flows.rows - 1).toBe(second);
  expect(machine.packets).toHaveLength(1);
});

describe('contents', () => {
  const said = (payload: Uint8Array, ports: { sport?: number; dport?: number } = {}) =>
    new Machine().segment('out', 0, { seq: 1, flags: ACK, ...ports }, payload).said[0];

  test.each([
    ['client hello', tlsHello()],
    ['server hello', tlsRecords(answerMessage())],
    ['server hello, certificate', flight().subarray(0, 120)],
    ['change of keys, handshake', changeOfKeys()],
    ['data 64', encrypted()],
    ['alert: unknown CA', alert(48)],
    ['alert', Uint8Array.from([0x15, 3, 3, 0, 26, 1, 2])],
  ])('TLS %s', (words, payload) => {
    if (words !== 'server hello, certificate') expect(said(payload)).toBe(`TLS ${words}`);
    else expect(said(payload)).toMatch(/^TLS server hello/);
  });

  test('of a hello cut by the capture are those that are there', () => {
    const machine = new Machine().frame('out', 0, tcp({ flags: ACK }, tlsHello()), 14 + 20 + 20 + 12);
    expect(machine.said).toEqual(['TLS client hello']);
    expect(new Machine().frame('out', 0, tcp({ flags: ACK }, tlsHello()), 14 + 20 + 10).packets[0]).toMatchObject({
      tcp: null,
      contents: '',
    });
  });

  test('of HTTP are the method and the status, never the path', () => {
    expect(said(httpRequest('a.example', '/secret'))).toBe('HTTP GET');
    expect(said(Uint8Array.from(Buffer.from('HTTP/1.1 204 No Content\r\n')))).toBe('HTTP 204');
    expect(said(Uint8Array.from(Buffer.from('SSH-2.0-x')))).toBe('');
  });

  test('of DNS are the question and what came of it', () => {
    const ask = (extra: object) =>
      dnsPacket.encode({ type: 'query', questions: [{ name: 'www.Example.com', type: 'AAAA' }], ...extra } as dnsPacket.Packet);
    const machine = new Machine();
    machine.frame('out', 0, udp({ sport: 5000, dport: 53 }, Uint8Array.from(ask({}))));
    machine.frame('back', 1, udp({ sport: 53, dport: 5000 }, Uint8Array.from(ask({ type: 'response', flags: 3 }))));
    const answers = [{ type: 'AAAA', name: 'www.example.com', data: '2001:db8::1' }];
    machine.frame('back', 1, udp({ sport: 53, dport: 5000 }, Uint8Array.from(ask({ type: 'response', answers }))));
    machine.frame('back', 1, udp({ sport: 53, dport: 5000 }, Uint8Array.from([1, 2, 3])));
    expect(machine.packets.map(({ contents, name }) => [contents, name])).toEqual([
      ['DNS AAAA?', 'www.example.com'],
      ['DNS AAAA NXDOMAIN', 'www.example.com'],
      ['DNS AAAA 1 answer', 'www.example.com'],
      ['', null],
    ]);
  });

  test('of QUIC are the kind of header', () => {
    const machine = new Machine();
    const ports = { sport: 5000, dport: 443 };
    machine.frame('out', 0, udp(ports, quicInitial(cryptoFrame(0, helloMessage()))));
    machine.frame('out', 1, udp(ports, join([0xe0, 0, 0, 0, 1, 8], new Uint8Array(30))));
    machine.frame('out', 1, udp(ports, join([0x80, 0, 0, 0, 0, 0, 0], [0, 0, 0, 1])));
    machine.frame('out', 1, udp(ports, join([0x41], new Uint8Array(30))));
    expect(machine.said).toEqual(['QUIC Initial', 'QUIC Handshake', '', 'QUIC 1-RTT']);
    expect(new Machine().frame('out', 0, udp({ dport: 9999 }, join([0x41], new Uint8Array(30)))).said).toEqual(['']);
  });

  test('of ICMP are its type', () => {
    expect(new Machine().frame('out', 0, icmp({ type: 8, rest: 1 })).said).toEqual(['echo request']);
    expect(new Machine().frame('out', 0, icmp({ type: 42 })).said).toEqual(['type 42']);
  });

  test('of any bytes on any port end, and are clean', () => {
    let seed = 1;
    const next = () => {
      seed = Math.imul(seed, 1_103_515_245) + 12_345;
      return seed >>> 16;
    };
    const seeds = [tlsHello(), flight(), encrypted(), httpRequest('a.example'), quicInitial(cryptoFrame(0, helloMessage()))];
    for (let i = 0; i < 20_000; i++) {
      const from = seeds[i % seeds.length] as Uint8Array;
      const head = from.slice(0, next() % 288);
      for (let change = next() % 4; change > 0 && head.length > 0; change--) head[next() % Math.min(40, head.length)] = next();
      const port = [53, 443, 5353, 80][next() & 3] as number;
      const { contents, name } = contentsOf(head, head.length + (next() % 3000), next() & 1 ? 6 : 17, port, 40_000);
      expect(`${contents}${name ?? ''}`).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      expect(contents.length).toBeLessThan(200);
    }
  });
});

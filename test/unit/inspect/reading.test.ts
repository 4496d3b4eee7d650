// The kernel's program copies as much of a packet as inspection reads. Each kind of message must give the same result as the whole frame.

import { expect, it } from 'vitest';
import { snapProgram } from '../../../src/capture/libpcap/snap-program.ts';
import { decode } from '../../../src/decode/decode.ts';
import { Packet } from '../../../src/decode/packet.ts';
import { Inspector } from '../../../src/inspect/inspector.ts';
import { LINK, TCP_FLAG } from '../../../src/net/numbers.ts';
import { LONGEST_REQUEST, METHODS } from '../../../src/net/reading.ts';
import { runBpf } from '../../support/bpf-machine.ts';
import { be32, bytesOf, ethernet, gre, hex, ipv4, ipv6, join, type Layer, tcp, udp, vxlan } from '../../support/frames.ts';
import { cryptoFrame, dtlsHello, helloMessage, quicInitial, tlsHello } from '../../support/payloads.ts';

const { ACK, PSH } = TCP_FLAG;
const program = snapProgram(LINK.ETHERNET) ?? [];

/** What the inspector reports of a frame of which only this many bytes were captured. */
function told(frame: Uint8Array, kept: number): string[] {
  const findings: string[] = [];
  const inspector = new Inspector({
    serverName: (_flow, source, name) => findings.push(`${source} ${name}`),
    application: (_flow, application) => findings.push(application),
    answer: (_flow, kind, name) => findings.push(`${kind} ${name}`),
    pointer: () => {},
    inside: (_flow, { sourcePort, destinationPort }, name) => findings.push(`inside ${sourcePort} ${destinationPort} ${name}`),
  });
  const packet = new Packet();
  decode(frame.slice(0, kept), 0, Math.min(kept, frame.length), frame.length, LINK.ETHERNET, packet);
  inspector.packet(0, packet, frame.slice(0, kept), true, 0);
  return findings;
}

const request = (method: string, path: number) =>
  bytesOf(`${method} /${'u'.repeat(path)} HTTP/1.1\r\nHost: late.example.com\r\n\r\n`);
const padding = new Uint8Array(900);
const googleHello = join(
  hex('0d 0102030405060708 51303433 01'),
  new Uint8Array(16),
  bytesOf('CHLO'),
  [2, 0, 0, 0],
  bytesOf('PAD\0'),
  [0x84, 3, 0, 0],
  bytesOf('SNI\0'),
  [0x94, 3, 0, 0],
  padding,
  bytesOf('late.example.com'),
);

it.each<[string, Layer, string[]]>([
  ['a request with a long path', tcp({ flags: ACK | PSH, dport: 80 }, request('GET', 3000)), ['http', 'http late.example.com']],
  ['the same without PSH', tcp({ flags: ACK, dport: 80 }, request('POST', 3000)), ['http', 'http late.example.com']],
  ['a method that few know', tcp({ flags: ACK, dport: 80 }, request('UNSUBSCRIBE', 3000)), ['http', 'http late.example.com']],
  [
    'a ClientHello with a long key',
    tcp({ flags: ACK | PSH }, tlsHello({ name: 'late.example.com', padding: 9000 })),
    ['tls late.example.com', 'https'],
  ],
  [
    'a ClientHello over QUIC',
    udp({ dport: 443 }, quicInitial(cryptoFrame(0, helloMessage({ name: 'late.example.com' })))),
    ['quic late.example.com', 'quic'],
  ],
  [
    'a hello of DTLS',
    udp({ dport: 4433 }, dtlsHello({ name: 'late.example.com', padding: 500 })[0] ?? ''),
    ['tls late.example.com', 'dtls'],
  ],
  ['a hello of Google’s own QUIC', udp({ dport: 443 }, googleHello), ['quic', 'quic late.example.com']],
  [
    'a ClientHello inside of VXLAN',
    udp(
      { dport: 4789 },
      vxlan(1, ethernet({}, ipv6({}, tcp({}, join(tlsHello({ name: 'late.example.com' }), new Uint8Array(600)))))),
    ),
    ['inside 40000 443 null', 'inside 40000 443 late.example.com'],
  ],
  [
    'a ClientHello inside of GRE',
    gre(ipv4({}, tcp({}, tlsHello({ name: 'late.example.com', padding: 800 })))),
    ['inside 40000 443 null', 'inside 40000 443 late.example.com'],
  ],
])('tells of %s what the whole frame tells', (_what, transport, expected) => {
  for (const frame of [ethernet({}, ipv4({}, transport)), ethernet({ vlan: 7 }, ipv6({}, transport))]) {
    expect(told(frame, frame.length)).toEqual(expected);
    expect(told(frame, runBpf(program, frame))).toEqual(expected);
  }
});

it('copies the whole of a segment that begins with a method, and truncates what only looks like one', () => {
  const kept = (payload: Uint8Array) => runBpf(program, ethernet({}, ipv4({}, tcp({ flags: ACK }, payload))));
  for (const method of METHODS) expect(kept(join(be32(method), new Uint8Array(2000)))).toBeGreaterThan(2054);
  for (const text of ['GETS', 'get ', 'AAAA', 'ZZZZ']) expect(kept(join(bytesOf(text), new Uint8Array(2000)))).toBe(160);
});

it('looks for a host only in the part of the request that the kernel copies', () => {
  const head = `GET / HTTP/1.1\r\nX: ${'y'.repeat(LONGEST_REQUEST)}\r\nHost: x.example\r\n\r\n`;
  const frame = ethernet({}, ipv4({}, tcp({ dport: 80, flags: ACK }, bytesOf(head))));
  expect([told(frame, frame.length), told(frame, runBpf(program, frame))]).toEqual([['http'], ['http']]);
});

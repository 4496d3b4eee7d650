import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode } from '../../../src/decode/decode.ts';
import { Packet } from '../../../src/decode/packet.ts';
import type { DriverName } from '../../../src/model/terms.ts';
import { LINK } from '../../../src/net/numbers.ts';
import { Framing } from '../../../src/packets/framing.ts';
import { arp, bytesOf, ethernet, hex, ipv4, ipv6, join, nullLink, ppp, sll, sll2, tcp, udp } from '../../support/frames.ts';

const V4 = ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, udp({ sport: 40_000, dport: 53 }, 'question'));
const V6 = ipv6({ src: 'fd00::1', dst: '2001:db8::9' }, tcp({ sport: 40_000, dport: 443, flags: 2 }, ''));
const iface = (link: number, name = 'x') => ({ name, kind: 'physical' as const, link, deliversTwice: false });

function framing(links: readonly number[], driver: DriverName | 'file' = 'libpcap', namesProcesses = false) {
  return new Framing({ interfaces: links.map((link) => iface(link)), driver, namesProcesses });
}

/** A frame as the file has it. */
function reframed(from: number, to: number, frame: Uint8Array, captured = frame.length): Uint8Array {
  const framing = new Framing({ interfaces: [], driver: 'libpcap', namesProcesses: false });
  framing.read(from, to, frame, 0, captured, frame.length);
  return join(framing.head.slice(0, framing.headBytes), frame.subarray(framing.skipped, captured));
}

/** What a frame says from the network layer on. */
function meaning(link: number, frame: Uint8Array, wire = frame.length) {
  const packet = new Packet();
  decode(frame, 0, frame.length, wire, link, packet);
  if (!packet.hasAddresses) return null;
  const { words, sourcePort, destinationPort, protocol, networkBytes, payloadCaptured, tunnel } = packet;
  return { words: [...words], sourcePort, destinationPort, protocol, networkBytes, payloadCaptured, tunnel };
}

/** Frames of all link types that can get an Ethernet header. */
const CASES: readonly (readonly [string, number, Uint8Array])[] = [
  ['IPv4 without a header', LINK.RAW_DLT, bytesOf(V4)],
  ['IPv6 without a header', LINK.RAW, bytesOf(V6)],
  ['IPv4 alone', LINK.IPV4, bytesOf(V4)],
  ['IPv6 alone', LINK.IPV6, bytesOf(V6)],
  ['IPv4 of a BSD loopback', LINK.NULL, nullLink(2, V4)],
  ['IPv6 of a BSD loopback', LINK.NULL, nullLink(30, V6, 'big')],
  ['OpenBSD', LINK.LOOP, nullLink(24, V6, 'big')],
  ['cooked', LINK.LINUX_SLL, sll({ hardware: 512 }, V4)],
  ['cooked ARP', LINK.LINUX_SLL, sll({}, arp('10.0.0.1', '10.0.0.2'))],
  ['cooked LLC', LINK.LINUX_SLL, sll({ protocol: 4 }, hex('aaaa03000000 86dd'))],
  ['PPP', LINK.PPP, ppp(V4)],
  ['PPP without address and control', LINK.PPP_HDLC, ppp(V6, false)],
  ['PPP with a short protocol', LINK.PPP, join([0x21], bytesOf(V4))],
];

describe('Framing', () => {
  test('leaves frames as they are where all have one link type', () => {
    for (const link of [LINK.ETHERNET, LINK.RAW, LINK.NULL, LINK.LINUX_SLL, LINK.RADIOTAP])
      expect(framing([link, link]).linkOf(iface(link))).toBe(link);
    expect(framing([LINK.RAW_DLT]).linkOf(iface(LINK.RAW_DLT))).toBe(LINK.RAW);
    const frame = ethernet({}, V4);
    expect(reframed(LINK.ETHERNET, LINK.ETHERNET, frame)).toEqual(frame);
    expect(reframed(LINK.RAW_DLT, LINK.RAW, bytesOf(V4))).toEqual(bytesOf(V4));
  });

  test('makes Ethernet of several link types, whichever comes first', () => {
    for (const links of [
      [LINK.ETHERNET, LINK.RAW_DLT],
      [LINK.RAW_DLT, LINK.ETHERNET],
      [LINK.NULL, LINK.PPP],
    ]) {
      const all = framing(links);
      for (const link of links) expect(all.linkOf(iface(link))).toBe(LINK.ETHERNET);
    }
    expect(framing([LINK.ETHERNET, LINK.RADIOTAP]).linkOf(iface(LINK.RADIOTAP)), 'has more than a header').toBe(LINK.RADIOTAP);
  });

  test('expects any link type of PKTAP, from the first frame on', () => {
    expect(framing([LINK.RAW_DLT], 'libpcap', true).linkOf(iface(LINK.RAW_DLT))).toBe(LINK.ETHERNET);
    expect(framing([LINK.NULL], 'tcpdump', true).linkOf(iface(LINK.NULL))).toBe(LINK.ETHERNET);
    expect(framing([LINK.NULL], 'file', true).linkOf(iface(LINK.NULL)), 'a file that names processes').toBe(LINK.NULL);
  });

  test('stays with its choice when more interfaces come', () => {
    const interfaces = [iface(LINK.RAW)];
    const one = new Framing({ interfaces, driver: 'file', namesProcesses: false });
    expect(one.linkOf(iface(LINK.RAW))).toBe(LINK.RAW);
    interfaces.push(iface(LINK.ETHERNET));
    expect(one.linkOf(iface(LINK.ETHERNET))).toBe(LINK.ETHERNET);
    expect(one.linkOf(iface(LINK.RAW))).toBe(LINK.RAW);
  });

  test('takes the interface number out of cooked frames, live: it means nothing elsewhere', () => {
    expect(framing([LINK.LINUX_SLL2, LINK.LINUX_SLL2]).linkOf(iface(LINK.LINUX_SLL2))).toBe(LINK.LINUX_SLL);
    expect(framing([LINK.LINUX_SLL2], 'file').linkOf(iface(LINK.LINUX_SLL2)), 'all that a file has').toBe(LINK.LINUX_SLL2);
    const fields = { packetType: 4, hardware: 772 };
    expect(reframed(LINK.LINUX_SLL2, LINK.LINUX_SLL, sll2(fields, V4))).toEqual(sll(fields, V4));
    expect(reframed(LINK.LINUX_SLL2, LINK.LINUX_SLL, sll2(fields, V4), 19)).toEqual(sll2(fields, V4).subarray(0, 19));
  });

  test.each(CASES)('says the same of %s behind an Ethernet header', (_, link, frame) => {
    const was = meaning(link, frame);
    const is = reframed(link, LINK.ETHERNET, frame);
    expect(meaning(LINK.ETHERNET, is)).toEqual(was);
    if (was === null) expect(is.length).toBeGreaterThan(0);
    else expect(is.length).toBeGreaterThanOrEqual(14 + was.networkBytes);
  });

  test('keeps the sender of a cooked frame, and the whole of one that is no packet', () => {
    expect([...reframed(LINK.LINUX_SLL, LINK.ETHERNET, sll({}, V4)).subarray(0, 14)]).toEqual([
      ...[0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 8, 0],
    ]);
    for (const [link, frame] of [
      [LINK.NULL, nullLink(16, hex('0102030405'))],
      [LINK.RAW, hex('00')],
      [LINK.RAW, hex('')],
      [LINK.LINUX_SLL, sll({ protocol: 12 }, hex('0102030405'))],
      [LINK.LINUX_SLL, sll({}, V4).subarray(0, 15)],
    ] as const) {
      const is = reframed(link, LINK.ETHERNET, frame);
      expect([...is.subarray(0, 14)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x88, 0xb5]);
      expect([...is.subarray(14)]).toEqual([...frame]);
    }
  });

  test('loses nothing of what any frame says, wherever it is cut', () => {
    const cut = fc.constantFrom(...CASES).chain(([, link, frame]) =>
      fc.record({
        link: fc.constant(link),
        captured: fc.integer({ min: 0, max: frame.length }),
        frame: fc
          .array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { maxLength: 3 })
          .map((changes) => changes.reduce((bytes, [at, value]) => bytes.fill(value, at, at + 1), frame.slice())),
      }),
    );
    fc.assert(
      fc.property(cut, ({ link, captured, frame }) => {
        const is = reframed(link, LINK.ETHERNET, frame, captured);
        const was = meaning(link, frame.subarray(0, captured), frame.length);
        if (was !== null) expect(meaning(LINK.ETHERNET, is, is.length + frame.length - captured)).toEqual(was);
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { decode } from '../../../src/decode/decode.ts';
import { LAYER, Packet, STATUS, TUNNEL } from '../../../src/decode/packet.ts';
import { formatAddress } from '../../../src/net/address.ts';
import { LINK, PROTOCOL } from '../../../src/net/numbers.ts';
import {
  authentication,
  be32,
  ethernet,
  extension,
  fragmentHeader,
  gre,
  hex,
  type Inner,
  icmpv6,
  ipv4,
  ipv6,
  join,
  type Layer,
  tcp,
  udp,
} from '../../support/frames.ts';

function read(inner: Layer, wire?: number, captured?: number): Packet {
  const frame = ethernet({}, inner);
  const packet = new Packet();
  decode(frame, 0, captured ?? frame.length, wire ?? frame.length, LINK.ETHERNET, packet);
  return packet;
}
const outcome = (packet: Packet) => [packet.status, packet.stoppedAt];
const DATAGRAM = udp({ sport: 1000, dport: 2000 }, 'hello');

describe('IPv4', () => {
  it('steps over options', () => {
    const packet = read(ipv4({ options: hex('94040000 01 01 00') }, DATAGRAM));
    expect(outcome(packet)).toEqual([STATUS.COMPLETE, LAYER.TRANSPORT]);
    expect([packet.transportOffset - packet.networkOffset, packet.networkBytes, packet.sourcePort]).toEqual([28, 28 + 13, 1000]);
  });

  it('uses the wire length if the total length is 0', () => {
    const packet = read(ipv4({ totalLength: 0 }, tcp({}, new Uint8Array(1000))), 14 + 40 + 60_000);
    expect(outcome(packet)).toEqual([STATUS.COMPLETE, LAYER.TRANSPORT]);
    expect([packet.networkBytes, packet.payloadBytes, packet.payloadCaptured]).toEqual([60_040, 60_000, 1000]);
  });

  it('uses the wire length if the total length is larger', () => {
    const packet = read(ipv4({ totalLength: 5000 }, tcp({}, 'x')));
    expect([packet.status, packet.networkBytes, packet.payloadBytes]).toEqual([STATUS.COMPLETE, 41, 1]);
  });

  it.each([
    ['version 5', ipv4({ version: 5 }, DATAGRAM)],
    ['header of 4 words', ipv4({ headerWords: 4 }, DATAGRAM)],
    ['total length shorter than the header', ipv4({ totalLength: 19 }, DATAGRAM)],
  ])('calls %s malformed, without addresses', (_, layer) => {
    const packet = read(layer);
    expect(outcome(packet)).toEqual([STATUS.MALFORMED, LAYER.NETWORK]);
    expect(packet.hasAddresses).toBe(false);
    expect([...packet.words]).toEqual(new Array(8).fill(0));
  });

  it('calls a transport header beyond the total length malformed, with addresses', () => {
    const packet = read(ipv4({ totalLength: 27 }, DATAGRAM));
    expect(outcome(packet)).toEqual([STATUS.MALFORMED, LAYER.TRANSPORT]);
    expect([packet.hasAddresses, packet.sourcePort, packet.networkBytes]).toEqual([true, 1000, 27]);
  });

  it('is truncated inside the header, and has addresses if truncated inside the options', () => {
    const layer = ipv4({ options: hex('94040000') }, DATAGRAM);
    expect([read(layer, undefined, 14 + 19).status, read(layer, undefined, 14 + 19).hasAddresses]).toEqual([
      STATUS.TRUNCATED,
      false,
    ]);
    const cut = read(layer, undefined, 14 + 22);
    expect(outcome(cut)).toEqual([STATUS.TRUNCATED, LAYER.NETWORK]);
    expect([cut.hasAddresses, cut.networkBytes, cut.protocol]).toEqual([true, 24 + 13, PROTOCOL.UDP]);
  });

  it.each([
    ['6in4', ipv4({}, ipv6({}, DATAGRAM)), PROTOCOL.IPV6, TUNNEL.SIX_IN_FOUR],
    ['IP in IP', ipv4({}, ipv4({ src: '10.9.9.9' }, DATAGRAM)), PROTOCOL.IPIP, TUNNEL.IP_IN_IP],
    ['GRE', ipv4({}, gre(ipv4({ src: '10.9.9.9' }, DATAGRAM))), PROTOCOL.GRE, TUNNEL.GRE],
    ['4in6', ipv6({}, ipv4({}, DATAGRAM)), PROTOCOL.IPIP, TUNNEL.FOUR_IN_SIX],
    ['IPv6 in IPv6', ipv6({}, ipv6({}, DATAGRAM)), PROTOCOL.IPV6, TUNNEL.IP_IN_IP],
    ['ESP', ipv4({ protocol: PROTOCOL.ESP }, new Uint8Array(40)), PROTOCOL.ESP, TUNNEL.NONE],
    ['AH', ipv4({ protocol: PROTOCOL.AH }, new Uint8Array(40)), PROTOCOL.AH, TUNNEL.NONE],
    ['IGMP', ipv4({ protocol: PROTOCOL.IGMP }, hex('11640000 00000000')), PROTOCOL.IGMP, TUNNEL.NONE],
    ['a protocol of the future', ipv4({ protocol: 253 }, new Uint8Array(3)), 253, TUNNEL.NONE],
  ])('keeps the outer packet of %s', (_, layer, protocol, tunnel) => {
    const packet = read(layer);
    expect(outcome(packet)).toEqual([STATUS.COMPLETE, LAYER.TRANSPORT]);
    expect([packet.protocol, packet.tunnel]).toEqual([protocol, tunnel]);
    expect([packet.sourcePort, packet.destinationPort, packet.payloadBytes, packet.payloadOffset]).toEqual([0, 0, 0, -1]);
    expect(['192.0.2.1', '2001:db8::1']).toContain(formatAddress(packet.words, 0));
  });
});

describe('IPv6', () => {
  const options = (...bytes: number[]) => extension(PROTOCOL.DSTOPTS, Uint8Array.from(bytes));
  const all = [
    extension(PROTOCOL.HOPOPTS, hex('0502 0000')),
    extension(PROTOCOL.ROUTING, join(hex('00 01 00000000'), new Uint8Array(16))),
    options(1, 4, 0, 0, 0, 0),
    authentication(),
    extension(PROTOCOL.MOBILITY),
    extension(PROTOCOL.HIP),
    extension(PROTOCOL.SHIM6),
  ];

  it('reads a neighbour solicitation byte by byte', () => {
    // RFC 8200 section 3, RFC 4861 section 4.3.
    const packet = read({
      etherType: 0x86dd,
      bytes: hex(`6000 0000 0018 3a ff fe800000000000000000000000000001 ff0200000000000000000001ff000002
                  87 00 0000 00000000 fe800000000000000000000000000002`),
    });
    expect(outcome(packet)).toEqual([STATUS.COMPLETE, LAYER.TRANSPORT]);
    expect([formatAddress(packet.words, 0), formatAddress(packet.words, 4)]).toEqual(['fe80::1', 'ff02::1:ff00:2']);
    expect([packet.protocol, packet.icmpType, packet.networkBytes]).toEqual([PROTOCOL.ICMPV6, 135 << 8, 64]);
  });

  it.each(all.map((one) => [one.header, one] as const))('steps over extension header %i', (_, one) => {
    for (const inner of [DATAGRAM, tcp({ sport: 1000, dport: 2000 })]) {
      const packet = read(ipv6({ extensions: [one] }, inner));
      expect(outcome(packet)).toEqual([STATUS.COMPLETE, LAYER.TRANSPORT]);
      expect([packet.protocol, packet.sourcePort, packet.destinationPort]).toEqual([inner.protocol, 1000, 2000]);
    }
  });

  it.each([all, ...all.map((one) => [one])])(
    'steps over them together and is truncated in each with its addresses',
    (...extensions) => {
      const layer = ipv6({ extensions }, DATAGRAM);
      const packet = read(layer);
      expect([packet.status, packet.sourcePort, packet.payloadBytes]).toEqual([STATUS.COMPLETE, 1000, 5]);
      for (let captured = 14 + 40; captured < packet.transportOffset; captured++) {
        const cut = read(layer, undefined, captured);
        expect(outcome(cut)).toEqual([STATUS.TRUNCATED, LAYER.NETWORK]);
        expect([cut.hasAddresses, cut.networkBytes]).toEqual([true, packet.networkBytes]);
      }
    },
  );

  it('ends an endless chain of headers', () => {
    const packet = read(ipv6({ extensions: Array.from({ length: 40 }, () => options(0)) }, DATAGRAM));
    expect(outcome(packet)).toEqual([STATUS.MALFORMED, LAYER.NETWORK]);
    expect(packet.hasAddresses).toBe(true);
  });

  it('calls an extension header beyond the payload length malformed', () => {
    const packet = read(ipv6({ extensions: [options(0)], payloadLength: 7 }, DATAGRAM));
    expect(outcome(packet)).toEqual([STATUS.MALFORMED, LAYER.NETWORK]);
    const long = ipv6({ extensions: [options(0)] }, DATAGRAM);
    long.bytes[41] = 200;
    expect(read(long).status).toBe(STATUS.MALFORMED);
  });

  it('keeps the protocol number if no header follows', () => {
    for (const header of [PROTOCOL.MOBILITY, PROTOCOL.HIP, PROTOCOL.SHIM6]) {
      const packet = read(ipv6({ extensions: [extension(header)], nextHeader: PROTOCOL.NO_NEXT }, ''));
      expect([packet.status, packet.protocol]).toEqual([STATUS.COMPLETE, header]);
    }
    const none = read(ipv6({ extensions: [options(0)], nextHeader: PROTOCOL.NO_NEXT }, ''));
    expect([none.status, none.protocol]).toEqual([STATUS.COMPLETE, PROTOCOL.NO_NEXT]);
  });

  it('stops at ESP, whose inside nobody can read', () => {
    const packet = read(ipv6({ extensions: [options(0)], nextHeader: PROTOCOL.ESP }, new Uint8Array(40)));
    expect([packet.status, packet.protocol, packet.payloadBytes]).toEqual([STATUS.COMPLETE, PROTOCOL.ESP, 0]);
  });

  it('uses the wire length of a segment that isn’t split into packets yet', () => {
    for (const inner of [tcp({}, 'x'), udp({ length: 0 }, 'x')]) {
      const packet = read(ipv6({ payloadLength: 0 }, inner), 14 + 40 + 100_000);
      expect([packet.status, packet.networkBytes]).toEqual([STATUS.COMPLETE, 100_040]);
      expect(packet.payloadBytes).toBe(100_000 - (inner.protocol === PROTOCOL.TCP ? 20 : 8));
    }
    const lie = read(ipv6({ payloadLength: 0 }, icmpv6({ type: 128 }, 'x')));
    expect([lie.status, lie.networkBytes]).toEqual([STATUS.MALFORMED, 40]);
  });

  it('reads the length of a jumbogram from its option', () => {
    const jumbo = (bytes: number, ...before: number[]) => {
      const option = extension(PROTOCOL.HOPOPTS, join(before, [0xc2, 4], be32(bytes)));
      return ipv6({ payloadLength: 0, extensions: [option] }, tcp({}, 'x'));
    };
    const packet = read(jumbo(90_000), 14 + 40 + 90_002);
    expect([packet.status, packet.networkBytes, packet.payloadBytes]).toEqual([STATUS.COMPLETE, 90_040, 90_000 - 8 - 20]);
    expect(read(jumbo(90_000, 0, 0, 5, 2, 0, 0), 14 + 40 + 90_002).networkBytes).toBe(90_040);
    const without = ipv6({ payloadLength: 0, extensions: [extension(PROTOCOL.HOPOPTS)] }, tcp({}, 'x'));
    expect(read(without).status).toBe(STATUS.MALFORMED);
  });

  it('calls another version malformed', () => {
    const layer = ipv6({}, DATAGRAM);
    layer.bytes[0] = 0x40;
    expect(outcome(read(layer))).toEqual([STATUS.MALFORMED, LAYER.NETWORK]);
  });

  it('takes a fragment that is a whole packet as one', () => {
    const packet = read(ipv6({ extensions: [fragmentHeader(7, 0, false)] }, DATAGRAM));
    expect([packet.firstFragment, packet.laterFragment, packet.identification]).toEqual([false, false, 0]);
    expect([packet.status, packet.sourcePort]).toEqual([STATUS.COMPLETE, 1000]);
  });
});

it('uses the captured length if the wire length is smaller', () => {
  const inner: Inner = ipv4({}, DATAGRAM);
  expect(read(inner, 10).networkBytes).toBe(33);
});

import { describe, expect, it } from 'vitest';
import { decode } from '../../../src/decode/decode.ts';
import { LAYER, Packet, STATUS, TUNNEL } from '../../../src/decode/packet.ts';
import { LINK, PROTOCOL, TCP_FLAG } from '../../../src/net/numbers.ts';
import {
  ethernet,
  hex,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  join,
  type Layer,
  sctp,
  tcp,
  udp,
  udplite,
  vxlan,
  wireguard,
} from '../../support/frames.ts';

function read(segment: Layer, captured?: number): Packet {
  const frame = ethernet({}, segment.protocol === PROTOCOL.ICMPV6 ? ipv6({}, segment) : ipv4({}, segment));
  const packet = new Packet();
  decode(frame, 0, captured === undefined ? frame.length : 34 + captured, frame.length, LINK.ETHERNET, packet);
  return packet;
}
const outcome = (packet: Packet) => [packet.status, packet.stoppedAt];
const stamps = (packet: Packet) => [packet.hasTimestamps, packet.timestampValue, packet.timestampEcho];

describe('TCP', () => {
  it('reads a SYN of macOS byte by byte', () => {
    // Options in the order that Darwin sends: MSS, NOP, window scale, NOP, NOP, timestamps, SACK permitted, end, padding.
    const packet = read({
      protocol: PROTOCOL.TCP,
      bytes: hex(`c2e0 01bb 9abcdef0 00000000 b0 02 ffff 0000 0000
                  020405b4 01 030306 0101 080a 30c5f0aa 00000000 0402 0000`),
    });
    expect(outcome(packet)).toEqual([STATUS.COMPLETE, LAYER.TRANSPORT]);
    expect([packet.sourcePort, packet.destinationPort, packet.tcpFlags]).toEqual([49888, 443, TCP_FLAG.SYN]);
    expect([packet.sequence, packet.acknowledgement]).toEqual([0x9abcdef0 | 0, 0]);
    expect(stamps(packet)).toEqual([true, 0x30c5f0aa, 0]);
    expect([packet.payloadBytes, packet.payloadCaptured, packet.payloadOffset]).toEqual([0, 0, 34 + 44]);
  });

  it('reads flags, numbers and the aligned timestamps', () => {
    const packet = read(
      tcp({ seq: 0xffffffff, ack: 5, flags: TCP_FLAG.PSH | TCP_FLAG.ACK, timestamps: [0xfffffff0, 7] }, 'hello'),
    );
    expect([packet.sequence, packet.acknowledgement, packet.tcpFlags]).toEqual([-1, 5, 0x18]);
    expect(stamps(packet)).toEqual([true, -16, 7]);
    expect([packet.payloadBytes, packet.payloadOffset, packet.payloadCaptured]).toEqual([5, 34 + 32, 5]);
  });

  it('has no timestamps where there are none', () => {
    expect(stamps(read(tcp({}, 'x')))).toEqual([false, 0, 0]);
    expect(stamps(read(tcp({ options: hex('0101 050a 00000001 00000002') })))).toEqual([false, 0, 0]);
    expect(stamps(read(tcp({ options: hex('00 080a 00000001 00000002') })))).toEqual([false, 0, 0]);
  });

  it.each([
    ['length 0', '08 00 00 00'],
    ['length 1', '02 01 00 00'],
    ['beyond the header', '02 40 05 b4'],
    ['timestamps of another length', '08 04 05 b4'],
    ['timestamps that end outside', '0101 080a'],
  ])('goes on after an option with %s', (_, bytes) => {
    const packet = read(tcp({ options: hex(bytes) }, 'hello'));
    expect([packet.status, packet.hasTimestamps, packet.payloadBytes]).toEqual([STATUS.COMPLETE, false, 5]);
  });

  it('calls impossible data offsets malformed and keeps the ports', () => {
    for (const dataOffset of [0, 4, 8]) {
      const packet = read(tcp({ sport: 1000, dataOffset }, 'hello'));
      expect(outcome(packet)).toEqual([STATUS.MALFORMED, LAYER.TRANSPORT]);
      expect([packet.sourcePort, packet.payloadOffset, packet.payloadBytes]).toEqual([1000, -1, 0]);
    }
  });

  it('keeps what was read before the cut', () => {
    const segment = tcp({ sport: 1000, dport: 2000, seq: 9, timestamps: [3, 4] }, 'hello');
    const ports = (captured: number) => [read(segment, captured).sourcePort, read(segment, captured).destinationPort];
    expect(outcome(read(segment, 3))).toEqual([STATUS.TRUNCATED, LAYER.TRANSPORT]);
    expect([ports(3), ports(4)]).toEqual([
      [0, 0],
      [1000, 2000],
    ]);
    expect([read(segment, 20).status, read(segment, 20).sequence, read(segment, 20).hasTimestamps]).toEqual([
      STATUS.TRUNCATED,
      9,
      false,
    ]);
    expect([read(segment, 34).status, read(segment, 34).payloadCaptured, read(segment, 34).payloadBytes]).toEqual([
      STATUS.COMPLETE,
      2,
      5,
    ]);
  });
});

describe('UDP', () => {
  it('believes its own length within the packet', () => {
    const short = read(udp({ length: 10 }, 'hello'));
    expect([short.payloadBytes, short.payloadCaptured]).toEqual([2, 2]);
    expect(read(udp({ length: 0 }, 'hello')).payloadBytes).toBe(5);
  });

  it('calls impossible lengths malformed and keeps the ports', () => {
    for (const length of [1, 7, 14, 65535]) {
      const packet = read(udp({ sport: 1000, length }, 'hello'));
      expect(outcome(packet)).toEqual([STATUS.MALFORMED, LAYER.TRANSPORT]);
      expect([packet.sourcePort, packet.payloadOffset]).toEqual([1000, -1]);
    }
  });

  it('recognises VXLAN with a valid header only', () => {
    const frame = ethernet({}, ipv4({}, udp({}, 'x')));
    expect(read(udp({ dport: 4789 }, vxlan(42, frame))).tunnel).toBe(TUNNEL.VXLAN);
    expect(read(udp({ dport: 4790 }, vxlan(42, frame))).tunnel).toBe(TUNNEL.NONE);
    expect(read(udp({ dport: 4789 }, vxlan(42, new Uint8Array(13)))).tunnel).toBe(TUNNEL.NONE);
    // Reserved bits are ignored, but without the I bit the datagram isn't VXLAN.
    for (const header of ['0800 0000 00002a 01', '0800 0001 00002a 00', '8800 0001 00002a 00', 'ffff ffff 00002a ff'])
      expect(read(udp({ dport: 4789 }, join(hex(header), frame))).tunnel).toBe(TUNNEL.VXLAN);
    expect(read(udp({ dport: 4789 }, join(hex('f7ff ffff 00002a 00'), frame))).tunnel).toBe(TUNNEL.NONE);
    const outer = read(udp({ sport: 5555, dport: 4789 }, vxlan(42, frame)));
    expect([outer.protocol, outer.sourcePort, outer.destinationPort]).toEqual([PROTOCOL.UDP, 5555, 4789]);
  });

  it('recognises WireGuard by type, zeros and length', () => {
    const tunnel = (payload: Uint8Array, captured?: number) => read(udp({ dport: 51820 }, payload), captured).tunnel;
    for (const type of [1, 2, 3, 4] as const) expect(tunnel(wireguard(type, 100))).toBe(TUNNEL.WIREGUARD);
    expect(tunnel(wireguard(4))).toBe(TUNNEL.WIREGUARD);
    expect(tunnel(wireguard(4, 1400), 8 + 40)).toBe(TUNNEL.WIREGUARD);
    for (const type of [1, 2, 3] as const) expect(tunnel(join(wireguard(type), [0]))).toBe(TUNNEL.NONE);
    expect(tunnel(join(wireguard(4, 100), [0]))).toBe(TUNNEL.NONE);
    expect(tunnel(wireguard(4).fill(1, 1, 4))).toBe(TUNNEL.NONE);
    expect(tunnel(wireguard(4).fill(1, 14, 16))).toBe(TUNNEL.NONE);
    expect(tunnel(wireguard(1).fill(5, 0, 1))).toBe(TUNNEL.NONE);
  });
});

describe('others', () => {
  it('reads the ports of UDP-Lite and SCTP', () => {
    for (const segment of [udplite({ sport: 1000, dport: 2000 }, 'hello'), sctp({ sport: 1000, dport: 2000 }, 'hello')]) {
      const packet = read(segment);
      expect([packet.status, packet.protocol, packet.sourcePort, packet.destinationPort]).toEqual([
        0,
        segment.protocol,
        1000,
        2000,
      ]);
      expect(packet.payloadBytes).toBe(5);
      expect(read(segment, 7).status).toBe(STATUS.TRUNCATED);
      expect(read(segment, 7).sourcePort).toBe(1000);
    }
  });

  it.each([
    ['echo request', icmp({ type: 8, rest: 0x1234_0001 }), 0x1234, 8],
    ['echo reply', icmp({ type: 0, rest: 0x1234_0001 }), 8, 0x1234],
    ['timestamp', icmp({ type: 13, rest: 0x1234_0001 }), 0x1234, 8],
    ['address mask reply', icmp({ type: 18, rest: 0x1234_0001 }), 8, 0x1234],
    ['unreachable', icmp({ type: 3, rest: 0x1234_0001 }), 0, 0],
    ['router advertisement', icmpv6({ type: 134, rest: 0x1234_0001 }), 0, 0],
    ['ICMPv6 echo request', icmpv6({ type: 128, rest: 0x1234_0001 }), 0x1234, 8],
    ['ICMPv6 echo reply', icmpv6({ type: 129, rest: 0x1234_0001 }), 8, 0x1234],
    ['ICMPv6 with the number of an IPv4 echo', icmpv6({ type: 8, rest: 0x1234_0001 }), 0, 0],
  ])('takes the identifier of ICMP for a port: %s', (_, message, sourcePort, destinationPort) => {
    const whole = read(message);
    expect([whole.sourcePort, whole.destinationPort]).toEqual([sourcePort, destinationPort]);
    const cut = read(message, 5);
    expect([cut.sourcePort, cut.destinationPort]).toEqual([0, 0]);
  });

  it('reads type and code of ICMP and ICMPv6', () => {
    const unreachable = read(icmp({ type: 3, code: 13 }, 'inner'));
    expect([unreachable.status, unreachable.icmpType, unreachable.payloadBytes]).toEqual([STATUS.COMPLETE, (3 << 8) | 13, 5]);
    const echo = read(icmpv6({ type: 128 }, 'hello'));
    expect([echo.status, echo.icmpType, echo.payloadBytes]).toEqual([STATUS.COMPLETE, 128 << 8, 5]);
    expect(outcome(read(icmp({ type: 8 }), 3))).toEqual([STATUS.TRUNCATED, LAYER.TRANSPORT]);
    expect(outcome(read({ protocol: PROTOCOL.ICMP, bytes: hex('0800') }))).toEqual([STATUS.MALFORMED, LAYER.TRANSPORT]);
  });
});

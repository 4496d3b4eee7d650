import { describe, expect, it } from 'vitest';
import { Decoder, decode, Fragments } from '../../../src/decode/decode.ts';
import { Packet, STATUS } from '../../../src/decode/packet.ts';
import { LINK, PROTOCOL } from '../../../src/net/numbers.ts';
import {
  ethernet,
  extension,
  fragmentHeader,
  ipv4,
  ipv6,
  join,
  type Layer,
  sll2,
  tcp,
  udp,
  wireguard,
} from '../../support/frames.ts';

const PAYLOAD = Uint8Array.from({ length: 40 }, (_, i) => i);
const DATAGRAM = udp({ sport: 1000, dport: 2000 }, PAYLOAD).bytes;

function read(decoder: Decoder, layer: Layer): Packet {
  const packet = new Packet();
  const frame = ethernet({}, layer);
  decoder.decode(frame, 0, frame.length, frame.length, LINK.ETHERNET, packet);
  return packet;
}
const facts = (packet: Packet) => [
  packet.protocol,
  packet.sourcePort,
  packet.destinationPort,
  packet.laterFragment,
  packet.payloadBytes,
];
const first4 = (id: number, src = '10.0.0.1') => ipv4({ src, id, flags: 1, protocol: PROTOCOL.UDP }, DATAGRAM.subarray(0, 24));
const later4 = (id: number, src = '10.0.0.1', protocol: number = PROTOCOL.UDP) =>
  ipv4({ src, id, fragmentOffset: 3, protocol }, DATAGRAM.subarray(24));

describe('Decoder', () => {
  it('gives later IPv4 fragments the ports of the first', () => {
    const decoder = new Decoder();
    const first = read(decoder, first4(7));
    expect([first.status, first.firstFragment, first.laterFragment, first.payloadBytes]).toEqual([
      STATUS.COMPLETE,
      true,
      false,
      16,
    ]);
    const later = read(decoder, later4(7));
    expect(facts(later)).toEqual([PROTOCOL.UDP, 1000, 2000, true, 24]);
    expect([later.status, later.payloadOffset, later.payloadCaptured, later.transportOffset]).toEqual([
      STATUS.COMPLETE,
      -1,
      0,
      -1,
    ]);
    expect(first.payloadBytes + later.payloadBytes).toBe(PAYLOAD.length);
  });

  it('keeps packets apart by identification, address and protocol', () => {
    const decoder = new Decoder();
    read(decoder, first4(7));
    for (const other of [later4(8), later4(7, '10.0.0.3'), later4(7, '10.0.0.1', PROTOCOL.TCP)]) {
      expect(facts(read(decoder, other)).slice(1, 3)).toEqual([0, 0]);
    }
    expect(facts(read(decoder, later4(7))).slice(1, 3)).toEqual([1000, 2000]);
  });

  it('has no ports for a fragment that comes before the first', () => {
    expect(facts(read(new Decoder(), later4(7)))).toEqual([PROTOCOL.UDP, 0, 0, true, 24]);
  });

  it('gives later IPv6 fragments ports and protocol, even with options in between', () => {
    const decoder = new Decoder();
    const options = extension(PROTOCOL.DSTOPTS);
    const inside = join([PROTOCOL.UDP], options.bytes.subarray(1), DATAGRAM);
    const part = (offset: number, more: boolean, bytes: Uint8Array) =>
      ipv6({ extensions: [fragmentHeader(-5, offset, more)], nextHeader: PROTOCOL.DSTOPTS }, bytes);
    const first = read(decoder, part(0, true, inside.subarray(0, 24)));
    expect([first.status, first.firstFragment, first.identification, first.sourcePort]).toEqual([
      STATUS.COMPLETE,
      true,
      -5,
      1000,
    ]);
    const later = read(decoder, part(3, false, inside.subarray(24)));
    expect(facts(later).slice(0, 4)).toEqual([PROTOCOL.UDP, 1000, 2000, true]);
  });

  it('calls a first fragment without a whole header malformed, with its ports', () => {
    const packet = read(new Decoder(), ipv4({ flags: 1, protocol: PROTOCOL.TCP }, tcp({ sport: 1000 }).bytes.subarray(0, 8)));
    expect([packet.status, packet.sourcePort]).toEqual([STATUS.MALFORMED, 1000]);
  });

  it('forgets the oldest and never grows', () => {
    const fragments = new Fragments(1);
    const settle = (layer: Layer) => {
      const packet = new Packet();
      decode(layer.bytes, 0, layer.bytes.length, layer.bytes.length, LINK.RAW, packet);
      fragments.settle(packet);
      return packet.sourcePort;
    };
    for (let id = 1; id <= 5; id++) settle(first4(id));
    settle(first4(5));
    expect([1, 2, 3, 4, 5].map((id) => settle(later4(id)))).toEqual([0, 1000, 1000, 1000, 1000]);
  });
});

describe('decode', () => {
  it('overwrites every field', () => {
    const full = sll2({ packetType: 2 }, ipv6({ extensions: [fragmentHeader(9, 0, true)] }, tcp({ timestamps: [1, 2] }, 'x')));
    const tagged = ethernet({ vlan: 5, dst: 'ff:ff:ff:ff:ff:ff' }, ipv4({}, udp({}, wireguard(4))));
    const used = new Packet();
    for (const [frame, link] of [
      [full, LINK.LINUX_SLL2],
      [tagged, LINK.ETHERNET],
      [ethernet({}, ipv4({ fragmentOffset: 9 }, udp({}))), LINK.ETHERNET],
      [new Uint8Array(0), LINK.ETHERNET],
      [new Uint8Array(0), LINK.RAW],
      [new Uint8Array(30), 999],
    ] as const) {
      const fresh = new Packet();
      decode(frame, 0, frame.length, frame.length, link, fresh);
      decode(frame, 0, frame.length, frame.length, link, used);
      expect(used).toEqual(fresh);
      decode(full, 0, full.length, full.length, LINK.LINUX_SLL2, used);
    }
  });

  it('bounds lying lengths by the buffer', () => {
    const frame = ethernet({}, ipv4({}, udp({}, 'hello')));
    const packet = new Packet();
    expect(decode(frame, 0, 1_000_000, 0xffffffff, LINK.ETHERNET, packet)).toBe(STATUS.COMPLETE);
    expect([packet.frameBytes, packet.payloadCaptured]).toEqual([frame.length, 5]);
    expect(decode(frame, frame.length + 10, 20, 20, LINK.ETHERNET, packet)).toBe(STATUS.TRUNCATED);
  });
});

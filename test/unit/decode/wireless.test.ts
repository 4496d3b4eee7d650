import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode } from '../../../src/decode/decode.ts';
import { LAYER, Packet, STATUS, UNREAD } from '../../../src/decode/packet.ts';
import { AggregateRest, isWireless } from '../../../src/decode/wireless.ts';
import { LINK } from '../../../src/net/numbers.ts';
import { aggregate, avs, hex, ipv4, ipv6, join, ppi, prism, radiotap, snap, udp, wireless } from '../../support/frames.ts';

const V4 = ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, udp({ sport: 1000, dport: 2000 }, 'hello'));
const V6 = ipv6({ src: 'fe80::1', dst: 'ff02::fb' }, udp({ sport: 1000, dport: 2000 }, 'hello'));
const LINKS = [LINK.IEEE802_11, LINK.RADIOTAP, LINK.PRISM, LINK.AVS, LINK.PPI];
const CHECKSUM = hex('deadbeef');

function read(link: number, frame: Uint8Array, captured = frame.length): Packet {
  const packet = new Packet();
  decode(frame, 0, captured, frame.length, link, packet);
  return packet;
}

/** [network bytes, payload] of a complete datagram. */
function datagram(packet: Packet): number[] {
  expect([packet.status, packet.stoppedAt, packet.sourcePort, packet.destinationPort]).toEqual([
    STATUS.COMPLETE,
    LAYER.TRANSPORT,
    1000,
    2000,
  ]);
  return [packet.networkBytes, packet.payloadCaptured];
}

const unread = (packet: Packet) => [packet.status, packet.unread >>> 16, packet.unread & 0xffff];

describe('data frames', () => {
  it.each([
    ['to the access point', { flags: 1 }],
    ['from it', { flags: 2 }],
    ['between two of them', { flags: 3 }],
    ['with quality of service', { control: 0x88 }],
    ['with both, and high throughput control', { control: 0x88, flags: 0x83 }],
    ['with an acknowledgement', { control: 0x18 }],
  ])('%s', (_, fields) => {
    const frame = wireless(fields, snap(V4));
    const packet = read(LINK.IEEE802_11, frame);
    expect(datagram(packet)).toEqual([33, 5]);
    expect(packet.frameBytes).toBe(frame.length);
    expect(datagram(read(LINK.IEEE802_11, wireless(fields, snap(V6))))).toEqual([53, 5]);
  });

  it.each([
    ['radiotap', LINK.RADIOTAP, (frame: Uint8Array) => radiotap(frame)],
    ['radiotap with fields', LINK.RADIOTAP, (frame: Uint8Array) => radiotap(join(frame, CHECKSUM), 0x10)],
    ['radiotap with more words', LINK.RADIOTAP, (frame: Uint8Array) => radiotap(join(frame, CHECKSUM), 0x10, 2)],
    ['PPI', LINK.PPI, (frame: Uint8Array) => ppi(frame)],
    ['PPI with a check sequence', LINK.PPI, (frame: Uint8Array) => ppi(join(frame, CHECKSUM), 1)],
    ['Prism', LINK.PRISM, (frame: Uint8Array) => prism(frame)],
    ['Prism of the other byte order', LINK.PRISM, (frame: Uint8Array) => prism(frame, 'big')],
    ['AVS', LINK.AVS, (frame: Uint8Array) => avs(frame)],
    ["AVS under Prism's number", LINK.PRISM, (frame: Uint8Array) => avs(frame)],
  ])('behind %s', (_, link, wrap) => {
    const frame = wireless({ control: 0x88 }, snap(V4));
    const packet = read(link, wrap(frame));
    expect(datagram(packet)).toEqual([33, 5]);
    // Neither the driver's header nor the check sequence counts.
    expect(packet.frameBytes).toBe(frame.length);
  });

  it('steps over padding between header and body', () => {
    expect(datagram(read(LINK.RADIOTAP, radiotap(wireless({ control: 0x88, padding: 2 }, snap(V4)), 0x20)))).toEqual([33, 5]);
    expect(datagram(read(LINK.RADIOTAP, radiotap(wireless({}, snap(V4)), 0x20)))).toEqual([33, 5]);
  });

  it('recognises group traffic by the destination, which is elsewhere in frames to the access point', () => {
    const group = (flags: number, at: number) => {
      const frame = wireless({ flags }, snap(V4));
      frame[at] = 0xff;
      return read(LINK.IEEE802_11, frame).groupAddressed;
    };
    expect([group(1, 4), group(1, 16), group(2, 4), group(2, 16)]).toEqual([false, true, true, false]);
  });
});

describe('frames that aren’t read', () => {
  it('are counted by kind', () => {
    const body = snap(V4);
    const plain = (fields: Parameters<typeof wireless>[0]) => unread(read(LINK.IEEE802_11, wireless(fields, body)));
    expect(plain({ flags: 0x41 })).toEqual([STATUS.UNSUPPORTED, UNREAD.ENCRYPTED, 0]);
    expect(plain({ control: 0x80 })).toEqual([STATUS.UNSUPPORTED, UNREAD.WIRELESS, 0]);
    expect(plain({ control: 0xd4 })).toEqual([STATUS.UNSUPPORTED, UNREAD.WIRELESS, 1]);
    expect(plain({ control: 0x48 })).toEqual([STATUS.UNSUPPORTED, UNREAD.WIRELESS, 2]);
    expect(plain({ fragment: 1 })).toEqual([STATUS.UNSUPPORTED, UNREAD.WIRELESS, 2]);
    expect(plain({ control: 0x09 })).toEqual([STATUS.UNSUPPORTED, UNREAD.OTHER, 0]);
    expect(unread(read(LINK.PPI, ppi(V4.bytes, 0, 1)))).toEqual([STATUS.UNSUPPORTED, UNREAD.LINK, 1]);
  });

  it('are malformed if the driver or their lengths say so', () => {
    expect(read(LINK.RADIOTAP, radiotap(wireless({}, snap(V4)), 0x50)).status).toBe(STATUS.MALFORMED);
    expect(read(LINK.PPI, ppi(wireless({}, snap(V4)), 5)).status).toBe(STATUS.MALFORMED);
    expect(read(LINK.RADIOTAP, hex('0000 0700 00000000')).status).toBe(STATUS.MALFORMED);
    expect(read(LINK.RADIOTAP, hex('0000 ff00 00000000')).status).toBe(STATUS.MALFORMED);
    expect(read(LINK.IEEE802_11, wireless({}, snap(V4)).subarray(0, 20)).status).toBe(STATUS.MALFORMED);
    expect(read(LINK.IEEE802_11, wireless({}, snap(V4)), 20).status).toBe(STATUS.TRUNCATED);
  });
});

describe('several packets in one frame', () => {
  const inners = [V4, V6, V4];
  const frame = wireless({ control: 0x88, quality: 0x80 }, aggregate(...inners));

  /** All packets of a frame: the first by `decode`, the others by the walk. */
  function all(link: number, bytes: Uint8Array, captured = bytes.length): Packet[] {
    const packets = [read(link, bytes, captured)];
    const walk = new AggregateRest(new Packet());
    if (!walk.begin(link, bytes, 0, captured, bytes.length)) return packets;
    while (walk.next()) {
      const packet = new Packet();
      decode(bytes, walk.offset, walk.captured, walk.wire, LINK.ETHERNET, packet);
      packets.push(packet);
    }
    return packets;
  }

  it('are all read, and their frame bytes add up', () => {
    for (const [link, bytes] of [
      [LINK.IEEE802_11, frame],
      [LINK.RADIOTAP, radiotap(join(frame, CHECKSUM), 0x10)],
    ] as const) {
      const packets = all(link, bytes);
      expect(packets.map(datagram)).toEqual([
        [33, 5],
        [53, 5],
        [33, 5],
      ]);
      expect(packets.reduce((sum, { frameBytes }) => sum + frameBytes, 0)).toBe(frame.length);
    }
  });

  it('are counted if the capture truncated them', () => {
    for (let captured = 0; captured < frame.length; captured++) {
      const packets = all(LINK.IEEE802_11, frame, captured);
      if (packets.length > 1) expect(packets.reduce((sum, { frameBytes }) => sum + frameBytes, 0)).toBe(frame.length);
    }
  });

  it('end at a false length', () => {
    const lying = frame.slice();
    lying[26 + 13] = 0xff;
    expect(all(LINK.IEEE802_11, lying).map(({ status }) => status)).toEqual([STATUS.MALFORMED]);
    const second = frame.slice();
    second[26 + 14 + 8 + 33 + 1 + 13] = 0xff;
    expect(all(LINK.IEEE802_11, second)).toHaveLength(2);
  });

  it('are as many as fit', () => {
    const empty = wireless({ control: 0x88, quality: 0x80 }, new Uint8Array(16_000));
    const packets = all(LINK.IEEE802_11, empty);
    expect(packets).toHaveLength(1000);
    expect(packets.reduce((sum, { frameBytes }) => sum + frameBytes, 0)).toBe(empty.length);
  });

  it('stay within the frame, one after the other, for any bytes', () => {
    const walk = new AggregateRest(new Packet());
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 200 }).map((body) => wireless({ control: 0x88, quality: 0x80 }, body)),
    );
    fc.assert(
      fc.property(bodies, fc.constantFrom(...LINKS), fc.nat(300), fc.nat(60), (bytes, link, more, cut) => {
        const captured = Math.max(0, bytes.length - cut);
        const wire = captured + more;
        if (!walk.begin(link, bytes, 0, captured, wire)) return;
        let last = 0;
        for (let turns = 0; walk.next(); turns++) {
          expect(walk.offset).toBeGreaterThan(last);
          expect(walk.offset + walk.wire).toBeLessThanOrEqual(wire);
          expect(walk.captured).toBeLessThanOrEqual(walk.wire);
          if (walk.captured > 0) expect(walk.offset + walk.captured).toBeLessThanOrEqual(captured);
          expect(turns).toBeLessThan(100);
          last = walk.offset;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

it('knows its link types', () => {
  expect(Object.values(LINK).filter(isWireless).sort()).toEqual([...LINKS].sort());
});

import { describe, expect, it } from 'vitest';
import { decode } from '../../../src/decode/decode.ts';
import { LAYER, Packet, STATUS, UNREAD } from '../../../src/decode/packet.ts';
import { formatAddress } from '../../../src/net/address.ts';
import { DIRECTION, ETHERTYPE, LINK, PROTOCOL } from '../../../src/net/numbers.ts';
import {
  arp,
  backbone,
  etag,
  ethernet,
  hex,
  type Inner,
  ipv4,
  ipv6,
  join,
  macsec,
  mpls,
  nsh,
  nullLink,
  ppp,
  pppoe,
  sll,
  sll2,
  snap,
  udp,
  vntag,
} from '../../support/frames.ts';

const V4 = ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, udp({ sport: 1000, dport: 2000 }, 'hello'));
const V6 = ipv6({ src: 'fe80::1', dst: 'ff02::fb' }, udp({ sport: 1000, dport: 2000 }, 'hello'));
const V4_BYTES = 20 + 8 + 5;
const V6_BYTES = 40 + 8 + 5;

function read(link: number, frame: Uint8Array, captured = frame.length): Packet {
  const packet = new Packet();
  decode(frame, 0, captured, frame.length, link, packet);
  return packet;
}
function expectDatagram(packet: Packet, networkBytes: number): void {
  expect(packet.status).toBe(STATUS.COMPLETE);
  expect(packet.stoppedAt).toBe(LAYER.TRANSPORT);
  expect([packet.protocol, packet.sourcePort, packet.destinationPort]).toEqual([PROTOCOL.UDP, 1000, 2000]);
  expect([packet.networkBytes, packet.payloadBytes, packet.payloadCaptured]).toEqual([networkBytes, 5, 5]);
}

describe('Ethernet', () => {
  it('reads a real DNS query byte by byte', () => {
    // Written out by hand from RFC 894, RFC 791, RFC 768 and RFC 1035.
    const packet = read(
      LINK.ETHERNET,
      hex(`a4b1c1000001 3c22fb000002 0800
           45 00 0037 1c46 4000 40 11 0000 c0a80117 01010101
           d431 0035 0023 0000
           abcd 0100 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001`),
    );
    expect(packet.status).toBe(STATUS.COMPLETE);
    expect(formatAddress(packet.words, 0)).toBe('192.168.1.23');
    expect(formatAddress(packet.words, 4)).toBe('1.1.1.1');
    expect([packet.sourcePort, packet.destinationPort]).toEqual([54321, 53]);
    expect([packet.frameBytes, packet.networkBytes]).toEqual([71, 55]);
    expect([packet.networkOffset, packet.transportOffset, packet.payloadOffset]).toEqual([14, 34, 42]);
    expect([packet.payloadBytes, packet.payloadCaptured, packet.groupAddressed]).toEqual([27, 27, false]);
  });

  it('reads both versions and cuts padding', () => {
    expectDatagram(read(LINK.ETHERNET, ethernet({}, V6)), V6_BYTES);
    const packet = read(LINK.ETHERNET, ethernet({ pad: 0xee }, V4));
    expectDatagram(packet, V4_BYTES);
    expect(packet.frameBytes).toBe(60);
  });

  it('tells group addresses from the I/G bit', () => {
    expect(read(LINK.ETHERNET, ethernet({ dst: '01:00:5e:00:00:fb' }, V4)).groupAddressed).toBe(true);
    expect(read(LINK.ETHERNET, ethernet({ dst: 'ff:ff:ff:ff:ff:ff' }, V4)).groupAddressed).toBe(true);
    expect(read(LINK.ETHERNET, ethernet({ dst: '02:00:00:00:00:02' }, V4)).groupAddressed).toBe(false);
  });

  it('keeps the outermost VLAN', () => {
    const one = read(LINK.ETHERNET, ethernet({ vlan: 0x6000 | 42 }, V4));
    expectDatagram(one, V4_BYTES);
    expect(one.vlan).toBe(42);
    for (const outer of [ETHERTYPE.QINQ, ETHERTYPE.QINQ_OLD, ETHERTYPE.VLAN]) {
      const tags = [
        { id: 100, type: outer },
        { id: 200, type: ETHERTYPE.VLAN },
      ];
      const two = read(LINK.ETHERNET, ethernet({ vlan: tags }, V6));
      expectDatagram(two, V6_BYTES);
      expect(two.vlan).toBe(100);
    }
  });

  it('ends a stack of tags that has no end', () => {
    const tags = Array.from({ length: 40 }, (_, id) => ({ id: id + 1, type: ETHERTYPE.VLAN }));
    const packet = read(LINK.ETHERNET, ethernet({ vlan: tags }, V4));
    expect([packet.status, packet.hasAddresses, packet.vlan]).toEqual([STATUS.UNSUPPORTED, false, 1]);
  });

  it('reads SNAP and refuses other LLC', () => {
    const inner = snap(V4);
    expectDatagram(read(LINK.ETHERNET, ethernet({ type: inner.length, pad: 0 }, inner)), V4_BYTES);
    const spanningTree = read(LINK.ETHERNET, ethernet({ type: 38, pad: 0 }, hex('424203 0000 00 00')));
    expect([spanningTree.status, spanningTree.stoppedAt, spanningTree.frameBytes]).toEqual([STATUS.UNSUPPORTED, LAYER.LINK, 60]);
    expect(spanningTree.networkBytes).toBe(0);
  });

  it('reads IP in LLC, and in SNAP from bridges and long frames', () => {
    const inLlc = join([6, 6, 3], V4.bytes);
    expectDatagram(read(LINK.ETHERNET, ethernet({ type: inLlc.length, pad: 0 }, inLlc)), V4_BYTES);
    const bridged = snap(V6);
    bridged[5] = 0xf8;
    expectDatagram(read(LINK.ETHERNET, ethernet({ type: bridged.length }, bridged)), V6_BYTES);
    expectDatagram(read(LINK.ETHERNET, ethernet({ type: ETHERTYPE.LLC }, snap(V4))), V4_BYTES);
    const foreign = snap(V4);
    foreign[5] = 0x0c;
    const refused = read(LINK.ETHERNET, ethernet({ type: foreign.length }, foreign));
    expect([refused.status, refused.unread]).toEqual([STATUS.UNSUPPORTED, (UNREAD.LLC << 16) | 0xaa]);
  });

  it('counts what is not IP as unsupported', () => {
    const lldp = read(LINK.ETHERNET, ethernet({ type: 0x88cc }, hex('0207 04 3c22fb000002')));
    expect([lldp.status, lldp.stoppedAt, lldp.frameBytes, lldp.hasAddresses]).toEqual([
      STATUS.UNSUPPORTED,
      LAYER.LINK,
      23,
      false,
    ]);
  });

  it('reads ARP as traffic between two addresses', () => {
    const packet = read(LINK.ETHERNET, ethernet({ dst: 'ff:ff:ff:ff:ff:ff', pad: 0 }, arp('192.168.1.1', '192.168.1.9')));
    expect([packet.status, packet.protocol, packet.networkBytes, packet.frameBytes]).toEqual([
      STATUS.COMPLETE,
      PROTOCOL.ARP,
      28,
      60,
    ]);
    expect(formatAddress(packet.words, 0)).toBe('192.168.1.1');
    expect(formatAddress(packet.words, 4)).toBe('192.168.1.9');
    expect(packet.groupAddressed).toBe(true);
    const cut = read(LINK.ETHERNET, ethernet({}, arp('192.168.1.1', '192.168.1.9')), 14 + 27);
    expect([cut.status, cut.stoppedAt, cut.hasAddresses]).toEqual([STATUS.TRUNCATED, LAYER.NETWORK, false]);
  });

  it('refuses ARP of other address lengths', () => {
    const frame = ethernet({}, arp('192.168.1.1', '192.168.1.9'));
    frame[14 + 4] = 8;
    expect(read(LINK.ETHERNET, frame).status).toBe(STATUS.UNSUPPORTED);
  });
});

describe('labels and sessions', () => {
  it('reads IP under MPLS labels', () => {
    expectDatagram(read(LINK.ETHERNET, ethernet({}, mpls([100], V4))), V4_BYTES);
    expectDatagram(read(LINK.ETHERNET, ethernet({ vlan: 7 }, mpls([100, 200, 300], V6))), V6_BYTES);
    const pseudowire = read(LINK.ETHERNET, ethernet({}, mpls([100], join([0, 0, 0, 0], ethernet({}, V4)))));
    expect(pseudowire.status).toBe(STATUS.UNSUPPORTED);
    const bottomless = read(LINK.ETHERNET, ethernet({ type: ETHERTYPE.MPLS }, new Uint8Array(100)));
    expect(bottomless.status).toBe(STATUS.UNSUPPORTED);
  });

  it('reads IP in PPPoE', () => {
    expectDatagram(read(LINK.ETHERNET, ethernet({ pad: 0 }, pppoe(V4))), V4_BYTES);
    expectDatagram(read(LINK.ETHERNET, ethernet({ vlan: 7 }, pppoe(V6))), V6_BYTES);
    expect(read(LINK.ETHERNET, ethernet({}, pppoe(V4, 1, 0xa7))).status).toBe(STATUS.UNSUPPORTED);
  });

  it('reads the link types of files: PPP in HDLC and PPPoE frames, and plain IPv4 and IPv6', () => {
    expectDatagram(read(LINK.PPP_HDLC, ppp(V4)), V4_BYTES);
    expectDatagram(read(LINK.PPP_ETHER, pppoe(V6).bytes), V6_BYTES);
    expectDatagram(read(LINK.IPV4, V4.bytes), V4_BYTES);
    expectDatagram(read(LINK.IPV6, V6.bytes), V6_BYTES);
    expect(read(LINK.IPV4, V6.bytes).status).toBe(STATUS.MALFORMED);
  });

  it('reads PPP with and without address and control, and a one-byte protocol', () => {
    expectDatagram(read(LINK.PPP, ppp(V4)), V4_BYTES);
    expectDatagram(read(LINK.PPP, ppp(V6, false)), V6_BYTES);
    expectDatagram(read(LINK.PPP, join([0x21], V4.bytes)), V4_BYTES);
    expect(read(LINK.PPP, hex('ff03 c021 01 01 0004')).status).toBe(STATUS.UNSUPPORTED);
  });
});

describe('nested frames', () => {
  const customer = ethernet({ dst: '33:33:00:00:00:01' }, V6);
  it.each([
    ['E-TAG', etag(V4), V4_BYTES],
    ['VN-Tag', vntag(V6), V6_BYTES],
    ['HSR', { bytes: join([0, 0, 0, 0], [8, 0], V4.bytes), etherType: ETHERTYPE.HSR }, V4_BYTES],
    ['MACsec', macsec(V4), V4_BYTES],
    ['MACsec with a channel', macsec(V6, 0x20), V6_BYTES],
    ['NSH and IPv4', nsh(1, V4), V4_BYTES],
    ['NSH and IPv6', nsh(2, V6, 2), V6_BYTES],
    ['NSH and Ethernet', nsh(3, customer), V6_BYTES],
    ['NSH in NSH and MPLS', nsh(4, nsh(5, mpls([100], V4))), V4_BYTES],
    ['802.1ah', backbone(customer), V6_BYTES],
    ['all at once', etag(vntag(macsec(backbone(ethernet({ vlan: 5 }, nsh(1, V4)))))), V4_BYTES],
  ])('reads IP in %s', (_, layer, networkBytes) => {
    expectDatagram(read(LINK.ETHERNET, ethernet({}, layer)), networkBytes);
  });

  it('tells a group by the frame inside', () => {
    expect(read(LINK.ETHERNET, ethernet({}, backbone(customer))).groupAddressed).toBe(true);
  });

  it('counts encrypted and unread frames by kind', () => {
    const unread = (layer: Inner) => {
      const packet = read(LINK.ETHERNET, ethernet({}, layer));
      expect([packet.status, packet.stoppedAt, packet.hasAddresses]).toEqual([STATUS.UNSUPPORTED, LAYER.LINK, false]);
      return [packet.unread >>> 16, packet.unread & 0xffff];
    };
    expect(unread(macsec(V4, 0x2c))).toEqual([UNREAD.ENCRYPTED, ETHERTYPE.MACSEC]);
    expect(unread(macsec(V4, 0x04))).toEqual([UNREAD.ENCRYPTED, ETHERTYPE.MACSEC]);
    expect(unread(nsh(7, V4))).toEqual([UNREAD.ETHERTYPE, ETHERTYPE.NSH]);
    expect(unread({ bytes: hex('0207'), etherType: 0x88cc })).toEqual([UNREAD.ETHERTYPE, 0x88cc]);
    expect(unread({ bytes: hex('424203'), etherType: 3 })).toEqual([UNREAD.LLC, 0x42]);
    expect(unread({ bytes: hex('110900010004 c021 01010004'), etherType: ETHERTYPE.PPPOE_SESSION })).toEqual([
      UNREAD.ETHERTYPE,
      ETHERTYPE.PPPOE_DISCOVERY,
    ]);
    expect(unread({ bytes: hex('110000010004 c021 01010004'), etherType: ETHERTYPE.PPPOE_SESSION })).toEqual([
      UNREAD.PPP,
      0xc021,
    ]);
  });

  it('ends at a header that is truncated or too short', () => {
    for (const layer of [etag(V4), vntag(V4), macsec(V4), nsh(1, V4), nsh(3, customer), backbone(customer)]) {
      const cut = read(LINK.ETHERNET, ethernet({}, layer), 14 + 5);
      expect([cut.status, cut.stoppedAt]).toEqual([STATUS.TRUNCATED, LAYER.LINK]);
    }
    expect(read(LINK.ETHERNET, ethernet({}, nsh(1, V4, 1))).status).toBe(STATUS.MALFORMED);
  });
});

describe('BSD loopback and raw', () => {
  it('takes families of every system in either byte order', () => {
    for (const order of ['little', 'big'] as const) {
      expectDatagram(read(LINK.NULL, nullLink(2, V4, order)), V4_BYTES);
      for (const family of [10, 24, 28, 30]) expectDatagram(read(LINK.NULL, nullLink(family, V6, order)), V6_BYTES);
    }
  });

  it('doesn’t count the four header bytes as frame bytes', () => {
    expect(read(LINK.NULL, nullLink(2, V4)).frameBytes).toBe(V4_BYTES);
  });

  it('goes by the version nibble for an unknown family, and refuses garbage', () => {
    expectDatagram(read(LINK.NULL, nullLink(99, V4)), V4_BYTES);
    expect(read(LINK.NULL, nullLink(0x0008000f, V4)).status).toBe(STATUS.UNSUPPORTED);
    expect(read(LINK.NULL, nullLink(0, V4)).status).toBe(STATUS.UNSUPPORTED);
    expect(read(LINK.NULL, nullLink(16, hex('0011223344'))).status).toBe(STATUS.UNSUPPORTED);
    expect(read(LINK.NULL, nullLink(2, V6)).status).toBe(STATUS.MALFORMED);
  });

  it('takes LOOP in network order only', () => {
    expectDatagram(read(LINK.LOOP, nullLink(2, V4, 'big')), V4_BYTES);
    expect(read(LINK.LOOP, nullLink(2, V4, 'little')).status).toBe(STATUS.UNSUPPORTED);
  });

  it('reads raw IP under both numbers', () => {
    for (const link of [LINK.RAW, LINK.RAW_DLT]) {
      const packet = read(link, V4.bytes);
      expectDatagram(packet, V4_BYTES);
      expect([packet.frameBytes, packet.networkOffset]).toEqual([V4_BYTES, 0]);
      expectDatagram(read(link, V6.bytes), V6_BYTES);
    }
    expect(read(LINK.RAW, hex('50000000')).status).toBe(STATUS.MALFORMED);
    expect(read(LINK.RAW, new Uint8Array(0)).status).toBe(STATUS.TRUNCATED);
  });
});

describe('Linux cooked', () => {
  const cases = [
    { packetType: 0, direction: DIRECTION.IN, group: false },
    { packetType: 1, direction: DIRECTION.IN, group: true },
    { packetType: 2, direction: DIRECTION.IN, group: true },
    { packetType: 3, direction: DIRECTION.PASSING, group: false },
    { packetType: 4, direction: DIRECTION.OUT, group: false },
  ];
  it.each(cases)('tells direction and group from packet type $packetType', ({ packetType, direction, group }) => {
    for (const packet of [read(LINK.LINUX_SLL, sll({ packetType }, V4)), read(LINK.LINUX_SLL2, sll2({ packetType }, V4))]) {
      expectDatagram(packet, V4_BYTES);
      expect([packet.linkDirection, packet.groupAddressed]).toEqual([direction, group]);
    }
  });

  it('counts frames as the interface does: 14 bytes on Ethernet, none on lo and on a tunnel', () => {
    for (const [hardware, header] of [
      [1, 14],
      [772, 0],
      [65534, 0],
      [512, 0],
    ] as const) {
      expect(read(LINK.LINUX_SLL, sll({ hardware }, V4)).frameBytes).toBe(V4_BYTES + header);
      expect(read(LINK.LINUX_SLL2, sll2({ hardware }, V6)).frameBytes).toBe(V6_BYTES + header);
    }
  });

  it('keeps the interface index of version 2', () => {
    expect(read(LINK.LINUX_SLL2, sll2({ interfaceIndex: 77 }, V4)).linkInterface).toBe(77);
    expect(read(LINK.LINUX_SLL, sll({}, V4)).linkInterface).toBe(0);
  });

  it('reads LLC by its own number and refuses other small ones', () => {
    expectDatagram(read(LINK.LINUX_SLL, sll({ protocol: 4 }, snap(V4))), V4_BYTES);
    expect(read(LINK.LINUX_SLL, sll({ protocol: 0x0c }, V4)).status).toBe(STATUS.UNSUPPORTED);
    expect(read(LINK.LINUX_SLL2, sll2({ protocol: 0 }, V4)).status).toBe(STATUS.UNSUPPORTED);
  });
});

it('refuses unknown link types, but counts their bytes', () => {
  const packet = read(LINK.PKTAP, V4.bytes);
  expect([packet.status, packet.stoppedAt, packet.frameBytes]).toEqual([STATUS.UNSUPPORTED, LAYER.LINK, V4_BYTES]);
});

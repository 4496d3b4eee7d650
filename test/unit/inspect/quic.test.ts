import { describe, expect, test } from 'vitest';
import { initialKeys, quicVersion, serverKeys } from '../../../src/inspect/quic/initial.ts';
import { hex, join } from '../../support/frames.ts';
import { cryptoFrame, helloMessage, Inspection, quicInitial } from '../../support/payloads.ts';

/** RFC 9001 appendix A.2: the CRYPTO frame of the client's first packet, whose hello asks for example.com. */
const VECTOR_FRAMES = hex(`060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c0000041301130201
  0000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d001700180010000700050461
  6c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43
  e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900
  3204 08 ffffffffffffffff 05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff`);
/** Start and end of the protected packet of 1200 bytes (RFC 9001 appendix A.2). */
const V1_START =
  'c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d92ec356c0bab7df5976d27cd449f63300099f399';
const V1_END = 'e221af44860018ab0856972e194cd934';
/** RFC 9369 appendix A.2. */
const V2_START =
  'd76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071bf03dceebfa162e75d6c96058bdbfb127cdfcbf903388e99ad04';
const V2_SALT = '0dede3def700a6db819381be6e269dcbf9bd2ed9';

const keysIn = ({ key, iv, headerKey }: ReturnType<typeof initialKeys>) =>
  [key, iv, headerKey].map((each) => Buffer.from(each).toString('hex'));

describe('keys', () => {
  const connection = hex('8394c8f03e515708');
  test.each([
    [1, '1f369613dd76d5467730efcbe3b1a22d', 'fa044b2f42a3fd3b46fb255c', '9f50449e04a0e810283a1e9933adedd2'],
    [0x6b3343cf, '8b1a0bc121284290a29e0971b5cd045d', '91f73e2351d8fa91660e909f', '45b95e15235d6f45a6b19cbcb0294ba9'],
  ])('of version %i are those of the RFC', (number, key, iv, headerKey) => {
    expect(keysIn(initialKeys(quicVersion(number)!, connection))).toEqual([key, iv, headerKey]);
  });
  // RFC 9001 appendix A.1, RFC 9369 appendix A.1.
  test.each([
    [1, 'cf3a5331653c364c88f0f379b6067e37', '0ac1493ca1905853b0bba03e', 'c206b8d9b9f0f37644430b490eeaa314'],
    [0x6b3343cf, '82db637861d55e1d011f19ea71d5d2a7', 'dd13c276499c0249d3310652', 'edf6d05c83121201b436e16877593c3a'],
  ])('of the server in version %i, too', (number, key, iv, headerKey) => {
    expect(keysIn(serverKeys(initialKeys(quicVersion(number)!, connection)))).toEqual([key, iv, headerKey]);
  });
});

describe('the packets of the RFCs', () => {
  const vectors = [
    ['version 1', quicInitial(VECTOR_FRAMES, { number: 2 }), V1_START],
    [
      'version 2',
      quicInitial(VECTOR_FRAMES, { number: 2, version: 0x6b3343cf, salt: V2_SALT, label: 'quicv2', type: 1 }),
      V2_START,
    ],
  ] as const;
  test.each(vectors)('%s is made byte for byte', (_, packet, start) => {
    expect(packet.length).toBe(1200);
    expect(Buffer.from(packet).toString('hex').slice(0, start.length)).toBe(start);
  });
  test('version 1 ends as the RFC says', () => {
    expect(Buffer.from(vectors[0][1].subarray(-16)).toString('hex')).toBe(V1_END);
  });
  test.each(vectors)('%s tells its name', (_, packet) => {
    const inspection = new Inspection();
    expect(inspection.udp(packet)).toBe(false);
    expect(inspection.told).toEqual(['1 quic example.com', '1 is quic']);
  });
});

const hello = helloMessage({ name: 'q.example', alpn: ['h3'] });
const bigHello = helloMessage({ name: 'big.example', alpn: ['h3'], keyBytes: 1216 });

describe('a hello in Initial packets', () => {
  test.each([
    [0xff00001b, 'c3eef712c72ebb5a11a7d2432bb46365bef9f502'],
    [0xff00001d, 'afbfec289993d24c9e9786f19c6111e04390a899'],
    [0xff000020, 'afbfec289993d24c9e9786f19c6111e04390a899'],
    [0xff000022, '38762cf7f55934b34d179ae6a4c80cadccbb7f0a'],
    [0xfaceb001, '7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a'],
    [0xfaceb002, 'c3eef712c72ebb5a11a7d2432bb46365bef9f502'],
  ])('of version %i', (version, salt) => {
    const inspection = new Inspection();
    expect(inspection.udp(quicInitial(cryptoFrame(0, hello), { version, salt }))).toBe(false);
    expect(inspection.told).toEqual(['1 quic q.example', '1 is quic']);
  });

  test('in shuffled pieces between PING, padding and acknowledgements', () => {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < hello.length; at += 9) pieces.push(cryptoFrame(at, hello.subarray(at, at + 9)));
    const frames = join([1, 0, 0], ...pieces.reverse(), [2, 0, 0, 1, 0, 0, 0], [3, 0, 0, 0, 0, 1, 1, 1], [1]);
    const inspection = new Inspection();
    expect(inspection.udp(quicInitial(frames))).toBe(false);
    expect(inspection.told).toEqual(['1 quic q.example', '1 is quic']);
  });

  test.each([[[0, 1]], [[1, 0]]])('over two datagrams in the order %o', (order) => {
    const cut = [cryptoFrame(0, bigHello.subarray(0, 1000)), cryptoFrame(1000, bigHello.subarray(1000))];
    const inspection = new Inspection();
    const wanted = order.map((i) => inspection.udp(quicInitial(cut[i]!, { number: i })));
    expect(wanted).toEqual([true, false]);
    expect(inspection.told).toEqual(['1 quic big.example', '1 is quic']);
    expect(inspection.inspector.waiting).toBe(0);
  });

  test('whose second datagram goes to the connection ID that the server chose', () => {
    const inspection = new Inspection();
    inspection.udp(quicInitial(cryptoFrame(0, bigHello.subarray(0, 1000))));
    const second = { number: 1, destination: hex('aabbccdd'), keyId: hex('8394c8f03e515708') };
    inspection.udp(quicInitial(cryptoFrame(1000, bigHello.subarray(1000)), second));
    expect(inspection.told).toEqual(['1 quic big.example', '1 is quic']);
  });

  test('after Retry, with a token and new keys', () => {
    const inspection = new Inspection();
    inspection.udp(quicInitial(cryptoFrame(0, bigHello.subarray(0, 1000))));
    inspection.udp(join([0xf0, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4], new Uint8Array(40)), { back: true });
    const retried = { destination: hex('01020304'), token: new Uint8Array(100) };
    expect(inspection.udp(quicInitial(cryptoFrame(0, bigHello.subarray(0, 900)), { ...retried, number: 1 }))).toBe(true);
    expect(inspection.udp(quicInitial(cryptoFrame(900, bigHello.subarray(900)), { ...retried, number: 2 }))).toBe(false);
    expect(inspection.told).toEqual(['1 quic big.example', '1 is quic']);
  });

  test('behind 0-RTT, and two packets in one datagram', () => {
    const early = join([0xd0, 0, 0, 0, 1, 8], hex('8394c8f03e515708'), [0, 0x40, 30], new Uint8Array(30));
    const one = new Inspection();
    one.udp(join(early, quicInitial(cryptoFrame(0, hello))));
    expect(one.told).toEqual(['1 quic q.example', '1 is quic']);
    const two = new Inspection();
    const first = quicInitial(cryptoFrame(0, hello.subarray(0, 100)), { bytes: 400 });
    two.udp(join(first, quicInitial(cryptoFrame(100, hello.subarray(100)), { bytes: 800, number: 1 })));
    expect(two.told).toEqual(['1 quic q.example', '1 is quic']);
  });

  test('of DNS over QUIC', () => {
    const inspection = new Inspection();
    inspection.udp(quicInitial(cryptoFrame(0, helloMessage({ name: 'dns.example', alpn: ['doq'] }))), { dport: 853 });
    expect(inspection.told).toEqual(['1 quic dns.example', '1 is doq']);
  });
});

describe('what isn’t a hello', () => {
  test('a packet whose tag does not fit tells no name', () => {
    const packet = Uint8Array.from(quicInitial(cryptoFrame(0, hello)));
    packet[700] = (packet[700] as number) ^ 1;
    const inspection = new Inspection();
    expect(inspection.udp(packet)).toBe(true);
    expect(inspection.told).toEqual([]);
  });

  test('unknown versions, long connection IDs and small datagrams', () => {
    const good = quicInitial(cryptoFrame(0, hello));
    const longId = Uint8Array.from(good);
    longId[5] = 21;
    const unknown = Uint8Array.from(good);
    unknown.set([0x1a, 0x2a, 0x3a, 0x4b], 1);
    const inspection = new Inspection();
    for (const packet of [longId, unknown, quicInitial(cryptoFrame(0, hello), { bytes: 900 })]) inspection.udp(packet);
    inspection.udp(join([0xff, 0, 0, 0, 0, 0, 8], new Uint8Array(8), [0, 0, 1]), { back: true });
    expect(inspection.told).toEqual([]);
    expect(inspection.udp(good)).toBe(false);
    expect(inspection.told).toEqual(['1 quic q.example', '1 is quic']);
  });

  test('version negotiation is QUIC on any port, and the hello comes after it', () => {
    const good = quicInitial(cryptoFrame(0, hello));
    const asking = Uint8Array.from(good);
    asking.set([0x1a, 0x2a, 0x3a, 0x4a], 1);
    const list = join([0xc0, 0, 0, 0, 0, 0, 8], new Uint8Array(8), [0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf]);
    const inspection = new Inspection();
    expect(inspection.udp(asking, { dport: 4433 })).toBe(true);
    expect(inspection.take()).toEqual(['1 is quic']);
    expect(inspection.udp(list, { dport: 4433, back: true })).toBe(true);
    expect(inspection.udp(good, { dport: 4433 })).toBe(false);
    expect(inspection.take()).toEqual(['1 quic q.example']);
    expect(inspection.udp(list, { flow: 2, dport: 4433, back: true })).toBe(true);
    expect(inspection.take()).toEqual(['2 is quic']);
    // A list that the capture truncated could be anything.
    expect(inspection.udp(list, { flow: 3, dport: 4433, wire: 900, back: true })).toBe(true);
    expect(inspection.take()).toEqual([]);
  });

  test('a packet that the capture cut is QUIC without a name', () => {
    const inspection = new Inspection();
    expect(inspection.udp(quicInitial(cryptoFrame(0, hello)).subarray(0, 100), { wire: 1200 })).toBe(false);
    expect(inspection.told).toEqual(['1 is quic']);
  });

  test('a flow of nothing but later packets is QUIC in the end', () => {
    const inspection = new Inspection();
    const handshake = join([0xe0, 0, 0, 0, 1, 0, 0, 0x40, 30], new Uint8Array(1200));
    let packets = 1;
    while (inspection.udp(handshake, { back: true })) packets++;
    expect(packets).toBe(12);
    expect(inspection.told).toEqual(['1 is quic']);
  });
});

test('QUIC of Google tells the name in its hello', () => {
  const tag = (name: string, end: number): Uint8Array => join(Buffer.from(name), [end & 255, end >> 8, 0, 0]);
  const chlo = join(Buffer.from('CHLO'), [3, 0, 0, 0], tag('PAD\0', 10), tag('SNI\0', 23), tag('VER\0', 27), new Uint8Array(10));
  const message = join(chlo, Buffer.from('old.example.x'), Buffer.from('Q043'));
  for (const packet of [
    join([0x0d], new Uint8Array(8), Buffer.from('Q043'), [1], new Uint8Array(12), [0xa0, 1, 0, 4], message),
    join([0xc3], Buffer.from('Q046'), [0x50], new Uint8Array(8), [0, 0, 0, 1], new Uint8Array(12), [0xa0, 1, 0, 4], message),
  ]) {
    const inspection = new Inspection();
    expect(inspection.udp(packet)).toBe(false);
    expect(inspection.told).toEqual(['1 is quic', '1 quic old.example.x']);
  }
});

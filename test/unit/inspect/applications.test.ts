import { describe, expect, test } from 'vitest';
import { TUNNEL } from '../../../src/decode/packet.ts';
import { be16, be32, hex, join } from '../../support/frames.ts';
import { httpRequest, Inspection, tlsHello } from '../../support/payloads.ts';

const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));
const filled = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(0xa5);
const TIME = 1_767_225_600;

describe('TCP flows', () => {
  test.each([
    ['SSH-2.0-OpenSSH_9.7\r\n', 22, true, 'ssh'],
    ['220 mail.example ESMTP Postfix\r\n', 2526, true, 'smtp'],
    ['220 ready\r\n', 25, true, 'smtp'],
    ['EHLO me\r\n', 2526, false, 'smtp'],
    ['220 ProFTPD Server (ftp.example)\r\n', 2121, true, 'ftp'],
    ['220 ready\r\n', 21, true, 'ftp'],
    ['USER me\r\n', 110, false, 'pop3'],
    ['+OK ready\r\n', 1100, true, 'pop3'],
    ['* OK [CAPABILITY IMAP4rev1] ready\r\n', 1430, true, 'imap'],
    ['RFB 003.008\n', 5901, true, 'vnc'],
    ['HTTP/1.1 200 OK\r\n', 8080, true, 'http'],
    ['*1\r\n$4\r\nPING\r\n', 6379, false, 'redis'],
    ["<?xml version='1.0'?><stream:stream xmlns='jabber:client'", 5222, false, 'xmpp'],
    ['OPTIONS rtsp://a/b RTSP/1.0\r\n\r\n', 554, false, 'rtsp'],
    ['INVITE sip:a@b SIP/2.0\r\n\r\n', 5060, false, 'sip'],
    [join([0x13], text('BitTorrent protocol'), filled(48)), 6999, false, 'bittorrent'],
    [join([0x10, 0x80, 1, 0, 4], text('MQTT'), [4, 2, 0, 60], filled(20)), 1884, false, 'mqtt'],
    [hex('00000008 04d2162f'), 5433, false, 'postgresql'],
    [hex('03000013 0ee00000000000 0100080003000000'), 3390, false, 'rdp'],
    [join([0, 0, 0, 64, 0xfe], text('SMB'), filled(60)), 1445, false, 'smb'],
    [hex('050100'), 1081, false, 'socks'],
    [join(new Uint8Array(16).fill(255), [0, 29, 1, 4], filled(9)), 1179, false, 'bgp'],
    [join([74, 0, 0, 0, 10], text('8.0.36'), [0], filled(66)), 3307, true, 'mysql'],
    [join([60, 0, 0, 1], hex('8da6ff19 00000001 ff'), new Uint8Array(23), text('root\0'), filled(23)), 3307, false, 'mysql'],
    [text('AMQP\0\0\x09\x01'), 5673, false, 'amqp'],
    [join(be16(14), [0x38], filled(8), new Uint8Array(5)), 1195, false, 'openvpn'],
  ] as const)('%j on port %i, answered: %s', (payload, dport, back, application) => {
    const inspection = new Inspection();
    inspection.tcp(payload, { dport, back });
    expect(inspection.told).toEqual([`1 is ${application}`]);
  });

  test('Redis that is heard to answer first is not taken for a mailbox', () => {
    const inspection = new Inspection();
    expect(inspection.tcp('+OK\r\n', { dport: 6379, back: true })).toBe(true);
    inspection.tcp('*3\r\n$3\r\nSET\r\n', { dport: 6379 });
    expect(inspection.told).toEqual(['1 is redis']);
  });

  test('that say nothing are given up', () => {
    const inspection = new Inspection();
    let packets = 1;
    while (inspection.tcp(filled(100), { seq: packets * 100, back: packets % 2 === 0 })) packets++;
    expect(packets).toBe(12);
    expect(inspection.told).toEqual([]);
    expect(inspection.tcp('SSH-2.0-x\r\n')).toBe(false);
    expect(inspection.inspector.waiting).toBe(0);
    inspection.inspector.forget(1);
    inspection.tcp('SSH-2.0-x\r\n');
    expect(inspection.told).toEqual(['1 is ssh']);
  });
});

describe('UDP flows', () => {
  test.each([
    [join([0x23], filled(47)), 123, 'ntp'],
    [hex('302602010104067075626c6963a019020400000001020100020100300b300906052b060102010500'), 1161, 'snmp'],
    ['M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n', 1900, 'ssdp'],
    ['d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe', 6999, 'bittorrent'],
    [hex('4100 a5a5 00c0ffee 00000000 00100000 0001 0000'), 6999, 'bittorrent'],
    [hex('00000417 27101980 00000000 12345678'), 6969, 'bittorrent'],
    [join([0x38], filled(8), new Uint8Array(5)), 1195, 'openvpn'],
    [join([0x38], filled(8), filled(20), be32(1), be32(TIME), [0], be32(0)), 1195, 'openvpn'],
    [join([0x38], filled(8), be32(1), be32(TIME), filled(37)), 1195, 'openvpn'],
    ['INVITE sip:a@b SIP/2.0\r\n\r\n', 5060, 'sip'],
    [join([1], filled(60)), 547, 'dhcpv6'],
    [hex('0007 0100 0001 0000 0000 0000 0161 04746573 7400 0001 0001'), 5335, 'dns'],
  ] as const)('%j on port %i', (payload, dport, application) => {
    const inspection = new Inspection();
    expect(inspection.udp(payload, { sport: dport === 547 ? 546 : 40_000, dport })).toBe(false);
    expect(inspection.told).toEqual([`1 is ${application}`]);
  });

  test('DNS on any port and with any number', () => {
    for (let id = 0; id < 256; id++) {
      const inspection = new Inspection();
      const query = join([id, 7], hex('0100 0001 0000 0000 0000 0161 04746573 7400 0001 0001'));
      expect(inspection.udp(query, { dport: 5335 })).toBe(false);
      expect(inspection.told).toEqual(['1 is dns']);
    }
  });

  test('WireGuard, as the decoder told', () => {
    const inspection = new Inspection();
    expect(inspection.udp(join([1, 0, 0, 0], filled(144)), { dport: 51_820, tunnel: TUNNEL.WIREGUARD })).toBe(false);
    expect(inspection.told).toEqual(['1 is wireguard']);
  });

  test('RTP after three datagrams that count on', () => {
    const rtp = (sequence: number, source = 7): Uint8Array =>
      join([0x80, 111], be16(sequence), be32(1), be32(source), filled(80));
    const inspection = new Inspection();
    expect([65_535, 0, 1].map((sequence) => inspection.udp(rtp(sequence), { dport: 40_002 }))).toEqual([true, true, false]);
    expect(inspection.told).toEqual(['1 is rtp']);
    const other = new Inspection();
    for (const [sequence, source] of [
      [1, 1],
      [2, 2],
      [900, 2],
      [30, 2],
      [31, 3],
    ] as const)
      other.udp(rtp(sequence, source), { dport: 40_002 });
    expect(other.told).toEqual([]);
  });

  test('a port alone is not enough', () => {
    for (const [payload, dport] of [
      [filled(30), 123],
      [filled(100), 53],
      [filled(100), 5353],
      [filled(300), 67],
      [filled(100), 1900],
      [join([1], filled(143)), 51_820],
    ] as const) {
      const inspection = new Inspection();
      inspection.udp(payload, { dport });
      expect(inspection.told).toEqual([]);
    }
  });
});

describe('HTTP', () => {
  test.each([
    [httpRequest('www.Example.com:8080'), ['1 is http', '1 http www.example.com']],
    [httpRequest('192.0.2.1'), ['1 is http']],
    [httpRequest('[2001:db8::1]:80'), ['1 is http']],
    [httpRequest('a b'), ['1 is http']],
    [text('GET / HTTP/1.0\r\n\r\n'), ['1 is http']],
    [text('GET / HTTP/1.1\r\nX: y\r\nhOsT:\t a.test \r\n\r\n'), ['1 is http', '1 http a.test']],
    [text('GET / HTTP/1.1\nHost: a.test\n\n'), ['1 is http', '1 http a.test']],
    [text('CONNECT a.test:443 HTTP/1.1\r\nHost: other.test\r\n\r\n'), ['1 is http', '1 http a.test']],
    [text('GET http://me:pw@a.test:81/x HTTP/1.1\r\nHost: other.test\r\n\r\n'), ['1 is http', '1 http a.test']],
    [text('GET https://a.test/x HTTP/1.1\r\n\r\n'), ['1 is http', '1 http a.test']],
    [text('GET ftp://a.test/x HTTP/1.0\r\n\r\n'), ['1 is http', '1 http a.test']],
    [text('GET xyz://a.test/x HTTP/1.1\r\nHost: b.test\r\n\r\n'), ['1 is http', '1 http b.test']],
    [text('POST / HTTP/1.1\r\n\r\nHost: body.test\r\n'), ['1 is http']],
    [text('GET \x01 HTTP/1.1\r\nHost: a.test\r\n\r\n'), []],
    [text('GET / HTTP/9.9\r\nHost: a.test\r\n\r\n'), []],
    [text('GETTING / HTTP/1.1\r\nHost: a.test\r\n\r\n'), []],
  ])('%j', (payload, told) => {
    const inspection = new Inspection();
    inspection.tcp(payload, { dport: 8080 });
    expect(inspection.told).toEqual(told);
  });

  test.each(
    'QUERY PURGE ACL BIND LINK UNLINK MERGE CHECKOUT MKACTIVITY VERSION-CONTROL RPC_IN_DATA SSTP_DUPLEX_POST SOURCE BPROPFIND'.split(
      ' ',
    ),
  )('the method %s', (method) => {
    const inspection = new Inspection();
    inspection.tcp(httpRequest('a.test', '/x', method), { dport: 8080 });
    expect(inspection.told).toEqual(['1 is http', '1 http a.test']);
  });

  test('a tunnel to an address is named by the hello inside of it', () => {
    const inspection = new Inspection();
    const at = { dport: 3128 };
    expect(inspection.tcp('CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n', at)).toBe(true);
    expect(inspection.tcp('HTTP/1.1 200 Connection established\r\n\r\n', { ...at, back: true })).toBe(true);
    expect(inspection.tcp(tlsHello({ name: 'in.test' }), at)).toBe(false);
    expect(inspection.told).toEqual(['1 is http', '1 tls in.test']);
  });

  test('cut into segments at every byte, in order and out of it', () => {
    const request = httpRequest('a.test', `/${'x'.repeat(50)}`);
    for (let cut = 4; cut < request.length - 3; cut++) {
      const inspection = new Inspection();
      const wanted = inspection.tcp(request.subarray(0, cut), { dport: 80, seq: 5 });
      if (wanted) inspection.tcp(request.subarray(cut), { dport: 80, seq: 5 + cut });
      expect(inspection.told).toEqual(['1 is http', '1 http a.test']);
      expect(inspection.inspector.waiting).toBe(0);
    }
  });

  test('cut by the capture is HTTP without a host', () => {
    const inspection = new Inspection();
    expect(inspection.tcp(httpRequest('a.test').subarray(0, 30), { dport: 80, wire: 2000 })).toBe(false);
    expect(inspection.told).toEqual(['1 is http']);
  });
});

describe('HTTP/2', () => {
  const frame = (type: number, flags: number, body: Uint8Array): Uint8Array =>
    join([0, ...be16(body.length), type, flags, 0, 0, 0, 1], body);
  const preface = join(text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, hex('000300000064')), frame(8, 0, hex('7fff0000')));
  /** RFC 7541 appendix C.4.1 (Huffman) and C.3.1 (plain): the same request for www.example.com. */
  const huffman = hex('828684418cf1e3c2e5f23a6ba0ab90f4ff');
  const plain = hex('828684410f7777772e6578616d706c652e636f6d');

  test.each([
    [frame(1, 5, huffman), ['1 is http', '1 http www.example.com']],
    [frame(1, 5, plain), ['1 is http', '1 http www.example.com']],
    [frame(1, 0x2d, join([3], hex('8000000b10'), plain, [0, 0, 0])), ['1 is http', '1 http www.example.com']],
    [frame(1, 5, hex('3fe11f 8286 40 0178 0179 0085f2b24a84ff 874e3f 828684')), ['1 is http']],
    [frame(1, 5, join(hex('828684 6606'), text('h.test'))), ['1 is http', '1 http h.test']],
    [frame(1, 5, hex('8286844180')), ['1 is http']],
    [frame(1, 5, hex('82868441ff')), ['1 is http']],
  ])('%#', (headers, told) => {
    const inspection = new Inspection();
    expect(inspection.tcp(join(preface, headers), { dport: 8080 })).toBe(false);
    expect(inspection.told).toEqual(told);
  });

  test('over segments, while the server speaks too', () => {
    const inspection = new Inspection();
    expect(inspection.tcp(preface, { dport: 8080, seq: 1 })).toBe(true);
    expect(inspection.tcp(frame(4, 0, new Uint8Array(0)), { dport: 8080, back: true })).toBe(true);
    expect(inspection.tcp(frame(1, 5, huffman), { dport: 8080, seq: 1 + preface.length })).toBe(false);
    expect(inspection.told).toEqual(['1 is http', '1 http www.example.com']);
  });
});

import dnsPacket from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { be16, be32, hex, join } from '../../support/frames.ts';
import { dhcp, Inspection } from '../../support/payloads.ts';

type Answers = dnsPacket.Answer[];
const RESPONSE = 0x8180;

/** A response to one question, built by the library. */
function response(
  question: string,
  answers: Answers,
  fields: Partial<dnsPacket.Packet> = {},
  type: dnsPacket.RecordType = 'A',
): Uint8Array {
  return Uint8Array.from(
    dnsPacket.encode({
      type: 'response',
      id: 7,
      flags: RESPONSE & 0x7ff,
      questions: [{ name: question, type }],
      answers,
      ...fields,
    }),
  );
}
/** What the inspector reports of a datagram from port 53. */
function told(message: Uint8Array, fields: object = {}): string[] {
  const inspection = new Inspection();
  expect(inspection.udp(message, { dport: 53, back: true, ...fields })).toBe(true);
  return inspection.told;
}
const a = (name: string, data: string, ttl = 60): dnsPacket.Answer => ({ type: 'A', name, data, ttl });
const alias = (name: string, data: string): dnsPacket.Answer => ({ type: 'CNAME', name, data, ttl: 60 });

describe('questions of DNS', () => {
  const query = (name: string, fields: Partial<dnsPacket.Packet> = {}) =>
    Uint8Array.from(dnsPacket.encode({ type: 'query', id: 7, questions: [{ name, type: 'A' }], ...fields }));

  test('are told in lower case, by the query and by its answer, whether that is good or not', () => {
    const inspection = new Inspection();
    inspection.udp(query('Www.Example.COM'), { dport: 53 });
    inspection.udp(response('nowhere.test', [], { flags: 3 }), { dport: 53, back: true });
    inspection.tcp(join(be16(response('tcp.test', []).length), response('tcp.test', [])), { flow: 2, dport: 53, back: true });
    expect(inspection.asked).toEqual(['1 www.example.com', '1 nowhere.test', '2 tcp.test']);
  });

  test('are not taken from a message without one question, or of another protocol', () => {
    const inspection = new Inspection();
    inspection.udp(query('a.test', { questions: [] }), { dport: 53 });
    inspection.udp(query('a.test').subarray(0, 18), { dport: 53 });
    inspection.udp(response('host', [a('host', '192.0.2.1')]), { flow: 2, dport: 5355, back: true });
    expect(inspection.asked).toEqual([]);
  });
});

describe('answers of DNS', () => {
  test('give the asked name its addresses', () => {
    const answers: Answers = [
      a('Www.example.com', '192.0.2.7', 300),
      { type: 'AAAA', name: 'www.example.com', data: '2001:db8::7', ttl: 5 },
    ];
    expect(told(response('WWW.example.COM', answers))).toEqual([
      '1 is dns',
      '1 dns www.example.com = 192.0.2.7 300',
      '1 dns www.example.com = 2001:db8::7 5',
    ]);
  });

  test('follow aliases in any order', () => {
    const chain = [alias('a.test', 'b.test'), alias('b.test', 'c.test'), a('c.test', '192.0.2.1'), a('c.test', '192.0.2.2')];
    for (const answers of [chain, [...chain].reverse(), [chain[2]!, chain[1]!, chain[0]!, chain[3]!]]) {
      expect(told(response('a.test', answers)).sort()).toEqual([
        '1 dns a.test = 192.0.2.1 60',
        '1 dns a.test = 192.0.2.2 60',
        '1 is dns',
      ]);
    }
  });

  test('follow a chain of 16 aliases and no longer one, and end on a loop', () => {
    const chain = (links: number): Answers => [
      ...Array.from({ length: links }, (_, i) => alias(`n${i}.test`, `n${i + 1}.test`)),
      a(`n${links}.test`, '192.0.2.1'),
    ];
    expect(told(response('n0.test', chain(16)))).toContain('1 dns n0.test = 192.0.2.1 60');
    expect(told(response('n0.test', chain(17)))).toEqual(['1 is dns']);
    const loop = [alias('a.test', 'b.test'), alias('b.test', 'a.test'), a('b.test', '192.0.2.1')];
    expect(told(response('a.test', loop))).toEqual(['1 is dns', '1 dns a.test = 192.0.2.1 60']);
  });

  test('teach nothing but the answer to their own question', () => {
    const other = a('bank.test', '192.0.2.9');
    expect(told(response('a.test', [other]))).toEqual(['1 is dns']);
    expect(told(response('a.test', [a('a.test', '192.0.2.1')], { additionals: [other], authorities: [other] }))).toEqual([
      '1 is dns',
      '1 dns a.test = 192.0.2.1 60',
    ]);
    expect(told(response('a.test', [a('a.test', '192.0.2.1')], { questions: [] }))).toEqual(['1 is dns']);
    expect(told(response('a.test', [a('a.test', '192.0.2.1')], { flags: 3 }))).toEqual(['1 is dns']);
    expect(told(response('a.test', [a('a.test', '192.0.2.1')]), { back: false })).toEqual(['1 is dns']);
  });

  test("name no address that is nobody's or everybody's, and give no name that is none", () => {
    for (const data of ['0.0.0.0', '127.0.0.1', '224.0.0.251', '255.255.255.255'])
      expect(told(response('ads.test', [a('ads.test', data)]))).toEqual(['1 is dns']);
    for (const name of ['a b.test', 'a/b.test', 'x\u0007.test', '1.2.3.4'])
      expect(told(response(name, [a(name, '192.0.2.1')]))).toEqual(['1 is dns']);
    expect(told(response('_sip._tcp.test', [a('_sip._tcp.test', '192.0.2.1')]))).toContain('1 dns _sip._tcp.test = 192.0.2.1 60');
  });

  test('of HTTPS records give the hints, aliases and service names among them', () => {
    const labels = (name: string): Uint8Array =>
      join(...name.split('.').map((label) => join([label.length], Buffer.from(label))), [0]);
    const https = (name: string, target: Uint8Array, parameters: Uint8Array, priority = 1): Uint8Array => {
      const data = join(be16(priority), target, parameters);
      const head = join(be16(7), be16(RESPONSE), be16(1), be16(1), be16(0), be16(0), labels(name), be16(65), be16(1));
      return join(head, hex('c00c'), be16(65), be16(1), be32(300), be16(data.length), data);
    };
    const hints = join(
      be16(1),
      be16(3),
      hex('026832'),
      be16(4),
      be16(8),
      hex('c0000207c0000208'),
      be16(6),
      be16(16),
      hex('20010db8000000000000000000000007'),
    );
    const expected = (name: string): string[] => [
      '1 is dns',
      `1 dns ${name} = 192.0.2.7 300`,
      `1 dns ${name} = 192.0.2.8 300`,
      `1 dns ${name} = 2001:db8::7 300`,
    ];
    expect(told(https('a.test', hex('00'), hints))).toEqual(expected('a.test'));
    expect(told(https('a.test', labels('cdn.test'), hints))).toEqual(expected('a.test'));
    expect(told(https('_8443._https.a.test', hex('00'), hints))).toEqual(expected('a.test'));
    const lie = Uint8Array.from(hints);
    lie[8] = 9; // hints of 9 bytes, and every length behind them wrong
    expect(told(https('a.test', hex('00'), lie)).length).toBeLessThan(4);
  });

  test('of reverse look-ups name the address', () => {
    const ptr = (name: string, data: string): Uint8Array => response(name, [{ type: 'PTR', name, data, ttl: 9 }], {}, 'PTR');
    expect(told(ptr('7.2.0.192.in-addr.arpa', 'host.test'))).toEqual(['1 is dns', '1 ptr 192.0.2.7 = host.test 9']);
    const v6 = [...'7000000000000000000000008bd01002'].join('.');
    expect(told(ptr(`${v6}.ip6.arpa`, 'host.test'))).toEqual(['1 is dns', '1 ptr 2001:db8::7 = host.test 9']);
    for (const name of ['2.0.192.in-addr.arpa', '256.2.0.192.in-addr.arpa', '7.7.2.0.192.in-addr.arpa', 'x.2.0.192.in-addr.arpa'])
      expect(told(ptr(name, 'host.test'))).toEqual(['1 is dns']);
    const classless = [
      { type: 'CNAME', name: '7.2.0.192.in-addr.arpa', data: '7.0/25.2.0.192.in-addr.arpa', ttl: 9 },
      { type: 'PTR', name: '7.0/25.2.0.192.in-addr.arpa', data: 'host.test', ttl: 8 },
    ] as Answers;
    expect(told(response('7.2.0.192.in-addr.arpa', classless, {}, 'PTR'))).toEqual(['1 is dns', '1 ptr 192.0.2.7 = host.test 8']);
  });
});

describe('broken messages', () => {
  const head = (counts: string): Uint8Array => hex(`0007 8180 ${counts}`);
  test.each([
    ['a pointer to itself', join(head('0001000100000000'), hex('c00c00010001'), hex('c00c 0001 0001 0000003c 0004 c0000207'))],
    [
      'a pointer forward',
      join(head('0001000100000000'), hex('c01200010001 0161 00'), hex('c00c 0001 0001 0000003c 0004 c0000207')),
    ],
    [
      'two pointers in a circle',
      join(head('0001000100000000'), hex('c00ec00c00010001'), hex('c00c 0001 0001 0000003c 0004 c0000207')),
    ],
    ['a label of 64 bytes', join(head('0001000100000000'), hex('40'), new Uint8Array(70))],
    ['counts of 65535', join(head('0001ffffffffffff'), hex('0161 00 00010001'), hex('c00c 0001 0001 0000003c 0004 c0000207'))],
  ])('%s', (_, message) => {
    expect(told(message).filter((line) => line.includes('='))).toEqual([]);
  });

  test('a name of more than 255 bytes is none', () => {
    const label = join([50], new Uint8Array(50).fill(0x61));
    const tail = hex('00 0001 0001 c00c 0001 0001 0000003c 0004 c0000207');
    const named = (labels: number): Uint8Array =>
      join(head('0001000100000000'), ...Array.from({ length: labels }, () => label), tail);
    expect(told(named(4))).toHaveLength(2);
    expect(told(named(5))).toHaveLength(1);
  });

  test('an answer cut anywhere teaches what stands in front of the cut', () => {
    const whole = response('a.test', [a('a.test', '192.0.2.1'), a('a.test', '192.0.2.2')]);
    for (let end = 0; end < whole.length; end++) {
      const inspection = new Inspection();
      inspection.udp(whole.subarray(0, end), { dport: 53, back: true, wire: whole.length });
      const lines = inspection.told.filter((line) => line.includes('='));
      expect(lines).toEqual(['1 dns a.test = 192.0.2.1 60', '1 dns a.test = 192.0.2.2 60'].slice(0, lines.length));
      expect(lines.length).toBeLessThan(2);
    }
  });
});

describe('DNS over TCP', () => {
  const framed = (message: Uint8Array): Uint8Array => join(be16(message.length), message);
  const first = framed(response('a.test', [a('a.test', '192.0.2.1')]));
  const second = framed(response('b.test', [a('b.test', '192.0.2.2')]));
  const both = ['1 is dns', '1 dns a.test = 192.0.2.1 60', '1 dns b.test = 192.0.2.2 60'];

  test('several messages in a segment', () => {
    const inspection = new Inspection();
    expect(inspection.tcp(join(first, second), { dport: 53, back: true })).toBe(true);
    expect(inspection.told).toEqual(both);
    expect(inspection.inspector.waiting).toBe(0);
  });

  test('cut at every byte, in order and out of it', () => {
    const stream = join(first, second);
    for (let cut = 1; cut < stream.length; cut++) {
      const inspection = new Inspection();
      inspection.tcp(stream.subarray(0, cut), { dport: 53, back: true, seq: -20 });
      inspection.tcp(stream.subarray(cut), { dport: 53, back: true, seq: -20 + cut });
      expect(inspection.told).toEqual(both);
      expect(inspection.inspector.waiting).toBe(0);
    }
    const inspection = new Inspection();
    const at = { dport: 53, back: true };
    inspection.tcp(stream.subarray(0, 5), { ...at, seq: 0 });
    inspection.tcp(stream.subarray(20), { ...at, seq: 20 });
    inspection.tcp(stream.subarray(5, 20), { ...at, seq: 5 });
    expect(inspection.told).toEqual(both);
  });

  test('goes on after a message that is none, and one that never ends', () => {
    const inspection = new Inspection();
    const at = { dport: 53, back: true };
    expect(inspection.tcp(hex('0003ffffff'), at)).toBe(true);
    expect(inspection.tcp(join(hex('ffff'), new Uint8Array(14)), { ...at, seq: 5 })).toBe(true);
    expect(inspection.tcp(new Uint8Array(1000), { ...at, seq: 21, time: 1_767_225_660_000 })).toBe(true);
    expect(inspection.tcp(first, { ...at, seq: 5000 })).toBe(true);
    expect(inspection.told).toEqual(both.slice(0, 2));
  });
});

describe('names of the local network', () => {
  const local = (answers: Answers, more: Partial<dnsPacket.Packet> = {}): Uint8Array =>
    Uint8Array.from(dnsPacket.encode({ type: 'response', id: 0, flags: 0x0400, answers, ...more }));

  test('multicast DNS tells hosts, in additional records too, and only those under .local', () => {
    const inspection = new Inspection();
    const message = local(
      [
        { type: 'PTR', name: '_airplay._tcp.local', data: 'Living Room._airplay._tcp.local', ttl: 4500 },
        { type: 'A', name: 'evil.example.com', data: '192.0.2.66', ttl: 120 },
        { type: 'A', name: 'gone.local', data: '192.0.2.67', ttl: 0 },
        { type: 'PTR', name: '7.2.0.192.in-addr.arpa', data: 'Mac.local', ttl: 120 },
      ],
      { additionals: [{ type: 'A', name: 'Mac.local', data: '192.0.2.7', ttl: 120, flush: true } as dnsPacket.Answer] },
    );
    expect(inspection.udp(message, { sport: 5353, dport: 5353 })).toBe(true);
    expect(inspection.told).toEqual(['1 is mdns', '1 ptr 192.0.2.7 = mac.local 120', '1 mdns mac.local = 192.0.2.7 120']);
    const other = new Inspection();
    other.udp(message, { sport: 4000, dport: 5353 });
    expect(other.told).toEqual(['1 is mdns']);
  });

  test('LLMNR tells names without a domain', () => {
    for (const [name, lines] of [
      ['PRINTER', ['1 is llmnr', '1 llmnr printer = 192.0.2.7 30']],
      ['www.bank.test', ['1 is llmnr']],
    ] as const) {
      const inspection = new Inspection();
      const message = dnsPacket.encode({
        type: 'response',
        id: 1,
        questions: [{ name, type: 'A' }],
        answers: [a(name, '192.0.2.7', 30)],
      });
      inspection.udp(Uint8Array.from(message), { sport: 5355, dport: 50_000 });
      expect(inspection.told).toEqual(lines);
    }
  });

  test('NetBIOS tells machines, not groups', () => {
    const encoded = (name: string, suffix: number): Uint8Array =>
      join([32], ...[...Buffer.from(name.padEnd(15)), suffix].map((byte) => [0x41 + (byte >> 4), 0x41 + (byte & 15)]), [0]);
    const answer = (name: string, suffix: number, flags: number): Uint8Array =>
      join(
        hex('0001 8500 0000 0001 0000 0000'),
        encoded(name, suffix),
        hex('0020 0001 000493e0 0006'),
        be16(flags),
        hex('c0000207'),
      );
    for (const [message, lines] of [
      [answer('FILESERVER', 0x20, 0), ['1 is netbios-ns', '1 netbios fileserver = 192.0.2.7 300000']],
      [answer('WORKGROUP', 0, 0x8000), ['1 is netbios-ns']],
      [answer('DOMAIN', 0x1b, 0), ['1 is netbios-ns']],
    ] as const) {
      const inspection = new Inspection();
      inspection.udp(message, { sport: 137, dport: 137 });
      expect(inspection.told).toEqual(lines);
    }
    const entry = (name: string, suffix: number, flags: number): Uint8Array =>
      join(Buffer.from(name.padEnd(15)), [suffix], be16(flags));
    const table = join([2], entry('GROUP', 0, 0x8400), entry('DESK-PC', 0, 0x0400), new Uint8Array(46));
    const status = join(
      hex('0001 8400 0000 0001 0000 0000'),
      encoded('*', 0),
      hex('0021 0001 00000000'),
      be16(table.length),
      table,
    );
    const inspection = new Inspection();
    inspection.udp(status, { sport: 137, dport: 137, src: '192.0.2.9' });
    expect(inspection.told).toEqual(['1 is netbios-ns', '1 netbios desk-pc = 192.0.2.9 3600']);
  });
});

describe('DHCP', () => {
  test.each([
    [5, { yours: '192.0.2.50', name: 'Phone', lease: 600 }, ['1 is dhcp', '1 dhcp phone = 192.0.2.50 600']],
    [5, { client: '192.0.2.51', name: 'phone' }, ['1 is dhcp', '1 dhcp phone = 192.0.2.51 3600']],
    [3, { requested: '192.0.2.52', name: 'phone' }, ['1 is dhcp', '1 dhcp phone = 192.0.2.52 3600']],
    [3, { client: '192.0.2.53', requested: '192.0.2.52', name: 'phone' }, ['1 is dhcp', '1 dhcp phone = 192.0.2.53 3600']],
    [
      5,
      { yours: '192.0.2.54', name: 'x', fqdn: hex('000000 0570686f6e65 04686f6d65 00') },
      ['1 is dhcp', '1 dhcp x = 192.0.2.54 3600'],
    ],
    [
      5,
      { yours: '192.0.2.54', fqdn: hex('040000 0570686f6e65 04686f6d65 00') },
      ['1 is dhcp', '1 dhcp phone.home = 192.0.2.54 3600'],
    ],
    [5, { yours: '192.0.2.55' }, ['1 is dhcp']],
    [5, { yours: '192.0.2.56', name: 'a\nb' }, ['1 is dhcp']],
    [2, { yours: '192.0.2.57', name: 'phone' }, ['1 is dhcp']],
    [1, { requested: '192.0.2.57', name: 'phone' }, ['1 is dhcp']],
  ])('of type %i with %o', (type, fields, lines) => {
    const inspection = new Inspection();
    expect(inspection.udp(dhcp(type, fields), { sport: 68, dport: 67 })).toBe(true);
    expect(inspection.told.sort()).toEqual([...lines].sort());
  });
});

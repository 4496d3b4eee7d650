// How flows are spoken: fingerprints against the specification's own examples, servers' answers, certificates against Node's reader, the end of
// handshakes, requests.

import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { certificateNames } from '../../../src/inspect/tls/certificate.ts';
import { be16, join } from '../../support/frames.ts';
import {
  cryptoFrame,
  dtlsHello,
  helloExtension,
  helloMessage,
  httpRequest,
  Inspection,
  quicInitial,
  type SegmentFields,
  tlsHello,
  tlsRecords,
} from '../../support/payloads.ts';
import {
  type AnswerFields,
  alert,
  answerMessage,
  CERTIFICATE,
  changeOfKeys,
  encrypted,
  flight,
  TalkRecorder,
} from '../../support/talk.ts';

const HELLO = tlsHello({ name: 'a.example', alpn: ['h2', 'http/1.1'] });

/** A conversation on one connection. Each end's sequence numbers follow from what it sent. */
class Conversation {
  readonly talk = new TalkRecorder();
  readonly inspection = new Inspection({}, this.talk);
  readonly #next = { out: 1000, back: 5000 };
  wanted = true;

  out(payload: Uint8Array | string, fields: SegmentFields = {}): this {
    return this.#say('out', payload, fields);
  }

  back(payload: Uint8Array | string, fields: SegmentFields = {}): this {
    return this.#say('back', payload, fields);
  }

  /** What was told since the last call. */
  take(): string[] {
    return this.talk.told.splice(0);
  }

  #say(way: 'out' | 'back', payload: Uint8Array | string, fields: SegmentFields): this {
    this.wanted = this.inspection.tcp(payload, { seq: this.#next[way], back: way === 'back', time: 1, ...fields });
    this.#next[way] += payload.length;
    return this;
  }
}

const ja4 = (hello: Uint8Array): string | null | undefined => new Conversation().out(hello).talk.offers[0]?.ja4;
const ja4s = (fields: AnswerFields): string | undefined =>
  new Conversation().out(HELLO).back(tlsRecords(answerMessage(fields))).talk.choices[0]?.ja4s;
const numbers = (list: string): number[] => list.split(',').map((digits) => Number.parseInt(digits, 16));

describe('JA4', () => {
  /** A hello whose ciphers, extensions and signature algorithms are those of the specification's example, in its order, with GREASE around them. */
  const example = (
    fields: { alpn?: Uint8Array; signatures?: string; name?: boolean; versions?: readonly number[] } = {},
  ): Uint8Array => {
    const { alpn = join([2], Buffer.from('h2')), signatures = '0403,0804,0401,0503,0805,0501,0806,0601' } = fields;
    const types = numbers('001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015');
    const bodies = new Map<number, Uint8Array | readonly number[]>([
      [0x00, join(be16(12), [0], be16(9), Buffer.from('a.example'))],
      [0x10, join(be16(alpn.length), alpn)],
      [0x0d, signatures === '' ? [] : join(be16(numbers(signatures).length * 2), numbers(signatures).flatMap(be16))],
      [
        0x2b,
        join(
          [(fields.versions ?? [0x7a7a, 0x0304, 0x0303]).length * 2],
          (fields.versions ?? [0x7a7a, 0x0304, 0x0303]).flatMap(be16),
        ),
      ],
    ]);
    const kept = types.filter((type) => (type !== 0 || fields.name !== false) && (type !== 13 || signatures !== ''));
    const extensions = join(
      helloExtension(0x1a1a, []),
      ...kept.map((type) => helloExtension(type, bodies.get(type) ?? [])),
      helloExtension(0xfafa, [0]),
    );
    const ciphers = numbers('5a5a,1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035').flatMap(be16);
    const body = join(
      [3, 3],
      new Uint8Array(32),
      [0],
      be16(ciphers.length),
      ciphers,
      [1, 0],
      be16(extensions.length),
      extensions,
    );
    return tlsRecords(join([1, 0], be16(body.length), body));
  };

  test('is what the specification says of its example', () => {
    expect(ja4(example())).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1');
  });

  test('without signature algorithms is hashed without them', () => {
    // The specification hashes the same extensions, signature algorithms' own among them; here that one is gone, too.
    expect(ja4(example({ signatures: '' }))).toMatch(/^t13d1515h2_8daaf6152771_(?!e5627efa2ab1)[0-9a-f]{12}$/);
  });

  test.each([
    [[0xab], 'ab'],
    [[0x20], '20'],
    [[0xab, 0xcd], 'ad'],
    [[0x20, 0x61], '21'],
    [[0x30, 0xab], '3b'],
    [[0x61, 0x20], '60'],
    [[0x30, 0x31, 0xab, 0xcd], '3d'],
    [[0x30, 0xab, 0xcd, 0x31], '01'],
    [[0x68], 'hh'],
    [[], '00'],
  ])('of the protocol %j has %s', (protocol, letters) => {
    expect(ja4(example({ alpn: join([protocol.length], protocol) }))?.slice(8, 10)).toBe(letters);
  });

  test('knows hellos without a name, and any version', () => {
    expect(ja4(example({ name: false }))).toMatch(/^t13i1515h2_8daaf6152771_e5627efa2ab1$/);
    expect(ja4(example({ versions: [0x0302, 0x0301, 0x2a2a] }))).toMatch(/^t11d/);
    expect(ja4(example({ versions: [0x0305] }))).toMatch(/^t00d/);
    expect(ja4(example({ versions: [0x1a1a] }))).toMatch(/^t12d/);
  });

  test('is the same whatever the order, the name, the key and the made-up values', () => {
    const one = ja4(tlsHello({ name: 'a.example', alpn: ['h2'], keyBytes: 32 }));
    expect(ja4(tlsHello({ name: 'other.example', alpn: ['h2'], keyBytes: 1216 }))).toBe(one);
    expect(ja4(tlsHello({ name: 'a.example', alpn: ['h2'], padding: 8 }))).not.toBe(one);
  });

  test('of QUIC and DTLS says so, and of a hello that the capture cut is unknown', () => {
    const talk = new TalkRecorder();
    const inspection = new Inspection({}, talk);
    inspection.udp(quicInitial(cryptoFrame(0, helloMessage({ alpn: ['h3'] }))));
    for (const record of dtlsHello()) inspection.udp(record, { flow: 2, dport: 9999 });
    inspection.tcp(HELLO.subarray(0, HELLO.length - 40), { flow: 3, wire: HELLO.length });
    expect(talk.offers.map((offer) => [offer.over, offer.ja4])).toEqual([
      ['quic', expect.stringMatching(/^q13d03\d\dh3_/)],
      ['udp', expect.stringMatching(/^dd3d03\d\d00_/)],
      ['tcp', null],
    ]);
  });

  test('of a thousand hostile hellos costs no memory for more than the newest', () => {
    const conversation = new Conversation();
    const hello = (i: number): Uint8Array => {
      const bytes = Uint8Array.from(HELLO);
      bytes.set(be16(0x4000 + i), 5 + 4 + 34 + 33 + 2);
      return bytes;
    };
    const first = ja4(hello(0));
    for (let i = 0; i < 5000; i++) conversation.inspection.tcp(hello(i), { flow: i });
    conversation.inspection.tcp(hello(0), { flow: 5001 });
    expect(new Set(conversation.talk.offers.map((offer) => offer.ja4)).size).toBe(5000);
    expect(conversation.talk.offers.at(-1)?.ja4).toBe(first);
  });
});

describe("a server's hello", () => {
  test('is read with its fingerprint', () => {
    const conversation = new Conversation().out(HELLO).back(tlsRecords(answerMessage()));
    expect(conversation.take()).toEqual(['1 offers 304 h2,http/1.1', '1 takes 304 1301 null session']);
    // The fingerprint that the specification's captures have for this version, cipher and order of extensions.
    expect(conversation.talk.choices[0]?.ja4s).toBe('t130200_1301_234ea6891581');
  });

  test('that chooses a protocol in clear text, resumes or asks again says so', () => {
    const takes = (fields: AnswerFields) =>
      new Conversation()
        .out(HELLO)
        .back(tlsRecords(answerMessage(fields)))
        .take()[1];
    expect(takes({ version: null, cipher: 0xc02f, protocol: 'h2', session: new Uint8Array(0) })).toBe('1 takes 303 c02f h2');
    expect(takes({ keyed: true })).toBe('1 takes 304 1301 null keyed session');
    expect(takes({ retry: true })).toBe('1 takes 304 1301 null retry session');
    expect(ja4s({ version: null, cipher: 0xc02f, protocol: 'h2' })).toMatch(/^t1201h2_c02f_/);
    expect(ja4s({ version: null })).toMatch(/^t120000_1301_000000000000$/);
  });

  test('after one that asks again is the one that counts', () => {
    const conversation = new Conversation().out(HELLO).back(tlsRecords(answerMessage({ retry: true })));
    conversation.out(join(changeOfKeys().subarray(0, 6), HELLO)).back(tlsRecords(answerMessage({ cipher: 0x1302 })));
    expect(conversation.take().slice(1)).toEqual(['1 takes 304 1301 null retry session', '1 takes 304 1302 null session']);
  });

  test('cut by the capture, or with lengths that contradict each other, tells nothing', () => {
    const good = tlsRecords(answerMessage());
    expect(new Conversation().out(HELLO).back(good.subarray(0, 60), { wire: good.length }).take()).toHaveLength(1);
    for (const at of [5 + 4 + 34, 5 + 4 + 34 + 33 + 3]) {
      const bad = Uint8Array.from(good);
      bad[at] = 0x77;
      expect(new Conversation().out(HELLO).back(bad).take()).toHaveLength(1);
    }
  });
});

describe('an answer over QUIC', () => {
  const connection = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  const hello = quicInitial(cryptoFrame(0, helloMessage({ alpn: ['h3'] })), { destination: connection });
  const own = Uint8Array.from([9, 9, 9, 9]);
  /** A server's Initial with this piece of its handshake. */
  const answer = (offset: number, piece: Uint8Array, keyId = connection): Uint8Array =>
    quicInitial(cryptoFrame(offset, piece), { isServers: true, keyId, destination: new Uint8Array(0), source: own, bytes: 0 });
  const short = join([0x41], new Uint8Array(40));
  const give = (...datagrams: readonly (readonly [bytes: Uint8Array, back: boolean, time?: number])[]) => {
    const talk = new TalkRecorder();
    const inspection = new Inspection({}, talk);
    let wanted = true;
    for (const [bytes, back, time = 1] of datagrams) wanted = inspection.udp(bytes, { back, time });
    return { told: talk.told.slice(1), wanted, inspection, talk };
  };

  test('is decrypted with keys that anyone can derive, from one packet or several', () => {
    const message = answerMessage({ session: new Uint8Array(0) });
    const { told, talk } = give([hello, false], [answer(0, message), true]);
    expect(told).toEqual(['1 takes 304 1301 null']);
    expect(talk.choices[0]?.ja4s).toBe('q130200_1301_234ea6891581');
    const split = give(
      [hello, false],
      [answer(60, message.subarray(60)), true],
      [short, true],
      [answer(0, message.subarray(0, 60)), true],
    );
    expect(split.told).toEqual(['1 takes 304 1301 null']);
    const later = join(answer(0, message), new Uint8Array(20).fill(0xe5));
    expect(give([hello, false], [later, true]).told).toEqual(['1 takes 304 1301 null']);
  });

  test("is over at the client's first packet with a short header", () => {
    const message = answerMessage({ session: new Uint8Array(0) });
    const { told, wanted } = give([hello, false], [answer(0, message), true, 20], [short, true, 30], [short, false, 40]);
    expect([told.at(-1), wanted]).toEqual(['1 secured at 40', false]);
  });

  test('that asks for another hello is followed by the one that counts', () => {
    const retry = answerMessage({ retry: true, session: new Uint8Array(0) });
    const message = answerMessage({ cipher: 0x1302, session: new Uint8Array(0) });
    const again = quicInitial(cryptoFrame(0, helloMessage()), { destination: connection, number: 1 });
    const { told } = give([hello, false], [answer(0, retry), true], [again, false], [answer(retry.length, message), true]);
    expect(told).toEqual(['1 takes 304 1301 null retry', '1 takes 304 1302 null']);
  });

  test('after Retry comes under other keys', () => {
    const other = Uint8Array.from([7, 7, 7, 7, 7, 7, 7, 7]);
    const retry = join([0xf0, 0, 0, 0, 1, 0, 4], own, new Uint8Array(40));
    const again = quicInitial(cryptoFrame(0, helloMessage()), { destination: other, token: Uint8Array.from([1]) });
    const message = answerMessage({ session: new Uint8Array(0) });
    expect(give([hello, false], [retry, true], [again, false], [answer(0, message, other), true]).told).toEqual([
      '1 takes 304 1301 null',
    ]);
  });

  test('is read for one connection after the other', () => {
    const talk = new TalkRecorder();
    const inspection = new Inspection({}, talk);
    for (const flow of [1, 2, 3]) {
      inspection.udp(hello, { flow });
      inspection.udp(answer(0, answerMessage()), { flow, back: true });
    }
    expect(talk.choices).toHaveLength(3);
  });

  test('gives its buffer to a hello, which may still name its flow', () => {
    const talk = new TalkRecorder();
    const inspection = new Inspection({ pendingFlows: 2 }, talk);
    const long = tlsHello({ name: 'a.example', keyBytes: 1216 });
    inspection.tcp(long.subarray(0, 700), { flow: 1, time: 1 });
    inspection.udp(hello, { flow: 2, time: 2 });
    inspection.tcp(long.subarray(0, 700), { flow: 3, time: 3 });
    inspection.tcp(long.subarray(700), { flow: 1, seq: 1700, time: 4 });
    inspection.udp(answer(0, answerMessage()), { flow: 2, back: true, time: 5 });
    expect(talk.told).toEqual(['2 offers 304 h3', '1 offers 304 ']);
    expect(inspection.told).toContain('1 tls a.example');
  });

  test('with other keys, broken or never, tells nothing and ends', () => {
    const message = answerMessage();
    expect(give([hello, false], [answer(0, message, own), true], [answer(0, Uint8Array.from([1, 0, 0, 0])), true]).told).toEqual(
      [],
    );
    let packets = 0;
    const { inspection } = give([hello, false]);
    while (inspection.udp(answer(0, message, own), { back: true }) && packets < 1000) packets++;
    expect(packets).toBeLessThan(64);
    expect(inspection.inspector.waiting).toBe(0);
  });
});

describe('a certificate', () => {
  const NAMES = ['www.example.com', '*.example.org', 'xn--bcher-kva.example', '192.0.2.7', '2001:db8::7'];

  test('has the names that Node finds in it', () => {
    const known = new X509Certificate(CERTIFICATE);
    const alternatives = (known.subjectAltName ?? '').split(', ').filter((name) => !name.startsWith('email:'));
    expect(alternatives.map((name) => name.replace(/^[^:]*:/, '').replace('2001:DB8:0:0:0:0:0:7', '2001:db8::7'))).toEqual(NAMES);
    expect(certificateNames(CERTIFICATE, 0, CERTIFICATE.length)).toEqual({ names: NAMES, isCut: false });
  });

  test('that is cut gives what precedes the cut, and says so', () => {
    const found = Array.from({ length: CERTIFICATE.length }, (_, end) => certificateNames(CERTIFICATE, 0, end));
    let known = 0;
    for (const [end, { names, isCut }] of found.entries()) {
      expect(names).toEqual(NAMES.slice(0, names.length));
      expect(names.length).toBeGreaterThanOrEqual(known);
      known = names.length;
      if (end < 400) expect(isCut).toBe(true);
    }
    expect(known).toBe(NAMES.length);
  });

  test('of TLS 1.2 is reported whole from one segment, from several in any order, and as far as the capture has it', () => {
    const whole = `1 is ${NAMES.join(' ')}`;
    const all = flight();
    expect(new Conversation().out(HELLO).back(all).take().slice(2)).toEqual([whole]);
    const split = new Conversation().out(HELLO);
    split.inspection.tcp(all.subarray(0, 200), { back: true, seq: 5000 });
    split.inspection.tcp(all.subarray(450), { back: true, seq: 5450 });
    split.inspection.tcp(all.subarray(200, 450), { back: true, seq: 5200 });
    expect(split.take().slice(1)).toEqual(['1 takes 303 c02b null session', whole]);
    const cut = new Conversation().out(HELLO).back(all.subarray(0, 500), { wire: all.length });
    expect(cut.take().at(-1)).toMatch(/^1 is www\.example\.com.* \.\.\.$/);
    // The client goes on: what is missing was lost to the capture.
    const lost = new Conversation().out(HELLO).back(all.subarray(0, 500)).out(changeOfKeys());
    expect(lost.take().slice(1)).toEqual([
      '1 takes 303 c02b null session',
      expect.stringMatching(/^1 is www\.example\.com.* \.\.\.$/),
    ]);
  });
});

describe('the end of a handshake', () => {
  const TIMES = [10, 20, 30, 40, 50].map((time) => ({ time }));
  const [first, second, third, fourth, fifth] = TIMES;

  test('of TLS 1.3 is the first encrypted record of the client', () => {
    const conversation = new Conversation().out(HELLO, first).back(tlsRecords(answerMessage()), second).back(encrypted(), third);
    expect(conversation.wanted).toBe(true);
    conversation.out(changeOfKeys(), fourth);
    expect(conversation.wanted).toBe(false);
    expect(conversation.take().at(-1)).toBe('1 secured at 40');
  });

  test('of TLS 1.2 is the second change of keys, whoever makes it', () => {
    const full = new Conversation().out(HELLO, first).back(flight(), second).out(changeOfKeys(), third);
    expect(full.wanted).toBe(true);
    expect(full.back(changeOfKeys(), fourth).take().at(-1)).toBe('1 secured at 40');
    const hello = tlsRecords(answerMessage({ version: null }));
    const short = new Conversation().out(HELLO, first).back(join(hello, changeOfKeys()), second).out(changeOfKeys(), third);
    expect(short.wanted).toBe(false);
    expect(short.take().slice(1)).toEqual(['1 takes 303 1301 null session', '1 secured at 30']);
  });

  test('is an alert in clear text, from either end', () => {
    expect(new Conversation().out(HELLO).back(alert(40)).take().slice(1)).toEqual(['1 alert 40 back']);
    expect(new Conversation().out(HELLO).back(flight()).out(alert(48)).take().at(-1)).toBe('1 alert 48 out');
  });

  test('that never comes ends the inspection all the same', () => {
    const conversation = new Conversation().out(HELLO);
    let packets = 0;
    while (conversation.wanted && packets < 1000) {
      conversation.back('something else', fifth);
      packets++;
    }
    expect(packets).toBeLessThan(64);
  });

  test('is not waited for when nobody asks how flows are spoken', () => {
    expect(new Inspection().tcp(HELLO)).toBe(false);
    expect(new Inspection().tcp(httpRequest('a.example'), { dport: 80 })).toBe(false);
  });
});

describe('a request', () => {
  const told = (request: string, ...answers: string[]) => {
    const conversation = new Conversation().out(request);
    for (const answer of answers) conversation.back(answer);
    return conversation.take();
  };

  test.each([
    ['GET /account/secret?token=1 HTTP/1.1\r\nHost: a.example\r\n\r\n', '1 GET account'],
    ['POST / HTTP/1.1\r\nHost: a.example\r\n\r\n', '1 POST null'],
    ['GET /?q=secret HTTP/1.1\r\nHost: a.example\r\n\r\n', '1 GET null'],
    ['GET http://a.example:8080/one/two HTTP/1.1\r\n\r\n', '1 GET one'],
    ['GET http://a.example HTTP/1.1\r\n\r\n', '1 GET null'],
    ['OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n', '1 OPTIONS null'],
    [`GET /${'x'.repeat(500)} HTTP/1.0\r\nHost: a.example\r\n\r\n`, `1 GET ${'x'.repeat(64)}`],
  ])('%j', (request, line) => {
    expect(told(request, 'HTTP/1.1 404 Not Found\r\n\r\n')).toEqual([line, '1 404']);
  });

  test('is answered by its final response alone', () => {
    const request = 'PUT /a HTTP/1.1\r\nHost: a.example\r\n\r\n';
    expect(told(request, 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 201 Created\r\n\r\n')).toEqual(['1 PUT a', '1 201']);
    expect(told(request, 'HTTP/1.1 101 Switching Protocols\r\n\r\n')).toEqual(['1 PUT a', '1 101']);
    expect(told(request, 'HTTP/1.1 2x1 Odd\r\n\r\n', 'HTTP/1.1 20')).toEqual(['1 PUT a']);
  });

  test('for a tunnel may be followed by the hello inside of it', () => {
    const conversation = new Conversation().out('CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n');
    conversation.back('HTTP/1.1 200 Connection established\r\n\r\n').out(HELLO).back(tlsRecords(answerMessage()));
    expect(conversation.take()).toEqual(['1 CONNECT null', '1 200', '1 offers 304 h2,http/1.1', '1 takes 304 1301 null session']);
    expect(told('CONNECT a.example:443 HTTP/1.1\r\n\r\n', 'HTTP/1.1 407 No\r\n\r\n')).toEqual(['1 CONNECT null', '1 407']);
  });
});

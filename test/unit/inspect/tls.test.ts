import { describe, expect, test } from 'vitest';
import { ClientHello, HELLO, readClientHello } from '../../../src/inspect/tls/client-hello.ts';
import { be16, join } from '../../support/frames.ts';
import { dtlsHello, helloBody, helloExtension, helloMessage, Inspection, tlsHello, tlsRecords } from '../../support/payloads.ts';

/** Pieces of a stream with their sequence numbers, cut at these offsets. */
function cutAt(stream: Uint8Array, ...offsets: number[]): { seq: number; bytes: Uint8Array }[] {
  const borders = [0, ...offsets, stream.length];
  return borders.slice(1).map((to, i) => ({ seq: 1000 + (borders[i] as number), bytes: stream.subarray(borders[i], to) }));
}

describe('a ClientHello in one segment', () => {
  test.each([
    [{ name: 'www.Example.COM' }, {}, ['1 tls www.example.com', '1 is https']],
    [{ name: 'a.example', alpn: ['h2', 'http/1.1'] }, { dport: 9999 }, ['1 tls a.example', '1 is https']],
    [{ name: 'a.example', alpn: ['imap'] }, { dport: 9999 }, ['1 tls a.example', '1 is imaps']],
    [{ name: 'a.example', alpn: ['unknown', 'dot'] }, { dport: 9999 }, ['1 tls a.example', '1 is dot']],
    [{ name: 'a.example' }, { dport: 853 }, ['1 tls a.example', '1 is dot']],
    [{ name: 'a.example' }, { dport: 8883 }, ['1 tls a.example', '1 is mqtts']],
    [{ name: 'a.example' }, { dport: 12_345 }, ['1 tls a.example', '1 is tls']],
    [{ name: 'a.example', ech: true }, {}, ['1 tls a.example ech', '1 is https']],
    [{ name: 'a.example', keyBytes: 1216 }, {}, ['1 tls a.example', '1 is https']],
    [{ name: null }, {}, ['1 is https']],
    [{ name: 'xn--bcher-kva.example.' }, {}, ['1 tls xn--bcher-kva.example', '1 is https']],
  ] as const)('%o on %o', (hello, fields, told) => {
    const inspection = new Inspection();
    expect(inspection.tcp(tlsHello(hello), fields)).toBe(false);
    expect(inspection.told).toEqual(told);
  });

  test.each([
    '192.0.2.1',
    '2001:db8::1',
    'a..b',
    '.a',
    'a b',
    'a\0b',
    'a\x1b[31m.example',
    'b\xfccher.example',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}com`,
    '',
    'a/b',
  ])('is not called %j', (name) => {
    const inspection = new Inspection();
    inspection.tcp(tlsHello({ name }));
    expect(inspection.told).toEqual(['1 is https']);
  });

  test('with lengths that contradict each other tells nothing', () => {
    const good = tlsHello({ name: 'a.example' });
    // Lengths of the session, the cipher suites and the extensions.
    for (const at of [5 + 4 + 34, 5 + 4 + 34 + 33, 5 + 4 + 34 + 33 + 10]) {
      const bad = Uint8Array.from(good);
      bad[at] = 0xff;
      const inspection = new Inspection();
      inspection.tcp(bad, { dport: 9999 });
      expect(inspection.told).toEqual([]);
    }
    const inspection = new Inspection();
    const list = helloExtension(0, join(be16(40), [0], be16(9), new Uint8Array(9).fill(0x61)));
    inspection.tcp(tlsHello({ extensions: list }), { dport: 9999 });
    expect(inspection.told).toEqual([]);
  });

  test('cut by the capture tells what stands in front of the cut', () => {
    const hello = tlsHello({ name: 'a.example', padding: 3000 });
    const inspection = new Inspection();
    expect(inspection.tcp(hello.subarray(0, 200), { wire: hello.length })).toBe(false);
    expect(inspection.told).toEqual(['1 tls a.example', '1 is https']);
  });

  test('in several records', () => {
    const inspection = new Inspection();
    expect(inspection.tcp(tlsHello({ name: 'a.example' }, 50))).toBe(false);
    expect(inspection.told).toEqual(['1 tls a.example', '1 is https']);
  });
});

test('a hello that ends anywhere tells only what stands in front of its end', () => {
  const hello = new ClientHello();
  for (const datagram of [false, true]) {
    const body = helloBody({ alpn: ['h2'], ech: true, datagram });
    const ends: number[] = [];
    for (let end = 0; end < body.length; end++) {
      // Bytes follow the end, and must not be read.
      expect(readClientHello(body, 0, end, body.length, datagram, hello)).toBe(HELLO.CUT);
      expect(Math.max(hello.nameTo, hello.protocolsTo)).toBeLessThanOrEqual(end);
      // A hello that claims to end there contradicts itself, except where extensions may be absent.
      if (readClientHello(body, 0, end, end, datagram, hello) !== HELLO.BROKEN) ends.push(end);
      expect(hello.nameFrom).toBe(-1);
    }
    expect(ends).toEqual([datagram ? 46 : 77]);
    expect(readClientHello(body, 0, body.length, body.length, datagram, hello)).toBe(HELLO.COMPLETE);
    expect(Buffer.from(body.subarray(hello.nameFrom, hello.nameTo)).toString()).toBe('www.example.com');
    expect([hello.version, hello.ech, hello.srtp]).toEqual([datagram ? 0xfefc : 0x0304, true, false]);
  }
});

describe('a ClientHello over several segments', () => {
  const stream = tlsHello({ name: 'big.example', keyBytes: 1216, alpn: ['h2'] });
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [2, 0, 1],
    [1, 2, 0],
    [2, 1, 0],
  ];
  test.each(orders)('in the order %i %i %i', (...order) => {
    const pieces = cutAt(stream, 500, 1100);
    const inspection = new Inspection();
    const wanted = order.map((i) => inspection.tcp(pieces[i]!.bytes, { seq: pieces[i]!.seq }));
    expect(wanted).toEqual([true, true, false]);
    expect(inspection.told).toEqual(['1 tls big.example', '1 is https']);
    expect(inspection.inspector.waiting).toBe(0);
  });

  test('across the wrap of sequence numbers, byte by byte, each sent twice', () => {
    const inspection = new Inspection({ messagePackets: 10_000 });
    for (let i = 0; i < stream.length; i++) {
      const from = Math.max(0, i - 3);
      for (let k = 0; k < 2; k++) inspection.tcp(stream.subarray(from, i + 1), { seq: 0xffffff00 + from });
    }
    expect(inspection.told).toEqual(['1 tls big.example', '1 is https']);
  });

  test('up to 16 KiB', () => {
    const large = tlsHello({ name: 'large.example', padding: 15_000 });
    const inspection = new Inspection();
    for (const { seq, bytes } of cutAt(large, ...Array.from({ length: 11 }, (_, i) => (i + 1) * 1400)))
      inspection.tcp(bytes, { seq });
    expect(inspection.told).toEqual(['1 tls large.example', '1 is https']);
    expect(new Inspection().tcp(join([0x16, 3, 1], be16(16_000), [1, 1, 0, 0]))).toBe(true);
  });

  test('with a hole tells what stands in front of it, once the other end answers', () => {
    const late = cutAt(tlsHello({ name: 'early.example', padding: 4000 }), 600, 1200);
    const inspection = new Inspection();
    inspection.tcp(late[0]!.bytes, { seq: late[0]!.seq });
    inspection.tcp(late[2]!.bytes, { seq: late[2]!.seq });
    expect(inspection.told).toEqual([]);
    expect(inspection.tcp(join([0x16, 3, 3, 0, 4, 2, 0, 0, 0]), { back: true })).toBe(false);
    expect(inspection.told).toEqual(['1 tls early.example', '1 is https']);
    expect(inspection.inspector.waiting).toBe(0);
  });

  test('waits for so long and no longer', () => {
    const [first, second] = cutAt(tlsHello({ name: 'slow.example', padding: 3000 }), 600);
    const inspection = new Inspection();
    inspection.tcp(first!.bytes, { seq: first!.seq, time: 1 });
    expect(inspection.tcp(second!.bytes.subarray(0, 9), { seq: second!.seq, time: 20_000 })).toBe(false);
    expect(inspection.told).toEqual(['1 tls slow.example', '1 is https']);
  });

  test('of more flows than fit: the oldest is reported as far as it came', () => {
    const inspection = new Inspection({ pendingFlows: 2 });
    for (const flow of [1, 2, 3])
      inspection.tcp(tlsHello({ name: `f${flow}.example`, padding: 3000 }).subarray(0, 400), { flow, time: flow });
    expect(inspection.told).toEqual(['1 tls f1.example', '1 is https']);
    expect(inspection.inspector.waiting).toBe(2);
    inspection.inspector.forget(2);
    expect(inspection.inspector.waiting).toBe(1);
    expect(inspection.tcp(tlsHello({ name: 'new.example' }), { flow: 2 })).toBe(false);
    expect(inspection.told.slice(2)).toEqual(['2 tls new.example', '2 is https']);
  });
});

describe('TLS inside of other protocols', () => {
  test('SMTP that goes on to TLS keeps its name and gets a host', () => {
    const inspection = new Inspection();
    const at = { dport: 587 };
    expect(inspection.tcp('220 mx.example ESMTP ready\r\n', { ...at, back: true })).toBe(true);
    expect(inspection.tcp('EHLO me\r\n', at)).toBe(true);
    expect(inspection.tcp('250-mx.example\r\n250 STARTTLS\r\n', { ...at, back: true })).toBe(true);
    expect(inspection.tcp('STARTTLS\r\n', at)).toBe(true);
    expect(inspection.tcp('220 go\r\n', { ...at, back: true })).toBe(true);
    expect(inspection.tcp(tlsHello({ name: 'mx.example' }), at)).toBe(false);
    expect(inspection.told).toEqual(['1 is smtp', '1 tls mx.example']);
  });

  test('a connection joined in its middle is TLS without a name', () => {
    const inspection = new Inspection();
    expect(inspection.tcp(join([0x17, 3, 3], be16(60), new Uint8Array(60)))).toBe(false);
    expect(inspection.told).toEqual(['1 is https']);
  });

  test('a server hello alone waits for the client', () => {
    const inspection = new Inspection();
    const answer = tlsRecords(join([2, 0, 0, 4], [3, 3, 0, 0]));
    expect(inspection.tcp(answer, { back: true })).toBe(true);
    expect(inspection.tcp(tlsHello({ name: 'late.example' }))).toBe(false);
    expect(inspection.told).toEqual(['1 tls late.example', '1 is https']);
  });
});

describe('DTLS', () => {
  test('a hello in one datagram, with a cookie, and of a call', () => {
    for (const [hello, dport, told] of [
      [{ name: 'a.example' }, 4433, ['1 tls a.example', '1 is dtls']],
      [{ name: 'a.example', cookie: new Uint8Array(20) }, 5684, ['1 tls a.example', '1 is coaps']],
      [{ name: null, srtp: true }, 50_000, ['1 is webrtc']],
    ] as const) {
      const inspection = new Inspection();
      expect(inspection.udp(dtlsHello(hello)[0]!, { dport })).toBe(false);
      expect(inspection.told).toEqual(told);
    }
  });

  test('fragments in any order, in one datagram or in several', () => {
    const fragments = dtlsHello({ name: 'frag.example', padding: 500 }, 300);
    expect(fragments.length).toBe(3);
    const several = new Inspection();
    const wanted = [2, 0, 1].map((i) => several.udp(fragments[i]!, { dport: 4433 }));
    expect(wanted).toEqual([true, true, false]);
    const one = new Inspection();
    one.udp(join(...fragments), { dport: 4433 });
    for (const inspection of [several, one]) expect(inspection.told).toEqual(['1 tls frag.example', '1 is dtls']);
  });

  test('a fragment that is longer than its message tells nothing', () => {
    const bad = Uint8Array.from(dtlsHello({ name: 'a.example' })[0]!);
    bad[24] = 0xff;
    const inspection = new Inspection();
    inspection.udp(bad, { dport: 4433 });
    expect(inspection.told).toEqual([]);
  });
});

test('a handshake message that is no ClientHello is none', () => {
  const message = Uint8Array.from(helloMessage());
  message[0] = 11;
  const inspection = new Inspection();
  expect(inspection.tcp(tlsRecords(message), { dport: 9999 })).toBe(true);
  expect(inspection.told).toEqual([]);
});

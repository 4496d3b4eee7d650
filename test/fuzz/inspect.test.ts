import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Packet } from '../../src/decode/packet.ts';
import { hostName } from '../../src/inspect/host-name.ts';
import { Inspector } from '../../src/inspect/inspector.ts';
import { Reassembly } from '../../src/inspect/reassembly.ts';
import { PROTOCOL } from '../../src/net/numbers.ts';
import { join } from '../support/frames.ts';
import {
  cryptoFrame,
  dhcp,
  dtlsHello,
  helloMessage,
  httpRequest,
  Inspection,
  quicInitial,
  tlsHello,
  tlsRecords,
} from '../support/payloads.ts';
import { alert, answerMessage, changeOfKeys, encrypted, flight } from '../support/talk.ts';

const NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
const JA4 = /^[tqd](1[0-3]|s[23]|d[123]|00)[di]\d{4}[0-9A-Za-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$/;
const JA4S = /^[tqd](1[0-3]|s[23]|d[123]|00)\d\d[0-9A-Za-z]{2}_[0-9a-f]{4}_[0-9a-f]{12}$/;
const PORTS = [53, 67, 68, 80, 123, 137, 443, 546, 853, 1900, 5353, 5355, 40_000];

/** An inspector that fails when it tells what is no name, and counts what it tells. */
function strict(): { inspector: Inspector; told: Map<string, number> } {
  const told = new Map<string, number>();
  const note = (what: string): void => void told.set(what, (told.get(what) ?? 0) + 1);
  const named = (what: string, name: string): void => {
    if (!NAME.test(name)) throw new Error(`no name: ${JSON.stringify(name)}`);
    note(`${what} ${name}`);
  };
  const text = (value: string, most: number): void => {
    if (value.length > most || /[\u0000-\u001f\u007f-\u009f]/.test(value)) throw new Error(`unsafe: ${JSON.stringify(value)}`);
    note(value);
  };
  const inspector = new Inspector(
    {
      serverName: (_, source, name) => named(source, name),
      application: (_, application) => note(application),
      answer: (_, kind, name) => named(`answer of ${kind}`, name),
      pointer: (_, name) => named('pointer', name),
    },
    {
      offered: (_, { ja4 }) => {
        if (ja4 !== null && !JA4.test(ja4)) throw new Error(`no fingerprint: ${ja4}`);
        note(`offer ${ja4}`);
      },
      answered: (_, { ja4s }) => {
        if (!JA4S.test(ja4s)) throw new Error(`no fingerprint: ${ja4s}`);
        note(`answer ${ja4s}`);
      },
      certified: (_, names) => {
        if (names.length === 0 || names.length > 16) throw new Error(`${names.length} names`);
        for (const name of names) text(name, 255);
      },
      secured: () => note('secured'),
      alerted: (_, code) => note(`alert ${code}`),
      requested: (_, method, segment) => {
        text(method, 16);
        if (segment !== null) text(segment, 64);
      },
      responded: (_, status) => {
        if (status < 101 || status > 999) throw new Error(`no status: ${status}`);
        note(`status ${status}`);
      },
    },
    { pendingFlows: 4 },
  );
  return { inspector, told };
}

const seed: Uint8Array[] = [
  tlsRecords(answerMessage({ keyed: true })),
  tlsRecords(answerMessage({ retry: true })),
  flight({ protocol: 'h2' }),
  join(changeOfKeys(), encrypted()),
  alert(40),
  Uint8Array.from(Buffer.from('HTTP/1.1 200 OK\r\n\r\n')),
  tlsHello({ alpn: ['h2', 'http/1.1'], ech: true }),
  tlsHello({ padding: 600 }, 100),
  ...dtlsHello({ padding: 500 }, 300),
  quicInitial(cryptoFrame(0, helloMessage())),
  quicInitial(cryptoFrame(0, answerMessage()), { isServers: true, bytes: 0 }),
  httpRequest('a.test'),
  dhcp(5, { yours: '192.0.2.1', name: 'phone', fqdn: Uint8Array.from([4, 0, 0, 1, 0x61, 0]) }),
  Uint8Array.from(
    Buffer.from(
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x11\x01\x05\0\0\0\x01\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff',
      'latin1',
    ),
  ),
  Uint8Array.from(
    dnsPacket.encode({
      type: 'response',
      questions: [{ name: 'a.test', type: 'A' }],
      answers: [
        { type: 'CNAME', name: 'a.test', data: 'b.test', ttl: 1 },
        { type: 'A', name: 'b.test', data: '192.0.2.1', ttl: 1 },
        { type: 'PTR', name: '1.2.0.192.in-addr.arpa', data: 'c.local', ttl: 1 },
        { type: 'A', name: 'c.local', data: '192.0.2.1', ttl: 1 },
      ],
    }),
  ),
];

/** A message of the corpus with some bytes changed, some cut off, some doubled. */
const mutated = fc
  .record({
    message: fc.constantFrom(...seed),
    changes: fc.array(fc.tuple(fc.nat(2000), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
    end: fc.nat(2000),
    cuts: fc.boolean(),
    again: fc.nat(200),
  })
  .map(({ message, changes, end, cuts, again }) => {
    const made = join(message, message.subarray(0, again));
    for (const [at, value] of changes) made[at % made.length] = value;
    return cuts ? made.subarray(0, 1 + (end % made.length)) : made;
  });

/** Packets of a few flows: changed messages or noise, any ports, sequence numbers near each other. */
const conversation = fc.array(
  fc.record({
    payload: fc.oneof(mutated, mutated, fc.uint8Array({ minLength: 1, maxLength: 80 })),
    flow: fc.nat(5),
    sport: fc.constantFrom(...PORTS),
    dport: fc.constantFrom(...PORTS),
    udp: fc.boolean(),
    opener: fc.boolean(),
    seq: fc.nat(3000),
    missing: fc.constantFrom(0, 0, 0, 500),
    time: fc.nat(30_000),
    forget: fc.nat(9),
  }),
  { minLength: 1, maxLength: 24 },
);

test('any conversation: never throws, reports only names, reads nothing outside, keeps within the limit of pending flows', () => {
  const tries = fc.property(conversation, (packets) => {
    const transcripts = [0x61, 0x62].map((fill) => {
      const { inspector, told } = strict();
      const packet = new Packet();
      for (const { payload, flow, sport, dport, udp, opener, seq, missing, time, forget } of packets) {
        const bytes = new Uint8Array(payload.length + 64).fill(fill);
        bytes.set(payload, 32);
        packet.protocol = udp ? PROTOCOL.UDP : PROTOCOL.TCP;
        packet.sourcePort = sport;
        packet.destinationPort = dport;
        packet.sequence = seq - 1500;
        packet.payloadOffset = 32;
        packet.payloadCaptured = payload.length;
        packet.payloadBytes = payload.length + missing;
        if (forget === 0) inspector.forget(flow);
        inspector.packet(flow, packet, bytes, opener, time);
        if (inspector.waiting > 4) throw new Error('too many pending flows');
      }
      return [...told];
    });
    // What lies around the payloads makes no difference.
    expect(transcripts[1]).toEqual(transcripts[0]);
  });
  fc.assert(tries, { numRuns: 1500 });
});

describe('noise', () => {
  test('a hundred thousand random payloads are (almost) nothing', () => {
    const { inspector, told } = strict();
    const packet = new Packet();
    let state = 12_345;
    const next = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return state >>> 8;
    };
    const bytes = new Uint8Array(1400);
    for (let i = 0; i < 100_000; i++) {
      const length = 1 + (next() % (i % 8 === 0 ? 1400 : 100));
      for (let k = 0; k < length; k++) bytes[k] = next();
      packet.protocol = i % 2 === 0 ? PROTOCOL.UDP : PROTOCOL.TCP;
      packet.sourcePort = 40_000;
      packet.destinationPort = PORTS[next() % PORTS.length] as number;
      packet.sequence = next();
      packet.payloadOffset = 0;
      packet.payloadCaptured = length;
      packet.payloadBytes = length;
      inspector.forget(i % 1000);
      inspector.packet(i % 1000, packet, bytes, true, 1);
    }
    // NTP is told by its port and 6 bits.
    told.delete('ntp');
    expect([...told.values()].reduce((sum, count) => sum + count, 0)).toBeLessThan(5);
    expect([...told.keys()].filter((what) => /^(tls|quic|http|answer|pointer)/.test(what))).toEqual([]);
  });

  test('a hundred thousand names leave nothing behind', () => {
    let told = 0;
    const inspector = new Inspector({ serverName: () => told++, application: () => {}, answer: () => {}, pointer: () => {} });
    const packet = new Packet();
    packet.protocol = PROTOCOL.TCP;
    packet.destinationPort = 443;
    const hello = tlsHello({ name: 'aaaaaaaa.example.com' });
    const at = Buffer.from(hello).indexOf('aaaaaaaa');
    packet.payloadOffset = 0;
    packet.payloadCaptured = hello.length;
    packet.payloadBytes = hello.length;
    for (let i = 0; i < 100_000; i++) {
      for (let k = 0, rest = i; k < 8; k++, rest = Math.floor(rest / 26)) hello[at + k] = 0x61 + (rest % 26);
      inspector.forget(i & 1023);
      inspector.packet(i & 1023, packet, hello, true, i);
    }
    expect(told).toBe(100_000);
    expect(inspector.waiting).toBe(0);
  });
});

test('a message of DNS with any counts and any pointers is read in bounded time', () => {
  const tries = fc.property(
    fc.uint8Array({ minLength: 0, maxLength: 600 }),
    fc.uint8Array({ minLength: 8, maxLength: 8 }),
    (body, counts) => {
      const inspection = new Inspection();
      // Pointers everywhere: what costs the most.
      const pointers = body.map((byte, i) => (i % 2 === 0 ? 0xc0 : byte));
      for (const each of [body, pointers]) {
        for (const port of [53, 137, 5353, 5355])
          inspection.udp(join([0, 1, 0x80, 0], counts, each), { flow: port, dport: port, back: true });
      }
    },
  );
  fc.assert(tries, { numRuns: 1000 });
});

test('names that the library writes are read as it reads them', () => {
  const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9-]{0,20}[a-z])?$/);
  const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => [...labels, 'test'].join('.'));
  const tries = fc.property(
    name,
    fc.array(name, { maxLength: 5 }),
    fc.array(fc.ipV4(), { maxLength: 4 }),
    (asked, aliases, addresses) => {
      const chain = [asked, ...new Set(aliases.filter((each) => each !== asked))];
      const answers: dnsPacket.Answer[] = chain
        .slice(1)
        .map((data, i) => ({ type: 'CNAME', name: chain[i] as string, data, ttl: 1 }));
      for (const data of addresses) answers.push({ type: 'A', name: chain.at(-1) as string, data, ttl: 1 });
      const message = dnsPacket.encode({ type: 'response', questions: [{ name: asked, type: 'A' }], answers });
      const inspection = new Inspection();
      inspection.udp(Uint8Array.from(message), { dport: 53, back: true });
      const decoded = dnsPacket.decode(message);
      const public_ = (decoded.answers ?? []).filter(
        (each): each is dnsPacket.StringAnswer =>
          each.type === 'A' && !/^(0\.0\.0\.0$|127\.|2(2[4-9]|3\d)\.|255\.255\.255\.255$)/.test(String(each.data)),
      );
      expect(inspection.told.slice(1)).toEqual(public_.map(({ data }) => `1 dns ${asked} = ${data} 1`));
    },
  );
  fc.assert(tries, { numRuns: 500 });
});

test('pieces of a message are put together like writes into an array', () => {
  const piece = fc.record({ offset: fc.integer({ min: -20, max: 120 }), length: fc.nat(40) });
  const tries = fc.property(fc.array(piece, { maxLength: 40 }), fc.nat(30), (pieces, dropped) => {
    const reassembly = new Reassembly(100);
    const model = new Array<number>(100).fill(-1);
    const source = Uint8Array.from({ length: 200 }, (_, i) => i);
    for (const { offset, length } of pieces) {
      expect(reassembly.add(offset, source, 20 + offset, length)).toBe(true);
      for (let i = Math.max(0, offset); i < Math.min(100, offset + length); i++) model[i] = 20 + i;
    }
    const known = (): number => (model.includes(-1) ? model.indexOf(-1) : model.length);
    expect(reassembly.contiguous).toBe(known());
    expect([...reassembly.bytes.subarray(0, known())]).toEqual(model.slice(0, known()));
    reassembly.dropFront(dropped);
    model.splice(0, dropped);
    model.push(...new Array<number>(dropped).fill(-1));
    expect(reassembly.contiguous).toBe(known());
    expect(reassembly.extent).toBe(model.findLastIndex((each) => each >= 0) + 1);
  });
  fc.assert(tries, { numRuns: 1000 });
});

test('what is told as a host name is one, and nothing is lost of a good one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const name = hostName(bytes, 0, bytes.length);
      if (name !== null) expect(name).toMatch(NAME);
    }),
  );
  fc.assert(
    fc.property(fc.domain(), (domain) => {
      expect(hostName(Buffer.from(domain), 0, domain.length)).toBe(domain.toLowerCase());
    }),
  );
});

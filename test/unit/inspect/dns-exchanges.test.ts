// Questions of DNS and their answers, as the inspector matches them.

import dnsPacket from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { DNS_CODE, DNS_TRANSPORTS, DNS_WAIT_MS } from '../../../src/model/dns.ts';
import { be16, join } from '../../support/frames.ts';
import { Inspection } from '../../support/payloads.ts';

const T0 = 1_767_225_600_000;
const WAITING = DNS_CODE.WAITING;
const LOST = DNS_CODE.LOST;

function query(name: string, id = 7, type: dnsPacket.RecordType = 'A'): Uint8Array {
  return Uint8Array.from(dnsPacket.encode({ type: 'query', id, questions: [{ name, type }] }));
}

function response(name: string, id = 7, fields: Partial<dnsPacket.Packet> = {}, type: dnsPacket.RecordType = 'A'): Uint8Array {
  return Uint8Array.from(dnsPacket.encode({ type: 'response', id, questions: [{ name, type }], ...fields }));
}

const a = (name: string, data: string): dnsPacket.Answer => ({ type: 'A', name, data, ttl: 60 });
const framed = (message: Uint8Array) => join(be16(message.length), message);

/** What became of each question so far. */
function outcomes({ inspector }: Inspection) {
  const { exchanges } = inspector;
  return Array.from({ length: exchanges.next }, (_, number) => {
    const place = number % exchanges.places;
    const text = Buffer.from(exchanges.text.subarray(512 * place + 1, 512 * place + (exchanges.nameBytes[place] as number)));
    return {
      name: text.toString('latin1').replaceAll(/[\0-\x1f]/g, '.'),
      transport: DNS_TRANSPORTS[exchanges.transport[place] as number],
      code: exchanges.code[place],
      took: exchanges.took[place],
      records: exchanges.records[place],
      tries: exchanges.tries[place],
    };
  });
}

const to = { dport: 53 };
const from = { dport: 53, back: true };

describe('an answer', () => {
  test('ends the question of its flow, id, name and type, with the time between them', () => {
    const inspection = new Inspection();
    inspection.udp(query('a.test', 1), { ...to, time: T0 });
    inspection.udp(query('B.test', 2), { ...to, time: T0 + 5 });
    inspection.udp(response('b.test', 2, { answers: [a('b.test', '192.0.2.1'), a('b.test', '192.0.2.2')] }), {
      ...from,
      time: T0 + 17.5,
    });
    inspection.udp(response('a.test', 1, { flags: 3 }), { ...from, time: T0 + 40 });
    expect(outcomes(inspection)).toMatchObject([
      { name: 'a.test', transport: 'udp', code: 3, took: 40, records: 0 },
      { name: 'b.test', transport: 'udp', code: 0, took: 12.5, records: 2 },
    ]);
    expect(inspection.inspector.exchanges.unasked).toBe(0);
  });

  test('of another id, name, type or flow ends nothing, and is counted', () => {
    const inspection = new Inspection();
    inspection.udp(query('a.test', 1), to);
    inspection.udp(response('a.test', 2), from);
    inspection.udp(response('b.test', 1), from);
    inspection.udp(response('a.test', 1, {}, 'AAAA'), from);
    inspection.udp(response('a.test', 1), { ...from, flow: 2 });
    expect(outcomes(inspection)).toMatchObject([{ code: WAITING }]);
    expect(inspection.inspector.exchanges.unasked).toBe(4);
  });

  test('comes once: a second one answers nothing', () => {
    const inspection = new Inspection();
    inspection.udp(query('a.test'), { ...to, time: T0 });
    inspection.udp(response('a.test', 7, { flags: 2 }), { ...from, time: T0 + 1 });
    inspection.udp(response('a.test', 7, { answers: [a('a.test', '192.0.2.66')] }), { ...from, time: T0 + 2 });
    expect(outcomes(inspection)).toMatchObject([{ code: 2, took: 1, records: 0 }]);
    expect(inspection.inspector.exchanges.unasked).toBe(1);
  });

  test('that repeats no question is matched by its id', () => {
    const inspection = new Inspection();
    inspection.udp(query('a.test'), { ...to, time: T0 });
    inspection.udp(response('a.test', 7, { questions: [], flags: 1, answers: [a('a.test', '192.0.2.1')] }), {
      ...from,
      time: T0 + 3,
    });
    expect(outcomes(inspection)).toMatchObject([{ code: 1, took: 3 }]);
  });

  test('is read over TCP, whole, split and several in a segment', () => {
    const inspection = new Inspection();
    const asked = framed(query('a.test', 1));
    inspection.tcp(asked.subarray(0, 2), { ...to, flow: 3, seq: 100, time: T0 });
    inspection.tcp(asked.subarray(2), { ...to, flow: 3, seq: 102, time: T0 + 1 });
    inspection.tcp(join(framed(query('b.test', 2)), framed(query('c.test', 3))), {
      ...to,
      flow: 3,
      seq: 100 + asked.length,
      time: T0 + 2,
    });
    const answers = join(
      framed(response('a.test', 1)),
      framed(response('b.test', 2)),
      framed(response('c.test', 3, { flags: 2 })),
    );
    inspection.tcp(answers.subarray(0, 45), { ...from, flow: 3, seq: 900, time: T0 + 10 });
    inspection.tcp(answers.subarray(45), { ...from, flow: 3, seq: 945, time: T0 + 12 });
    expect(outcomes(inspection)).toMatchObject([
      { name: 'a.test', transport: 'tcp', code: 0, took: 9 },
      { name: 'b.test', code: 0, took: 10 },
      { name: 'c.test', code: 2, took: 10 },
    ]);
  });
});

describe('a question', () => {
  test('sent again is a further try, and its time counts from the first', () => {
    const inspection = new Inspection();
    for (const time of [0, 1000, 3000]) inspection.udp(query('a.test'), { ...to, time: T0 + time });
    inspection.udp(response('a.test'), { ...from, time: T0 + 3020 });
    expect(outcomes(inspection)).toMatchObject([{ tries: 3, took: 3020 }]);
  });

  test('without an answer is given up, after its last try, or when another flow takes its number', () => {
    const inspection = new Inspection();
    inspection.udp(query('a.test', 1), { ...to, time: T0 });
    inspection.udp(query('a.test', 1), { ...to, time: T0 + 4000 });
    inspection.udp(query('b.test', 2), { ...to, flow: 2, time: T0 + 4000 });
    const { exchanges } = inspection.inspector;
    exchanges.giveUp(T0 + DNS_WAIT_MS);
    expect(outcomes(inspection)).toMatchObject([{ code: WAITING }, { code: WAITING }]);
    inspection.inspector.forget(2);
    expect(outcomes(inspection)).toMatchObject([{ code: WAITING }, { code: LOST }]);
    exchanges.giveUp(T0 + 4000 + DNS_WAIT_MS);
    expect(outcomes(inspection)).toMatchObject([{ code: LOST }, { code: LOST }]);
    inspection.udp(response('a.test', 1), from);
    inspection.udp(response('b.test', 2), { ...from, flow: 2 });
    expect(exchanges.unasked).toBe(2);
  });

  test('that begins at another port than 53, or is no standard query, is none', () => {
    const inspection = new Inspection();
    const update = query('a.test');
    update[2] = 0x28;
    inspection.udp(update, to);
    inspection.udp(query('a.test').subarray(0, 20), to);
    expect(outcomes(inspection)).toEqual([]);
  });
});

describe('a group', () => {
  const mdns = { sport: 5353, dport: 5353 };

  test('is asked by mDNS, and anyone answers', () => {
    const inspection = new Inspection();
    const asked = [
      { name: 'printer.local', type: 'A' },
      { name: '_ipp._tcp.local', type: 'PTR' },
      { name: 'mine.local', type: 'ANY' },
    ] as dnsPacket.Question[];
    inspection.udp(Uint8Array.from(dnsPacket.encode({ type: 'query', questions: asked })), { ...mdns, time: T0 });
    const answers: dnsPacket.Answer[] = [
      a('printer.local', '192.168.1.9'),
      { type: 'PTR', name: '_ipp._tcp.local', data: 'printer._ipp._tcp.local', ttl: 60 },
    ];
    const told = Uint8Array.from(dnsPacket.encode({ type: 'response', flags: 0x400, answers }));
    inspection.udp(told, { ...mdns, flow: 9, src: '192.168.1.9', time: T0 + 30 });
    inspection.udp(told, { ...mdns, flow: 8, src: '192.168.1.8', time: T0 + 40 });
    expect(outcomes(inspection)).toMatchObject([
      { name: 'printer.local', transport: 'mdns', took: 30, records: 1 },
      { name: '_ipp._tcp.local', transport: 'mdns', took: 30, records: 1 },
    ]);
  });

  test('is asked by LLMNR, and the answer comes to the asker alone', () => {
    const inspection = new Inspection();
    inspection.udp(query('nas', 4), { dport: 5355, time: T0 });
    inspection.udp(response('nas', 5, { answers: [a('nas', '192.168.1.9')] }), {
      dport: 5355,
      back: true,
      flow: 5,
      time: T0 + 8,
    });
    inspection.udp(response('nas', 4, { answers: [a('nas', '192.168.1.9')] }), {
      dport: 5355,
      back: true,
      flow: 6,
      time: T0 + 9,
    });
    expect(outcomes(inspection)).toMatchObject([{ name: 'nas', transport: 'llmnr', took: 9, records: 1 }]);
  });
});

describe('a flood', () => {
  test('of different questions leaves the newest, and answers still find theirs', () => {
    const inspection = new Inspection();
    const { exchanges } = inspection.inspector;
    const count = exchanges.places + 500;
    for (let i = 0; i < count; i++) inspection.udp(query(`n${i}.test`, i & 0xffff), { ...to, flow: i % 3, time: T0 });
    expect(exchanges.next).toBe(count);
    const last = count - 1;
    inspection.udp(response(`n${last}.test`, last & 0xffff), { ...from, flow: last % 3, time: T0 + 2 });
    inspection.udp(response('n7.test', 7), { ...from, flow: 1 });
    expect(exchanges.took[last % exchanges.places]).toBe(2);
    expect(exchanges.unasked).toBe(1);
  });

  test('of questions with one id does not make each further one dearer', () => {
    const inspection = new Inspection();
    for (let i = 0; i < 1000; i++) inspection.udp(query(`n${i}.test`, 1), { ...to, time: T0 });
    inspection.udp(response('n10.test', 1), { ...from, time: T0 + 2 });
    inspection.udp(response('n999.test', 1), { ...from, time: T0 + 2 });
    // Those beyond a bound wait without being looked for.
    expect(outcomes(inspection)[10]).toMatchObject({ took: 2 });
    expect(outcomes(inspection)[999]).toMatchObject({ code: WAITING });
  });
});

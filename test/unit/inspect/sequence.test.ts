// Data on a SYN (TCP Fast Open), and bytes before a hello.

import { describe, expect, test } from 'vitest';
import { TCP_FLAG } from '../../../src/net/numbers.ts';
import { join } from '../../support/frames.ts';
import { httpRequest, Inspection, tlsHello } from '../../support/payloads.ts';

const { SYN, PSH, ACK } = TCP_FLAG;
const LONG = tlsHello({ name: 'tfo.example', keyBytes: 1216 });

describe('data on a SYN', () => {
  test('a hello that goes on behind it', () => {
    const inspection = new Inspection();
    expect(inspection.tcp(LONG.subarray(0, 700), { seq: 1000, flags: SYN })).toBe(true);
    expect(inspection.tcp(LONG.subarray(700), { seq: 1701, flags: PSH | ACK })).toBe(false);
    expect(inspection.take()).toEqual(['1 tls tfo.example', '1 is https']);
  });

  test('a hello that the server did not take, sent once more', () => {
    const inspection = new Inspection();
    inspection.tcp(LONG.subarray(0, 700), { seq: -1, flags: SYN });
    inspection.tcp(LONG.subarray(0, 900), { seq: 0, flags: ACK });
    expect(inspection.tcp(LONG.subarray(900), { seq: 900, flags: PSH | ACK })).toBe(false);
    expect(inspection.take()).toEqual(['1 tls tfo.example', '1 is https']);
  });

  test('a request that goes on behind it', () => {
    const request = httpRequest('tfo.example', `/${'x'.repeat(900)}`);
    const inspection = new Inspection();
    inspection.tcp(request.subarray(0, 500), { seq: 1000, flags: SYN, dport: 80 });
    inspection.tcp(request.subarray(500), { seq: 1501, flags: PSH | ACK, dport: 80 });
    expect(inspection.take()).toEqual(['1 is http', '1 http tfo.example']);
  });

  test('a hello whose first part came last', () => {
    const inspection = new Inspection();
    inspection.tcp(LONG.subarray(700), { seq: 1701, flags: ACK });
    expect(inspection.tcp(LONG.subarray(0, 700), { seq: 1000, flags: SYN })).toBe(false);
    expect(inspection.take()).toEqual(['1 tls tfo.example', '1 is https']);
  });
});

describe('a preamble in front of a hello', () => {
  const line = 'PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n';

  test.each([[tlsHello({ name: 'behind.example' }).length], [200]])('in segments of %i bytes', (size) => {
    const hello = tlsHello({ name: 'behind.example' });
    const inspection = new Inspection();
    inspection.tcp(line, { seq: 1000 });
    for (let at = 0; at < hello.length; at += size)
      inspection.tcp(hello.subarray(at, at + size), { seq: 1000 + line.length + at });
    expect(inspection.take()).toEqual(['1 tls behind.example', '1 is https']);
    expect(inspection.inspector.waiting).toBe(0);
  });

  test('what only looks like one is kept as a piece', () => {
    const inspection = new Inspection();
    expect(inspection.tcp(join([1, 2, 3, 4], new Uint8Array(60)), { seq: 1000, dport: 9999 })).toBe(true);
    expect(inspection.tcp(join([0x16, 9, 9], new Uint8Array(60)), { seq: 1064, dport: 9999 })).toBe(true);
    expect(inspection.inspector.waiting).toBe(1);
    expect(inspection.take()).toEqual([]);
  });
});

// What is kept of how flows are spoken: by flow, not by row; bounded; times and resumption worked out from what inspection told.

import { describe, expect, test } from 'vitest';
import { Talks } from '../../../../src/identify/talk/talks.ts';
import type { TlsOffer } from '../../../../src/model/talk.ts';
import { Naming } from '../../../support/naming.ts';

const OFFER: TlsOffer = { over: 'tcp', version: 0x0304, protocols: ['h2'], ech: false, ja4: 't13d' };
const CHOICE = { version: 0x0304, cipher: 0x1301, protocol: null, isKeyed: false, isRetry: false, ja4s: 't13' };

describe('a handshake', () => {
  test('has the times between its messages', () => {
    const naming = new Naming();
    const talks = new Talks(naming.flows);
    const row = naming.open();
    talks.offered(row, OFFER, 0, 1000);
    expect(talks.of(row)?.tls).toMatchObject({ offer: OFFER, answer: null, answerMs: null, handshakeMs: null });
    talks.answered(row, CHOICE, 0, 1015);
    talks.secured(row, 1031.5);
    expect(talks.of(row)?.tls).toMatchObject({ answerMs: 15, handshakeMs: 31.5, answer: { resumed: false, retried: false } });
    expect(talks.of(row)).toBe(talks.of(row));
  });

  test('of a clock that was set back, or of a hello that was missed, has no times', () => {
    const naming = new Naming();
    const talks = new Talks(naming.flows);
    const [first, second] = [naming.open({ sport: 1 }), naming.open({ sport: 2 })];
    talks.offered(first, OFFER, 0, 1000);
    talks.answered(first, CHOICE, 0, 900);
    talks.answered(second, CHOICE, 0, 900);
    expect([talks.of(first)?.tls?.answerMs, talks.of(second)?.tls?.answerMs]).toEqual([null, null]);
  });

  test.each([
    [{ isKeyed: true }, 0, 0, true],
    [{ version: 0x0303 }, 77, 77, true],
    [{ version: 0x0303 }, 77, 78, false],
    [{ version: 0x0303 }, 0, 0, false],
    // TLS 1.3 repeats the client's session whatever it does.
    [{}, 77, 77, false],
  ])('that answers %o to session %i with %i resumes: %o', (choice, asked, answered, resumed) => {
    const naming = new Naming();
    const talks = new Talks(naming.flows);
    const row = naming.open();
    talks.offered(row, OFFER, asked, 1000);
    talks.answered(row, { ...CHOICE, ...choice }, answered, 1001);
    expect(talks.of(row)?.tls?.answer?.resumed).toBe(resumed);
  });

  test('whose server asks for a second hello is answered by the next one', () => {
    const naming = new Naming();
    const talks = new Talks(naming.flows);
    const row = naming.open();
    talks.offered(row, OFFER, 0, 1000);
    talks.answered(row, { ...CHOICE, isRetry: true }, 0, 1010);
    expect(talks.of(row)?.tls?.answer).toBeNull();
    talks.answered(row, CHOICE, 0, 1030);
    expect(talks.of(row)?.tls).toMatchObject({ answerMs: 30, answer: { retried: true } });
  });
});

test('a request has its answer, and an answer to nothing is nothing', () => {
  const naming = new Naming();
  const talks = new Talks(naming.flows);
  const row = naming.open({ dport: 80 });
  talks.responded(row, 200, 5);
  expect(talks.of(row)?.http).toBeNull();
  talks.requested(row, 'GET', 'a', 10);
  talks.responded(row, 404, 35);
  expect(talks.of(row)).toEqual({ tls: null, http: { method: 'GET', segment: 'a', status: 404, answerMs: 25 } });
});

test('another flow in the same row knows nothing of the one before', () => {
  const naming = new Naming();
  const talks = new Talks(naming.flows);
  const row = naming.open();
  talks.offered(row, OFFER, 0, 1);
  naming.flows.remove(row);
  const next = naming.open({ sport: 9 });
  expect(next).toBe(row);
  expect(talks.of(next)).toBeNull();
  talks.secured(next, 2);
  expect(talks.of(next)?.tls?.offer).toBeNull();
});

test('of more flows than are kept the newest are known', () => {
  const naming = new Naming({ maxRows: 64 });
  const talks = new Talks(naming.flows, 4);
  const rows = Array.from({ length: 10 }, (_, i) => naming.open({ sport: 1 + i }));
  for (const row of rows) talks.offered(row, OFFER, 0, 1);
  expect(rows.map((row) => talks.of(row) !== null)).toEqual([...Array(6).fill(false), ...Array(4).fill(true)]);
});

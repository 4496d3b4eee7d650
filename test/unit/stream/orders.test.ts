import { describe, expect, it } from 'vitest';
import { StreamFault } from '../../../src/stream/bytes.ts';
import { type Reply, replyIn, replyPayload } from '../../../src/stream/orders.ts';

const HERE = { shift: 0, prefix: 'mac1/' };
const QUERY = {
  from: 0,
  to: 1,
  by: 'app',
  app: null,
  domain: null,
  category: null,
  interface: null,
  filter: null,
  top: 1,
  steps: 1,
};
const TOTAL = { rxBytes: 1, txBytes: 1, rxPackets: 1, txPackets: 1, flows: 1 };
const ROW = { ...TOTAL, key: 'curl', reason: null, start: null, detail: null, firstSeen: 0, lastSeen: 0 };
const RESULT = { query: QUERY, rows: [ROW], total: TOTAL, series: null, oldest: 0, newest: 1, resolutionMs: 60_000, identity: 7 };

const rows = (result: object) => ({ type: 'history', id: 1, answer: { kind: 'rows', result } }) as unknown as Reply;
const read = (reply: Reply) => replyIn(replyPayload(reply), HERE);

describe('an answer from another machine', () => {
  it('comes through as it was sent', () => {
    expect(read(rows(RESULT))).toEqual(rows(RESULT));
  });

  it.each([
    ['oldest', { ...RESULT, oldest: 1e300 }],
    ['newest', { ...RESULT, newest: -8.65e15 }],
    ['a row', { ...RESULT, rows: [{ ...ROW, lastSeen: 9e15 }] }],
    ['a sum', { ...RESULT, total: { ...TOTAL, rxBytes: 1e300 } }],
    ['a series', { ...RESULT, series: { from: 9e15, stepMs: 1, rxBytes: [], txBytes: [] } }],
  ])('is refused with a time or number that is none: %s', (_, result) => {
    expect(() => read(rows(result))).toThrow(StreamFault);
  });

  it('is refused with a time that no Date can hold', () => {
    expect(() => read({ type: 'echo', id: 1, time: 1e300 })).toThrow(StreamFault);
  });
});

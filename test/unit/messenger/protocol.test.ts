// What the program and its messenger take from each other, and what they refuse.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertIn, answerIn, batchIn, LineReader, lineOf, metricsIn } from '../../../src/messenger/protocol.ts';
import { alertJson } from '../../support/alerts.ts';

describe('an alert', () => {
  it('arrives as it was sent', () => expect(alertIn(lineOf(alertJson()))).toEqual(alertJson()));

  it('arrives without what could control a terminal', () => {
    const line = lineOf(alertJson({ text: 'a\u001b[2Jb\u202ec', app: 'x\ny', details: ['\u0007'] }));
    expect(alertIn(line)).toMatchObject({ text: 'a[2Jbc', app: 'xy', details: [''] });
  });

  it.each([
    ['another type', { type: 'digest' }],
    ['another schema', { schema: 2 }],
    ['an id with a newline', { id: 'a\nb' }],
    ['an endless id', { id: 'a'.repeat(129) }],
    ['an unknown kind', { kind: 'gossip' }],
    ['an unknown severity', { severity: 'loud' }],
    ['a time that is none', { time: 'tomorrow' }],
    ['no text', { text: null }],
    ['details that are no texts', { details: [1] }],
    ['endless details', { details: Array.from({ length: 65 }, () => '') }],
  ])('is refused with %s', (_, more) => expect(alertIn(lineOf({ ...alertJson(), ...more }))).toBeNull());
});

const ENGINE = {
  engine: 'prometheus',
  to: '127.0.0.1:9464',
  acknowledged: null,
  sent: 2,
  waiting: 0,
  behindSince: 5,
  failure: 'why',
  refused: null,
  deleted: null,
  next: 9,
} as const;

describe('an answer', () => {
  it('arrives as it was sent', () => {
    const channels = [
      { channel: 'webhook', delivered: 1, waiting: 2, lost: 3, failure: 'ECONNREFUSED', hold: 'rate', next: 17 },
    ] as const;
    for (const answer of [
      { type: 'ready', user: 'ann', note: '' },
      { type: 'refused', reason: 'why' },
      { type: 'done', id: 'a1', channel: 'webhook', failure: null },
      { type: 'done', id: 'a1', channel: 'desktop', failure: 'no bus' },
      { type: 'status', note: 'full', channels },
      { type: 'engines', engines: [ENGINE] },
    ])
      expect(answerIn(lineOf(answer))).toEqual(answer);
  });

  it('says nothing beyond its form', () => {
    expect(answerIn(lineOf({ type: 'exec', path: '/bin/sh' }))).toBeNull();
    expect(answerIn(lineOf({ type: 'done', id: 7, channel: 'webhook' }))).toBeNull();
    expect(answerIn(lineOf({ type: 'done', id: 'a', channel: 'pigeon' }))).toBeNull();
    const channel = { channel: 'pigeon', delivered: 0, waiting: 0, lost: 0, failure: null };
    const negative = { channel: 'desktop', delivered: -1, waiting: 0, lost: 0, failure: null };
    expect(answerIn(lineOf({ type: 'status', note: '\u001b]0;x\u0007', channels: [channel, negative, 1] }))).toEqual({
      type: 'status',
      note: ']0;x',
      channels: [],
    });
  });
});

it('no line throws, whatever is in it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.object().map(JSON.stringify)), (line) => {
      alertIn(line);
      answerIn(line);
      metricsIn(line);
    }),
  );
});

describe('metrics', () => {
  const samples = [
    { metric: 'appBytes', labels: ['curl', 'receive'], value: 5 },
    { metric: 'appRoundTrip', labels: ['curl'], value: 0.5, count: 3 },
    { metric: 'connections', labels: [], value: 0 },
  ];
  const lineWith = (...some: unknown[]) => lineOf({ type: 'metrics', time: 17, samples: some });

  it('arrive as they were sent', () => expect(metricsIn(lineWith(...samples))).toEqual({ time: 17, samples }));

  it('arrive without what could control a terminal', () =>
    expect(metricsIn(lineWith({ ...samples[0], labels: ['a\u001b[2J', 'receive'] }))?.samples[0]?.labels).toEqual([
      'a[2J',
      'receive',
    ]));

  it.each([
    ['of another name', { metric: 'toString' }],
    ['with too few labels', { labels: ['curl'] }],
    ['with labels that are no texts', { labels: ['curl', 1] }],
    ['below zero', { value: -1 }],
    ['without a number', { value: '5' }],
  ])('are left out if they are %s', (_, more) =>
    expect(metricsIn(lineWith({ ...samples[0], ...more }, samples[2]))?.samples).toEqual([samples[2]]),
  );

  it.each([{ type: 'alert' }, { time: null }, { samples: null }, { samples: Array.from({ length: 4097 }, () => samples[2]) }])(
    'are refused as a whole if they are not metrics',
    (more) => expect(metricsIn(lineOf({ type: 'metrics', time: 17, samples, ...more }))).toBeNull(),
  );
});

describe('a batch for an engine', () => {
  const rows = { minutes: [{ app: 'curl' }], flows: [], alerts: [] };
  const sent = {
    type: 'batch',
    engine: 'clickhouse',
    token: 'a-1-2.0.0',
    hostId: 'feed',
    hostName: 'x\u001b[2J',
    until: 5,
    ...rows,
  };

  it('is taken as it is, with texts that can do no harm', () => {
    const { type: _, ...batch } = sent;
    expect(batchIn(lineOf(sent))).toEqual({ ...batch, hostName: 'x[2J' });
  });

  it.each([
    { type: 'alert' },
    { engine: 'toString' },
    { token: 'two words' },
    { token: 'x'.repeat(129) },
    { hostId: null },
    { until: -1 },
    { minutes: null },
    { minutes: [1] },
    { flows: Array.from({ length: 501 }, () => ({})) },
    { alerts: { length: 1 } },
  ])('that is none is refused: %j', (more) => expect(batchIn(lineOf({ ...sent, ...more }))).toBeNull());

  it('is answered with its token, and with a reason that can do no harm', () => {
    const answer = { engine: 'otlp', token: 'a-1', failure: 'down\u001b[2J', next: 7 } as const;
    expect(answerIn(lineOf({ type: 'held', ...answer }))).toEqual({ type: 'held', ...answer, failure: 'down[2J' });
    expect(answerIn(lineOf({ type: 'taken', ...answer }))).toEqual({
      type: 'taken',
      engine: 'otlp',
      token: 'a-1',
      refused: null,
    });
    const refused = { count: 2, why: 'too \u001bold' };
    expect(answerIn(lineOf({ type: 'taken', ...answer, refused }))).toMatchObject({ refused: { count: 2, why: 'too old' } });
    expect(answerIn(lineOf({ type: 'taken', ...answer, refused: { count: -1 } }))).toMatchObject({ refused: null });
    for (const more of [{ engine: 'x' }, { token: 5 }, { token: '' }])
      expect(answerIn(lineOf({ type: 'taken', ...answer, ...more }))).toBeNull();
  });
});

describe('lines', () => {
  it('come whole, however the stream is split', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 20 }).map((text) => text.replaceAll('\n', ' '))), fc.nat(7), (lines, step) => {
        const reader = new LineReader(100);
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const seen: string[] = [];
        for (let at = 0; at < bytes.length; at += step + 1)
          expect(reader.take(bytes.subarray(at, at + step + 1), (line) => seen.push(line))).toBe(true);
        expect(seen).toEqual(lines.map((line) => Buffer.from(line).toString()));
      }),
    );
  });

  it('end the stream when one is too long, with its end or without', () => {
    expect(new LineReader(4).take(Buffer.from('12345\n'), () => {})).toBe(false);
    expect(new LineReader(4).take(Buffer.from('12345'), () => {})).toBe(false);
    expect(new LineReader(4).take(Buffer.from('1234\n'), () => {})).toBe(true);
  });
});

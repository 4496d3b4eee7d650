// Streams of machines that were taken over: whatever they send is read, or refused in one way.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter, StreamFault } from '../../src/stream/bytes.ts';
import { StreamDecoder } from '../../src/stream/decoder.ts';
import { StreamEncoder } from '../../src/stream/encoder.ts';
import { busy } from '../support/snapshot-builder.ts';
import { HERE, STREAM_LIMITS, StreamEnd, streamOf } from '../support/stream.ts';

/** Runs what may refuse, and nothing else. */
function refusing(work: () => void): void {
  try {
    work();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(StreamFault);
  }
}

const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });

test('numbers and texts come back as they went', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: -(2 ** 50), max: 2 ** 50 }), fc.string({ unit: 'grapheme' }), fc.constant(null))),
      (values) => {
        const writer = new ByteWriter();
        for (const value of values) typeof value === 'number' ? writer.signed(value) : writer.text(value);
        const reader = new ByteReader(writer.take());
        for (const value of values) expect(typeof value === 'number' ? reader.signed() : reader.text(4096)).toBe(value);
        expect(reader.isAtEnd).toBe(true);
      },
    ),
  );
});

test('damaged frames', () => {
  const encoder = new StreamEncoder(STREAM_LIMITS);
  encoder.want(['questions', 'resolvers', 'encrypted', 'listeners']);
  const [schema, ...frames] = [encoder.schema(), ...[0, 1, 2].map((step) => encoder.frame(busy(30, step)))] as [
    Buffer,
    ...Buffer[],
  ];
  fc.assert(
    fc.property(fc.nat(2), damage, (which, changes) => {
      const decoder = new StreamDecoder(schema, HERE);
      refusing(() => {
        for (const [at, frame] of frames.entries()) {
          const bytes = Buffer.from(frame);
          if (at === which) for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
          decoder.frame(bytes);
        }
      });
      expect([...decoder.rows('flows')].length).toBeLessThanOrEqual(2000);
    }),
    { numRuns: 400 },
  );
});

test('damaged schemas', () => {
  const schema = new StreamEncoder(STREAM_LIMITS).schema();
  const frame = new StreamEncoder(STREAM_LIMITS).frame(busy(5, 0));
  fc.assert(
    fc.property(damage, (changes) => {
      const bytes = Buffer.from(schema);
      for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
      refusing(() => new StreamDecoder(bytes, HERE).frame(frame));
    }),
    { numRuns: 300 },
  );
});

test('damaged lines, in pieces', () => {
  const whole = Buffer.concat(streamOf([0, 1].map((step) => busy(10, step))));
  fc.assert(
    fc.property(damage, fc.integer({ min: 1, max: 3000 }), (changes, size) => {
      const bytes = Buffer.from(whole);
      for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
      const end = new StreamEnd();
      refusing(() => {
        for (let at = 0; at < bytes.length; at += size) end.take(bytes.subarray(at, at + size));
      });
    }),
    { numRuns: 200 },
  );
});

test('bytes of no meaning', () => {
  const schema = new StreamEncoder(STREAM_LIMITS).schema();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      refusing(() => new StreamDecoder(schema, HERE).frame(Buffer.from(bytes)));
      refusing(() => new StreamEnd().take(Buffer.from(bytes)));
    }),
  );
});

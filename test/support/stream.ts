// A stream between two ends, as bytes.

import type { Snapshot } from '../../src/model/snapshot.ts';
import { type ReadFrame, StreamDecoder } from '../../src/stream/decoder.ts';
import { StreamEncoder, type StreamLimits } from '../../src/stream/encoder.ts';
import { greeting, MESSAGE, MessageReader, MessageWriter } from '../../src/stream/messages.ts';
import type { Place } from '../../src/stream/shape.ts';

export const STREAM_LIMITS: StreamLimits = { flows: 200, branches: 400 };
export const HERE: Place = { shift: 0, prefix: '' };

/** What a machine sends: the greeting with the schema, then a chunk for each snapshot. */
export function streamOf(snapshots: readonly Snapshot[], encoder = new StreamEncoder(STREAM_LIMITS)): Buffer[] {
  const writer = new MessageWriter();
  return [
    Buffer.concat([Buffer.from(greeting('0.0.1', null)), writer.message(MESSAGE.SCHEMA, encoder.schema())]),
    ...snapshots.map((snapshot) => writer.message(MESSAGE.FRAME, encoder.frame(snapshot))),
  ];
}

/** Reads chunks. */
export class StreamEnd {
  readonly reader = new MessageReader();
  decoder: StreamDecoder | null = null;
  frames: ReadFrame[] = [];

  take(chunk: Buffer, place = HERE): void {
    this.reader.take(chunk, (type, payload) => {
      if (type === MESSAGE.SCHEMA) this.decoder = new StreamDecoder(payload, place);
      else if (type === MESSAGE.FRAME && this.decoder !== null) this.frames.push(this.decoder.frame(payload));
    });
  }
}

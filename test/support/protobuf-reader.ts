// Reads Protocol Buffers without knowing the message: fields in order, with their raw values.

/** A field: a number, or bytes. */
export interface RawField {
  readonly field: number;
  readonly value: bigint | number | Uint8Array;
}

/** All fields of a message. @throws Error if it is none */
export function fieldsOf(bytes: Uint8Array): RawField[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('the message ends early');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const fields: RawField[] = [];
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = tag >> 3;
    if ((tag & 7) === 0) fields.push({ field, value: varint() });
    else if ((tag & 7) === 1) {
      fields.push({ field, value: view.getFloat64(at, true) });
      at += 8;
    } else if ((tag & 7) === 2) {
      const length = Number(varint());
      if (at + length > bytes.length) throw new Error('a field is too long');
      fields.push({ field, value: bytes.subarray(at, at + length) });
      at += length;
    } else throw new Error(`no wire type of ours: ${tag & 7}`);
  }
  return fields;
}

/** The messages in a field. */
export function messagesIn(bytes: Uint8Array, field: number): Uint8Array[] {
  return fieldsOf(bytes).flatMap((one) => (one.field === field && one.value instanceof Uint8Array ? [one.value] : []));
}

/** The text in a field; empty if there is none. */
export function textIn(bytes: Uint8Array, field: number): string {
  return Buffer.from(messagesIn(bytes, field)[0] ?? []).toString();
}

/** A sample of a request of remote write. */
export interface WrittenSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly time: number;
}

/** All samples of a request of remote write. */
export function writtenSamples(request: Uint8Array): WrittenSample[] {
  return messagesIn(request, 1).flatMap((series) => {
    const labels = Object.fromEntries(messagesIn(series, 1).map((label) => [textIn(label, 1), textIn(label, 2)]));
    return messagesIn(series, 2).map((sample) => {
      const value = fieldsOf(sample).find(({ field }) => field === 1)?.value;
      const time = fieldsOf(sample).find(({ field }) => field === 2)?.value;
      return { labels, value: Number(value), time: Number(time) };
    });
  });
}

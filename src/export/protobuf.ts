// Writes Protocol Buffers: the few kinds of fields that engines' messages have (protobuf.dev/programming-guides/encoding). Of answers it reads numbers and bytes.

import { widened } from '../net/bytes.ts';

const WIRE = { VARINT: 0, FIXED64: 1, LENGTH: 2 } as const;

/** A message that grows. Messages inside are written in place; their length is put before them afterwards. */
export class ProtobufWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #encoder = new TextEncoder();

  /** The message so far; valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A message inside. */
  message(field: number, write: () => void): void {
    this.#tag(field, WIRE.LENGTH);
    const from = this.#length;
    write();
    const length = this.#length - from;
    const room = varintLength(length);
    this.#reserve(room);
    this.#bytes.copyWithin(from + room, from, this.#length);
    this.#length = from;
    this.#varint(length);
    this.#length += length;
  }

  text(field: number, value: string): void {
    this.#tag(field, WIRE.LENGTH);
    this.#reserve(5 + value.length * 3);
    const from = this.#length + varintLength(value.length * 3);
    const { written } = this.#encoder.encodeInto(value, this.#bytes.subarray(from));
    this.#varint(written);
    this.#bytes.copyWithin(this.#length, from, from + written);
    this.#length += written;
  }

  double(field: number, value: number): void {
    this.#tag(field, WIRE.FIXED64);
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** A 64-bit number of fixed length. */
  fixed64(field: number, value: bigint): void {
    this.#tag(field, WIRE.FIXED64);
    this.#reserve(8);
    this.#view.setBigUint64(this.#length, value, true);
    this.#length += 8;
  }

  /** An integer, a truth value or a choice. @param value a safe integer */
  integer(field: number, value: number): void {
    this.#tag(field, WIRE.VARINT);
    this.#varint(value);
  }

  #tag(field: number, wire: number): void {
    this.#varint(field * 8 + wire);
  }

  #varint(value: number): void {
    this.#reserve(10);
    if (value < 0) {
      this.#negative(value);
      return;
    }
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Ten bytes: 64 bits of the two's complement. */
  #negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 128n; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 127n) | 128;
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    this.#bytes = widened(this.#bytes, Math.max(this.#length + more, this.#bytes.length * 2));
    this.#view = new DataView(this.#bytes.buffer);
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Numbers and bytes of a short message by their field, of each field the last one; null if it is no message. Numbers from 2^53 on are left out. */
export function protobufFields(bytes: Uint8Array): Map<number, number | Uint8Array> | null {
  const fields = new Map<number, number | Uint8Array>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return Number.NaN; // it ends early
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    if (tag % 8 === WIRE.VARINT) {
      const value = varint();
      if (Number.isNaN(value)) return null;
      if (Number.isSafeInteger(value)) fields.set(field, value);
    } else if (tag % 8 === WIRE.LENGTH) {
      const length = varint();
      if (!(at + length <= bytes.length)) return null;
      fields.set(field, bytes.subarray(at, at + length));
      at += length;
    } else return null;
  }
  return fields;
}

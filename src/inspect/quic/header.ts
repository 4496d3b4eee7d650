// Reads QUIC's long headers (RFC 8999 section 5.1, RFC 9000 section 17.2), variable-length integers and Initial frames. It checks each length once.

import { u8, u16, u32 } from '../../net/bytes.ts';
import { QUIC_LONG } from '../../net/reading.ts';
import type { Reassembly } from '../reassembly.ts';

const LONGEST_ID = 20;

/** A long header; offsets are into the datagram. The next read overwrites it. */
export class LongHeader {
  version = 0;
  /** Bits 4 and 5 of the first byte. */
  type = 0;
  destinationFrom = 0;
  destinationLength = 0;
  /** Offset after the connection IDs. */
  after = 0;
}

/** Reads the fields that all versions share. @returns false for a short header or wrong lengths */
export function readLongHeader(bytes: Uint8Array, at: number, end: number, header: LongHeader): boolean {
  if (at + 7 > end || (u8(bytes, at) & QUIC_LONG) !== QUIC_LONG) return false;
  header.version = u32(bytes, at + 1);
  header.type = (u8(bytes, at) >>> 4) & 3;
  const destination = u8(bytes, at + 5);
  const source = at + 6 + destination;
  if (destination > LONGEST_ID || source >= end) return false;
  const after = source + 1 + u8(bytes, source);
  if (u8(bytes, source) > LONGEST_ID || after > end) return false;
  header.destinationFrom = at + 6;
  header.destinationLength = destination;
  header.after = after;
  return true;
}

/** A read position that advances. */
export class Cursor {
  at = 0;
  end = 0;

  /** Reads an integer of 1, 2, 4 or 8 bytes (RFC 9000 section 16). @returns -1 if it crosses the end */
  varint(bytes: Uint8Array): number {
    const { at, end } = this;
    if (at >= end) return -1;
    const first = u8(bytes, at);
    const size = 1 << (first >>> 6);
    if (at + size > end) return -1;
    this.at = at + size;
    if (size === 1) return first;
    if (size === 2) return u16(bytes, at) & 0x3fff;
    if (size === 4) return u32(bytes, at) & 0x3fffffff;
    return (u32(bytes, at) & 0x3fffffff) * 2 ** 32 + u32(bytes, at + 4);
  }
}

/**
 * Offset of the packet number behind a long header (RFC 9000 section 17.2).
 *
 * @param hasToken the packet is an Initial
 * @param cursor its end is at the packet's end afterwards
 * @returns -1 if a length is wrong
 */
export function payloadAt(bytes: Uint8Array, header: LongHeader, hasToken: boolean, end: number, cursor: Cursor): number {
  cursor.at = header.after;
  cursor.end = end;
  if (hasToken) {
    const token = cursor.varint(bytes);
    if (token < 0 || token > end - cursor.at) return -1;
    cursor.at += token;
  }
  const length = cursor.varint(bytes);
  if (length < 0 || length > end - cursor.at) return -1;
  cursor.end = cursor.at + length;
  return cursor.at;
}

// Frames of an Initial packet (RFC 9000 section 17.2.2).

const FRAME = { PADDING: 0, PING: 1, ACK: 2, ACK_ECN: 3, CRYPTO: 6, CLOSE: 0x1c } as const;
/** Chrome splits its hello into dozens of frames. */
const MAX_FRAMES = 256;
const MAX_ACK_RANGES = 64;

const cursor = new Cursor();

/**
 * Walks the frames and adds the handshake bytes, in any order, to `into`.
 *
 * @returns false if a frame is broken or not allowed in an Initial packet; the frames before it were taken
 */
export function takeCrypto(frames: Uint8Array, into: Reassembly): boolean {
  cursor.at = 0;
  cursor.end = frames.length;
  for (let count = 0; count < MAX_FRAMES; count++) {
    while (cursor.at < cursor.end && u8(frames, cursor.at) === FRAME.PADDING) cursor.at++;
    if (cursor.at >= cursor.end) return true;
    const type = u8(frames, cursor.at++);
    if (type === FRAME.CRYPTO) {
      const offset = cursor.varint(frames);
      const length = cursor.varint(frames);
      if (offset < 0 || length < 0 || length > cursor.end - cursor.at) return false;
      if (offset < into.bytes.length && !into.add(offset, frames, cursor.at, length)) return false;
      cursor.at += length;
    } else if (type === FRAME.ACK || type === FRAME.ACK_ECN) {
      if (!skipAck(frames, type === FRAME.ACK_ECN)) return false;
    } else if (type !== FRAME.PING) return type === FRAME.CLOSE;
  }
  return true;
}

/** Skips an acknowledgement: largest, delay, number of further ranges, first range, then two integers per range (section 19.3). */
function skipAck(frames: Uint8Array, congestion: boolean): boolean {
  cursor.varint(frames);
  cursor.varint(frames);
  const ranges = cursor.varint(frames);
  if (ranges < 0 || ranges > MAX_ACK_RANGES) return false;
  let last = cursor.varint(frames);
  for (let i = ranges * 2 + (congestion ? 3 : 0); i > 0 && last >= 0; i--) last = cursor.varint(frames);
  return last >= 0;
}

// Long headers of QUIC (RFC 8999 section 5.1, RFC 9000 section 17.2) and its numbers of variable length. Lengths are checked here, once.

import { u8, u16, u32 } from '../../net/bytes.ts';
import { QUIC_LONG } from '../../net/reading.ts';

const LONGEST_ID = 20;

/** A long header; offsets into the datagram. Overwritten by the next. */
export class LongHeader {
  version = 0;
  /** Bits 4 and 5 of the first byte. */
  type = 0;
  destinationFrom = 0;
  destinationLength = 0;
  /** Behind the connection IDs. */
  after = 0;
}

/** Reads what all versions have in common. @returns false for a short header, and for lengths that lie */
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

/** A place that is read from and moved on. */
export class Cursor {
  at = 0;
  end = 0;

  /** Reads a number of 1, 2, 4 or 8 bytes (RFC 9000 section 16). @returns -1 when it crosses the end */
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

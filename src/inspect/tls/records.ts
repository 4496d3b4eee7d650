// Reads TLS's record layer around a ClientHello (RFC 8446 section 5.1): usually one record, sometimes several.

import { u8, u16 } from '../../net/bytes.ts';
import { TLS_HANDSHAKE as HANDSHAKE, LONGEST_HELLO } from '../../net/reading.ts';

/** A record's header has type, version and length (RFC 8446 section 5.1); a handshake message's, type and length (section 4). */
export const RECORD_HEADER_BYTES = 5;
export const HANDSHAKE_HEADER_BYTES = 4;
/** Types of records besides handshake messages. */
export const RECORD = { CHANGE_CIPHER: 0x14, ALERT: 0x15, APPLICATION_DATA: 0x17 } as const;
const { CHANGE_CIPHER, APPLICATION_DATA } = RECORD;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const LONGEST_RECORD = 16_384;
/** How much longer an encrypted record may be (RFC 5246 section 6.2.3). */
const LONGEST_EXPANSION = 2048;

/** Whether the available bytes can begin a ClientHello. The caller has checked that there is one byte. */
export function startsHello(bytes: Uint8Array, at: number, end: number): boolean {
  if (u8(bytes, at) !== HANDSHAKE) return false;
  if (at + 1 < end && u8(bytes, at + 1) !== 3) return false;
  if (at + 2 < end && u8(bytes, at + 2) > 4) return false;
  if (at + 4 < end) {
    const length = u16(bytes, at + 3);
    if (length === 0 || length > LONGEST_RECORD) return false;
  }
  if (at + 5 < end && u8(bytes, at + 5) !== CLIENT_HELLO) return false;
  return at + 8 >= end || handshakeLength(bytes, at + 5) <= LONGEST_HELLO;
}

/** Whether the available bytes begin a ServerHello. */
export function startsServerHello(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + RECORD_HEADER_BYTES + HANDSHAKE_HEADER_BYTES > end) return false;
  if (u8(bytes, at) !== HANDSHAKE || u8(bytes, at + 1) !== 3 || u8(bytes, at + 2) > 4) return false;
  return u8(bytes, at + 5) === SERVER_HELLO && handshakeLength(bytes, at + 5) <= LONGEST_HELLO;
}

/** Length of the handshake message at `at`, without its header. */
export function handshakeLength(bytes: Uint8Array, at: number): number {
  return (u8(bytes, at + 1) << 16) | u16(bytes, at + 2);
}

/** Whether the bytes look like a record in mid-connection: encrypted data, an alert, a handshake message other than ClientHello. */
export function looksLikeRecord(bytes: Uint8Array, at: number, end: number, wireEnd: number): boolean {
  if (at + RECORD_HEADER_BYTES >= end) return false;
  const type = u8(bytes, at);
  const length = u16(bytes, at + 3);
  if (type < CHANGE_CIPHER || type > APPLICATION_DATA || u8(bytes, at + 1) !== 3) return false;
  if (u8(bytes, at + 2) > 4 || length === 0 || length > LONGEST_RECORD + LONGEST_EXPANSION) return false;
  const next = at + RECORD_HEADER_BYTES + length;
  if (type === APPLICATION_DATA ? length < 17 : next > wireEnd) return false;
  if (next + 3 <= end)
    return u8(bytes, next) >= CHANGE_CIPHER && u8(bytes, next) <= APPLICATION_DATA && u8(bytes, next + 1) === 3;
  return next === wireEnd || type === APPLICATION_DATA;
}

/**
 * Copies a stream's first handshake message to `into`, without record headers.
 *
 * @returns bytes written; -1 if another kind of record comes before the hello is complete
 */
export function unwrapRecords(bytes: Uint8Array, end: number, into: Uint8Array): number {
  let at = 0;
  let length = 0;
  while (at + RECORD_HEADER_BYTES <= end) {
    if (length >= HANDSHAKE_HEADER_BYTES && length >= HANDSHAKE_HEADER_BYTES + handshakeLength(into, 0)) return length;
    const size = u16(bytes, at + 3);
    if (u8(bytes, at) !== HANDSHAKE || u8(bytes, at + 1) !== 3 || size === 0 || size > LONGEST_RECORD) return -1;
    const from = at + RECORD_HEADER_BYTES;
    const taken = Math.min(size, end - from, into.length - length);
    for (let i = 0; i < taken; i++) into[length + i] = bytes[from + i] as number;
    length += taken;
    if (taken < size) return length;
    at = from + size;
  }
  return length;
}

/** The handshake messages of one end. */
export class Messages {
  /** Bytes copied. */
  length = 0;
  /** A record of another kind follows: there are no more. */
  isOver = false;

  /** Copies the handshake messages at a stream's beginning to `into`, without record headers. */
  unwrap(bytes: Uint8Array, from: number, end: number, into: Uint8Array): void {
    this.length = 0;
    this.isOver = false;
    for (let at = from; at + RECORD_HEADER_BYTES <= end; ) {
      this.isOver = u8(bytes, at) !== HANDSHAKE || u8(bytes, at + 1) !== 3;
      if (this.isOver) return;
      const body = at + RECORD_HEADER_BYTES;
      const next = body + u16(bytes, at + 3);
      const taken = Math.min(next, end, body + into.length - this.length);
      for (let i = body; i < taken; i++) into[this.length++] = bytes[i] as number;
      if (taken < next) return;
      at = next;
    }
  }
}

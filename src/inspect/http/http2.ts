// Reads HTTP/2 without TLS (RFC 9113 section 3.3): the preface, then frames up to the first header block.

import { u8, u16 } from '../../net/bytes.ts';
import { REQUEST, type RequestStatus } from './request.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const FRAME_HEADER_BYTES = 9;
const HEADERS = 1;
const FLAG_PADDED = 0x08;
const FLAG_PRIORITY = 0x20;
const MAX_FRAMES = 16;

/** The authority of a first request. The next read overwrites it. */
export class Authority {
  readonly bytes = new Uint8Array(256);
  /** -1 if there is none. */
  length = -1;
}

/** Whether the bytes are the preface, or at least its first 4 bytes. */
export function startsPreface(bytes: Uint8Array, at: number, end: number): boolean {
  const to = Math.min(end - at, PREFACE.length);
  for (let i = 0; i < to; i++) if (bytes[at + i] !== PREFACE[i]) return false;
  return to >= 4;
}

/** Reads the first request after the preface. */
export function readFirstRequest(bytes: Uint8Array, from: number, end: number, authority: Authority): RequestStatus {
  authority.length = -1;
  if (end - from < PREFACE.length) return REQUEST.CUT;
  let at = from + PREFACE.length;
  for (let frame = 0; frame < MAX_FRAMES; frame++) {
    if (at + FRAME_HEADER_BYTES > end) return REQUEST.CUT;
    const length = (u8(bytes, at) << 16) | u16(bytes, at + 1);
    const type = u8(bytes, at + 3);
    const flags = u8(bytes, at + 4);
    const body = at + FRAME_HEADER_BYTES;
    if (type === HEADERS) {
      const to = Math.min(end, body + length);
      const padding = (flags & FLAG_PADDED) !== 0 && body < to ? u8(bytes, body) : 0;
      const block = body + ((flags & FLAG_PADDED) !== 0 ? 1 : 0) + ((flags & FLAG_PRIORITY) !== 0 ? 5 : 0);
      authority.length = readAuthority(bytes, block, to - padding, authority.bytes);
      return authority.length >= 0 || body + length <= end ? REQUEST.COMPLETE : REQUEST.CUT;
    }
    at = body + length;
  }
  return REQUEST.COMPLETE;
}

// Just enough of HPACK (RFC 7541) to find the authority in a connection's first header block, when its dynamic table is still empty.

/** Indices of `:authority` and `host` in the static table. A request converted from HTTP/1 may have only the latter (RFC 9113 section 8.3.1). */
const AUTHORITY = 1;
const HOST = 38;
const LONGEST_NAME = 255;
/**
 * Characters whose Huffman codes have 5, 6 and 7 bits, in the order of their codes (appendix B). Characters with longer codes don't occur in host
 * names.
 */
const FIVE = '012aceiost';
const SIX = ' %-./3456789=A_bdfghlmnpru';
const SEVEN = ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz';
/** First codes of these lengths. */
const FIRST = { FIVE: 0, SIX: 20, SEVEN: 92 } as const;

/** Result of `readNumber`: an integer, and the offset after it. */
const number = { value: 0, after: -1 };

/** Reads an integer with a prefix of `bits` bits (section 5.1). @returns false if it crosses the end or is too large to be a length here */
function readNumber(bytes: Uint8Array, at: number, end: number, bits: number): boolean {
  if (at >= end) return false;
  const prefix = (1 << bits) - 1;
  number.value = u8(bytes, at) & prefix;
  number.after = at + 1;
  if (number.value < prefix) return true;
  for (let shift = 0, i = at + 1; i < end && shift <= 21; shift += 7, i++) {
    number.value += (u8(bytes, i) & 0x7f) << shift;
    number.after = i + 1;
    if (u8(bytes, i) < 0x80) return true;
  }
  return false;
}

/**
 * Finds the authority in a header block.
 *
 * @param into receives its characters, at most 255
 * @returns their number; -1 if there is no authority
 */
function readAuthority(bytes: Uint8Array, from: number, end: number, into: Uint8Array): number {
  let at = from;
  while (at < end) {
    const first = u8(bytes, at);
    const literal = first >= 0x80 || (first & 0xe0) === 0x20 ? 0 : (first & 0xc0) === 0x40 ? 6 : 4;
    if (!readNumber(bytes, at, end, literal === 0 ? (first >= 0x80 ? 7 : 5) : literal)) return -1;
    at = number.after;
    if (literal === 0) continue;
    const index = number.value;
    if (index === AUTHORITY || index === HOST) return readString(bytes, at, end, into);
    if (index === 0) at = skipString(bytes, at, end); // a literal name
    if (at >= 0) at = skipString(bytes, at, end);
    if (at < 0) return -1;
  }
  return -1;
}

function skipString(bytes: Uint8Array, at: number, end: number): number {
  if (!readNumber(bytes, at, end, 7)) return -1;
  const after = number.after + number.value;
  return after <= end ? after : -1;
}

function readString(bytes: Uint8Array, at: number, end: number, into: Uint8Array): number {
  if (!readNumber(bytes, at, end, 7)) return -1;
  const from = number.after;
  const to = from + number.value;
  if (to > end || number.value > LONGEST_NAME) return -1;
  if (u8(bytes, at) >= 0x80) return readHuffman(bytes, from, to, into);
  for (let i = from; i < to; i++) into[i - from] = u8(bytes, i);
  return to - from;
}

function readHuffman(bytes: Uint8Array, from: number, to: number, into: Uint8Array): number {
  let length = 0;
  let held = 0;
  let bits = 0;
  for (let i = from; i < to || bits >= 5; ) {
    while (bits < 7 && i < to) {
      held = ((held << 8) | u8(bytes, i++)) & 0xffff;
      bits += 8;
    }
    if (bits < 5) break;
    const seven = (bits >= 7 ? held >>> (bits - 7) : (held << (7 - bits)) | ((1 << (7 - bits)) - 1)) & 0x7f;
    let used = 7;
    let letter = SEVEN.charCodeAt(seven - FIRST.SEVEN);
    if (seven >>> 2 < FIVE.length) {
      used = 5;
      letter = FIVE.charCodeAt(seven >>> 2);
    } else if (seven >>> 1 < FIRST.SIX + SIX.length) {
      used = 6;
      letter = SIX.charCodeAt((seven >>> 1) - FIRST.SIX);
    } else if (seven >= FIRST.SEVEN + SEVEN.length) {
      // Ones pad the end. Anywhere else they begin a longer code.
      return i >= to && bits < 8 && seven === 0x7f ? length : -1;
    }
    if (used > bits) break;
    if (length === LONGEST_NAME) return -1;
    into[length++] = letter;
    bits -= used;
  }
  return length;
}

// HTTP/2 without TLS (RFC 9113 section 3.3): the preface, then frames until the first block of headers.

import { u8, u16 } from '../../net/bytes.ts';
import { readAuthority } from './hpack.ts';
import { REQUEST, type RequestStatus } from './request.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const FRAME_HEADER_BYTES = 9;
const HEADERS = 1;
const FLAG_PADDED = 0x08;
const FLAG_PRIORITY = 0x20;
const MOST_FRAMES = 16;

/** The authority of a first request. Overwritten by the next. */
export class Authority {
  readonly bytes = new Uint8Array(256);
  /** -1 where there is none. */
  length = -1;
}

/** True when the bytes are the preface, or its beginning of at least 4 bytes. */
export function startsPreface(bytes: Uint8Array, at: number, end: number): boolean {
  const to = Math.min(end - at, PREFACE.length);
  for (let i = 0; i < to; i++) if (bytes[at + i] !== PREFACE[i]) return false;
  return to >= 4;
}

/** Looks for the first request behind the preface. */
export function readFirstRequest(bytes: Uint8Array, from: number, end: number, authority: Authority): RequestStatus {
  authority.length = -1;
  if (end - from < PREFACE.length) return REQUEST.CUT;
  let at = from + PREFACE.length;
  for (let frame = 0; frame < MOST_FRAMES; frame++) {
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

// Reads Google's pre-standard QUIC (Q039 to Q046), whose hello is in clear text: a CHLO message of tags and values.

import { i32, u8, u16le, u32, u32le } from '../../net/bytes.ts';
import { GOOGLE_QUIC, QUIC_LONG } from '../../net/reading.ts';

const CHLO = 0x43484c4f;
const SNI = 0x534e4900;
/** Latest offset of the message: headers, hash and stream frame before it are shorter. */
const LATEST_START = 64;
const MAX_TAGS = 64;

/** Offsets of the name; -1 if there is none. The next read overwrites it. */
export class GoogleHello {
  nameFrom = -1;
  nameTo = -1;
}

/** Whether the datagram begins like a client's packet of these versions. */
export function looksLikeGoogleQuic(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + 14 > end) return false;
  const first = u8(bytes, at);
  if ((first & QUIC_LONG) === QUIC_LONG) return isGoogleVersion(u32(bytes, at + 1));
  // A public header with a version and an 8-byte connection ID.
  return (first & GOOGLE_QUIC.mask) === GOOGLE_QUIC.value && isGoogleVersion(u32(bytes, at + GOOGLE_QUIC.versionAt));
}

/** Q0 and two digits, 39 to 46. */
function isGoogleVersion(version: number): boolean {
  return version === 0x51303339 || (version >= 0x51303430 && version <= 0x51303436);
}

/** Finds the name in a datagram. @returns whether it contains a hello, with or without a name */
export function readGoogleHello(bytes: Uint8Array, at: number, end: number, hello: GoogleHello): boolean {
  hello.nameFrom = -1;
  hello.nameTo = -1;
  const latest = Math.min(end - 8, at + LATEST_START);
  let from = at + 13;
  while (from < latest && i32(bytes, from) !== CHLO) from++;
  if (from >= latest) return false;
  const tags = u16le(bytes, from + 4);
  const values = from + 8 + tags * 8;
  if (tags === 0 || tags > MAX_TAGS || values > end) return false;
  let start = 0;
  for (let i = 0; i < tags; i++) {
    const tag = from + 8 + i * 8;
    const stop = u32le(bytes, tag + 4);
    if (stop < start || stop > end - values) return u32(bytes, tag) !== SNI;
    if (u32(bytes, tag) === SNI) {
      hello.nameFrom = values + start;
      hello.nameTo = values + stop;
      return true;
    }
    start = stop;
  }
  return true;
}

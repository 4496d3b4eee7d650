// Bytes that protocols begin with, and the walk that compares them.

import { u8 } from '../net/bytes.ts';

/** Bytes of a text of one byte a character. */
export function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** True when all bytes of `signature` stand at `at`. */
export function startsWith(bytes: Uint8Array, at: number, end: number, signature: Uint8Array): boolean {
  const { length } = signature;
  if (at + length > end) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== signature[i]) return false;
  return true;
}

/** True when the bytes of one of `signatures` stand at `at`. */
export function startsWithAny(bytes: Uint8Array, at: number, end: number, signatures: readonly Uint8Array[]): boolean {
  for (const signature of signatures) if (startsWith(bytes, at, end, signature)) return true;
  return false;
}

/** True when `signature`, upper case, stands somewhere before `end`, in either case. */
export function contains(bytes: Uint8Array, at: number, end: number, signature: Uint8Array): boolean {
  const { length } = signature;
  for (let from = at; from + length <= end; from++) {
    let i = 0;
    while (i < length && (u8(bytes, from + i) & 0xdf) === signature[i]) i++;
    if (i === length) return true;
  }
  return false;
}

/** True when the first bytes, 16 at the most, are printable or line ends: a line of text, not a number that begins like one. */
export function isText(bytes: Uint8Array, at: number, end: number): boolean {
  const to = Math.min(end, at + 16);
  for (let i = at; i < to; i++) {
    const byte = u8(bytes, i);
    if ((byte < 0x20 || byte > 0x7e) && byte !== 0x0d && byte !== 0x0a) return false;
  }
  return true;
}

// Compares payloads with the bytes that protocols begin with.

import { i32, u8, u32 } from '../net/bytes.ts';

/** The bytes of a Latin-1 string. */
export function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Whether the bytes at `at` begin with `signature`. */
export function startsWith(bytes: Uint8Array, at: number, end: number, signature: Uint8Array): boolean {
  const { length } = signature;
  if (at + length > end) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== signature[i]) return false;
  return true;
}

/** Whether the bytes at `at` begin with one of `signatures`. */
export function startsWithAny(bytes: Uint8Array, at: number, end: number, signatures: readonly Uint8Array[]): boolean {
  for (const signature of signatures) if (startsWith(bytes, at, end, signature)) return true;
  return false;
}

/** Whether the range contains `signature`, which is upper case, in any case. */
export function contains(bytes: Uint8Array, at: number, end: number, signature: Uint8Array): boolean {
  const { length } = signature;
  for (let from = at; from + length <= end; from++) {
    let i = 0;
    while (i < length && (u8(bytes, from + i) & 0xdf) === signature[i]) i++;
    if (i === length) return true;
  }
  return false;
}

/** Whether the first 16 bytes are printable or line ends: text, not binary that begins like text. */
export function isText(bytes: Uint8Array, at: number, end: number): boolean {
  const to = Math.min(end, at + 16);
  for (let i = at; i < to; i++) {
    const byte = u8(bytes, i);
    if ((byte < 0x20 || byte > 0x7e) && byte !== 0x0d && byte !== 0x0a) return false;
  }
  return true;
}

/** P_CONTROL_HARD_RESET_CLIENT_V2 and V3, with key 0. */
const RESETS = [0x38, 0x50];
const PLAIN_BYTES = 14;
/** Lengths of the digest between session id and packet id: none (tls-crypt), SHA-1, SHA-256, SHA-512. */
const DIGESTS = [0, 20, 32, 64];
const DAY_SECONDS = 86_400;

/** Whether a packet of `length` bytes opens an OpenVPN session, plain or wrapped with tls-auth or tls-crypt. @param time of the packet, epoch ms */
export function isOpenvpnReset(bytes: Uint8Array, at: number, end: number, length: number, time: number): boolean {
  if (end - at < PLAIN_BYTES || !RESETS.includes(u8(bytes, at))) return false;
  if (length === PLAIN_BYTES) return u8(bytes, at + 9) === 0 && i32(bytes, at + 10) === 0;
  // Wrapped: packet id 1, then the sender's clock.
  for (const digest of DIGESTS) {
    const number = at + 9 + digest;
    if (number + 8 > end) return false;
    if (i32(bytes, number) === 1 && Math.abs(u32(bytes, number + 4) - time / 1000) < DAY_SECONDS) return true;
  }
  return false;
}

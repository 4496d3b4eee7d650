// The packet that opens an OpenVPN session, plain or wrapped with tls-auth or tls-crypt.

import { i32, u8, u32 } from '../net/bytes.ts';

/** P_CONTROL_HARD_RESET_CLIENT_V2 and V3 with key 0. */
const RESETS = [0x38, 0x50];
const PLAIN_BYTES = 14;
/** Bytes of the digest between session and packet number: none (tls-crypt), SHA-1, SHA-256, SHA-512. */
const DIGESTS = [0, 20, 32, 64];
const DAY_SECONDS = 86_400;

/** True for such a packet of `length` bytes. @param time epoch milliseconds of the packet */
export function isOpenvpnReset(bytes: Uint8Array, at: number, end: number, length: number, time: number): boolean {
  if (end - at < PLAIN_BYTES || !RESETS.includes(u8(bytes, at))) return false;
  if (length === PLAIN_BYTES) return u8(bytes, at + 9) === 0 && i32(bytes, at + 10) === 0;
  // Wrapped: the packet's number, which is 1, and the sender's clock.
  for (const digest of DIGESTS) {
    const number = at + 9 + digest;
    if (number + 8 > end) return false;
    if (i32(bytes, number) === 1 && Math.abs(u32(bytes, number + 4) - time / 1000) < DAY_SECONDS) return true;
  }
  return false;
}

// Tunnels over UDP, told from their first bytes. Only recognised: nothing inside is decoded.

import { u8, u16 } from '../net/bytes.ts';

/** Port that VXLAN is sent to (RFC 7348 section 5). */
export const VXLAN_PORT = 4789;
const VXLAN_BYTES = 8;
const INNER_ETHERNET_BYTES = 14;
const VXLAN_VALID = 0x08;

/** True for a VXLAN header with an Ethernet frame behind it; all other bits are to be ignored (RFC 7348 section 5). The caller proved 8 bytes. */
export function isVxlan(bytes: Uint8Array, at: number, payloadBytes: number): boolean {
  return (u8(bytes, at) & VXLAN_VALID) !== 0 && payloadBytes >= VXLAN_BYTES + INNER_ETHERNET_BYTES;
}

/**
 * True for a WireGuard message (whitepaper section 5.4): a type of 1 to 4, three zero bytes, and the one length of its type.
 *
 * Data is padded to 16 bytes behind a header of 16 and a tag of 16; its counter never reaches the upper two of eight bytes.
 * The caller proved 8 bytes. @param payloadBytes length on the wire
 */
export function isWireguard(bytes: Uint8Array, at: number, payloadBytes: number, captured: number): boolean {
  if (u8(bytes, at + 1) !== 0 || u16(bytes, at + 2) !== 0) return false;
  switch (u8(bytes, at)) {
    case 1:
      return payloadBytes === 148;
    case 2:
      return payloadBytes === 92;
    case 3:
      return payloadBytes === 64;
    case 4:
      return payloadBytes >= 32 && (payloadBytes & 15) === 0 && captured >= 16 && u16(bytes, at + 14) === 0;
    default:
      return false;
  }
}

// Tunnels over UDP, told from their first bytes. Only recognised: what is inside is read in inspect/tunnels.ts, of the first packets of a flow.

import { u8, u16 } from '../net/bytes.ts';
import { ETHERTYPE } from '../net/numbers.ts';
import { TUNNEL_PORT } from '../net/reading.ts';
import { type Packet, TUNNEL, type Tunnel } from './packet.ts';

const HEADER_BYTES = 8;
const INNER_ETHERNET_BYTES = 14;
const INNER_IP_BYTES = 20;
const VXLAN_VALID = 0x08;
const ETHERNET_INSIDE = 0x6558;
/** Version 1 of GTP, the protocol and not its charging sibling. */
const GTP_VERSION_1 = 0x30;
const GTP_DATA = 0xff;
/** What a Teredo datagram begins with besides IPv6: an origin, or an authentication (RFC 4380 section 5.1.1). */
const TEREDO_INDICATORS = [0, 1];

/** TUNNEL of a datagram to one of TUNNEL_PORT, where its first bytes are of that; the caller proved 8 of them. */
export function tunnelOver(bytes: Uint8Array, at: number, packet: Packet): Tunnel {
  const first = u8(bytes, at);
  const inner = packet.payloadBytes - HEADER_BYTES;
  switch (packet.destinationPort) {
    case TUNNEL_PORT.VXLAN:
      // All other bits are to be ignored (RFC 7348 section 5).
      return (first & VXLAN_VALID) !== 0 && inner >= INNER_ETHERNET_BYTES ? TUNNEL.VXLAN : TUNNEL.NONE;
    case TUNNEL_PORT.GENEVE:
      return first >>> 6 === 0 && isInside(u16(bytes, at + 2)) && inner >= INNER_ETHERNET_BYTES ? TUNNEL.GENEVE : TUNNEL.NONE;
    case TUNNEL_PORT.GTP_U:
      return (first & 0xf0) === GTP_VERSION_1 &&
        u8(bytes, at + 1) === GTP_DATA &&
        u16(bytes, at + 2) === inner &&
        inner >= INNER_IP_BYTES
        ? TUNNEL.GTP_U
        : TUNNEL.NONE;
    default:
      return first >>> 4 === 6 || TEREDO_INDICATORS.includes(u16(bytes, at)) ? TUNNEL.TEREDO : TUNNEL.NONE;
  }
}

function isInside(type: number): boolean {
  return type === ETHERNET_INSIDE || type === ETHERTYPE.IPV4 || type === ETHERTYPE.IPV6;
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

// PPP frames, and PPPoE sessions that carry them. Link control is not decoded.

import { u8, u16 } from '../net/bytes.ts';
import { ETHERTYPE } from '../net/numbers.ts';
import { readIpv4 } from './ipv4.ts';
import { readIpv6 } from './ipv6.ts';
import { readMpls } from './mpls.ts';
import { LAYER, type Packet, refuse, STATUS, type Status, stop, UNREAD } from './packet.ts';

/** PPP protocol numbers (IANA). */
const PPP_IPV4 = 0x21;
const PPP_IPV6 = 0x57;
const PPP_MPLS = 0x281;
const PPPOE_BYTES = 6;
const PPPOE_VERSION_TYPE = 0x11;

/** Reads a PPP frame, with or without the address and control bytes ff 03 (RFC 1662 section 3.1). */
export function readPpp(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  let position = at;
  if (position + 2 <= end && u16(bytes, position) === 0xff03) position += 2;
  if (position >= end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  let protocol = u8(bytes, position++);
  // RFC 1661 section 6.5: only the last byte of a protocol number is odd, and a leading zero may be left out.
  if ((protocol & 1) === 0) {
    if (position >= end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
    protocol = (protocol << 8) | u8(bytes, position++);
  }
  if (protocol === PPP_IPV4) return readIpv4(bytes, position, end, wireEnd, packet);
  if (protocol === PPP_IPV6) return readIpv6(bytes, position, end, wireEnd, packet);
  if (protocol === PPP_MPLS) return readMpls(bytes, position, end, wireEnd, packet);
  return refuse(packet, UNREAD.PPP, protocol);
}

/** Reads a PPPoE session frame (RFC 2516 section 4). Its length is not needed: the IP length inside says the same. */
export function readPppoe(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  if (at + PPPOE_BYTES > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  if (u8(bytes, at) !== PPPOE_VERSION_TYPE) return stop(packet, LAYER.LINK, STATUS.MALFORMED);
  if (u8(bytes, at + 1) !== 0) return refuse(packet, UNREAD.ETHERTYPE, ETHERTYPE.PPPOE_DISCOVERY);
  return readPpp(bytes, at + PPPOE_BYTES, end, wireEnd, packet);
}

// Dispatches by EtherType, for Ethernet, cooked, 802.11 and SNAP headers: tags, headers that wrap one frame in another, MPLS, PPP and PPPoE, ARP.
// It counts encrypted frames as such. It doesn't decode pseudowires (Ethernet under an MPLS label) and PPP link control.

import { V4_MAPPED } from '../net/address.ts';
import { i32, u8, u16 } from '../net/bytes.ts';
import { ETHERTYPE, PROTOCOL } from '../net/numbers.ts';
import { readIpv4 } from './ipv4.ts';
import { readIpv6 } from './ipv6.ts';
import { complete, LAYER, type Packet, refuse, STATUS, type Status, stop, UNREAD } from './packet.ts';

/** Most tags and further headers in one frame; hardware stacks only a few. */
const MAX_DEPTH = 8;
/** Largest value of the field that is a length and not an EtherType (IEEE 802.3 section 3.2.6). */
const LONGEST_8023 = 1500;
const ETHERNET_BYTES = 14;
const LLC_BYTES = 3;
const LLC_SNAP_BYTES = 8;
/** Service access points of LLC (IEEE 802.2): IP itself (RFC 948), and SNAP. */
const SAP = { IP: 0x06, SNAP: 0xaa } as const;
/** SecTAG (IEEE 802.1AE section 9.3): bits E and C mean that the text is encrypted or changed; SC means that an 8-byte channel id follows. */
const MACSEC = { BYTES: 6, CHANNEL_BYTES: 8, CHANGED: 0x0c, CHANNEL: 0x20 } as const;
/** EtherType by NSH next protocol (RFC 8300 section 2.2); 0 is an Ethernet frame. */
const NSH_NEXT: readonly number[] = [-1, ETHERTYPE.IPV4, ETHERTYPE.IPV6, 0, ETHERTYPE.NSH, ETHERTYPE.MPLS];
const NSH_BYTES = 8;

/** Reads the content that an EtherType announces. @param at first byte after the EtherType field */
export function readEtherType(type: number, bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  let next = type;
  let position = at;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    let header = 0;
    switch (next) {
      case ETHERTYPE.IPV4:
        return readIpv4(bytes, position, end, wireEnd, packet);
      case ETHERTYPE.IPV6:
        return readIpv6(bytes, position, end, wireEnd, packet);
      case ETHERTYPE.ARP:
        return readArp(bytes, position, end, wireEnd, packet);
      case ETHERTYPE.MPLS:
      case ETHERTYPE.MPLS_MULTICAST:
        return readMpls(bytes, position, end, wireEnd, packet);
      case ETHERTYPE.PPPOE_SESSION:
        return readPppoe(bytes, position, end, wireEnd, packet);
      case ETHERTYPE.VLAN:
      case ETHERTYPE.QINQ:
      case ETHERTYPE.QINQ_OLD:
        header = 4;
        if (packet.vlan === 0 && position + header <= end) packet.vlan = u16(bytes, position) & 0xfff;
        break;
      case ETHERTYPE.VN_TAG:
      case ETHERTYPE.HSR:
        header = 6;
        break;
      case ETHERTYPE.E_TAG:
        header = 8;
        break;
      case ETHERTYPE.BACKBONE:
        // Four bytes of service, then the header of the customer's own frame.
        header = 4 + ETHERNET_BYTES;
        if (position + header <= end) packet.groupAddressed = (u8(bytes, position + 4) & 1) === 1;
        break;
      case ETHERTYPE.MACSEC: {
        if (position >= end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
        const control = u8(bytes, position);
        if ((control & MACSEC.CHANGED) !== 0) return refuse(packet, UNREAD.ENCRYPTED, ETHERTYPE.MACSEC);
        header = MACSEC.BYTES + ((control & MACSEC.CHANNEL) === 0 ? 0 : MACSEC.CHANNEL_BYTES) + 2;
        break;
      }
      case ETHERTYPE.NSH: {
        if (position + NSH_BYTES > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
        header = (u8(bytes, position + 1) & 0x3f) << 2;
        const announced = NSH_NEXT[u8(bytes, position + 3)] ?? -1;
        if (u8(bytes, position) >>> 6 !== 0 || announced < 0) return refuse(packet, UNREAD.ETHERTYPE, ETHERTYPE.NSH);
        if (header < NSH_BYTES) return stop(packet, LAYER.LINK, STATUS.MALFORMED);
        if (announced === 0) {
          header += ETHERNET_BYTES;
          break;
        }
        position += header;
        if (position > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
        next = announced;
        continue;
      }
      default: {
        if (next > LONGEST_8023 && next !== ETHERTYPE.LLC) return refuse(packet, UNREAD.ETHERTYPE, next);
        if (position >= end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
        const access = u8(bytes, position);
        if (access === SAP.IP && position + LLC_BYTES <= end) {
          return readIpv4(bytes, position + LLC_BYTES, end, wireEnd, packet);
        }
        if (access !== SAP.SNAP && access !== SAP.IP) return refuse(packet, UNREAD.LLC, access);
        if (position + LLC_SNAP_BYTES > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
        header = LLC_SNAP_BYTES;
        if (!isSnap(bytes, position) || u16(bytes, position + 6) <= LONGEST_8023) return refuse(packet, UNREAD.LLC, access);
      }
    }
    // Each of these headers ends with the next EtherType.
    position += header;
    if (position > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
    next = u16(bytes, position - 2);
  }
  return refuse(packet, UNREAD.ETHERTYPE, next);
}

/** LLC aa aa 03, and an organisation whose numbers are EtherTypes: 0 (RFC 1042) or that of bridges, 0000f8 (802.1H). */
function isSnap(bytes: Uint8Array, at: number): boolean {
  if (u16(bytes, at) !== 0xaaaa || u8(bytes, at + 2) !== 3 || u16(bytes, at + 3) !== 0) return false;
  const organisation = u8(bytes, at + 5);
  return organisation === 0 || organisation === 0xf8;
}

const LABEL_BYTES = 4;
const MAX_LABELS = 16;

/** Reads a label stack (RFC 3032 section 2.1). Only the first nibble after it shows what follows. */
function readMpls(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  let position = at;
  for (let depth = 0; depth < MAX_LABELS; depth++) {
    if (position + LABEL_BYTES > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
    const bottom = (u8(bytes, position + 2) & 1) === 1;
    position += LABEL_BYTES;
    if (!bottom) continue;
    if (position >= end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
    const version = u8(bytes, position) >>> 4;
    if (version !== 4 && version !== 6) return refuse(packet, UNREAD.ETHERTYPE, ETHERTYPE.MPLS);
    return readIp(bytes, position, end, wireEnd, packet);
  }
  return refuse(packet, UNREAD.ETHERTYPE, ETHERTYPE.MPLS);
}

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

/** Reads an IPv4 or IPv6 packet by its version nibble, for raw links, MPLS and unknown address families. Any other version is malformed. */
export function readIp(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  if (at >= end) return stop(packet, LAYER.NETWORK, STATUS.TRUNCATED);
  const version = u8(bytes, at) >>> 4;
  if (version === 4) return readIpv4(bytes, at, end, wireEnd, packet);
  if (version === 6) return readIpv6(bytes, at, end, wireEnd, packet);
  return stop(packet, LAYER.NETWORK, STATUS.MALFORMED);
}

const ARP_BYTES = 28;

/** Reads an ARP packet with 6-byte hardware and IPv4 addresses (RFC 826), as traffic between the sender's and the target's address. */
function readArp(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  packet.networkOffset = at;
  packet.networkBytes = Math.min(ARP_BYTES, wireEnd - at);
  packet.protocol = PROTOCOL.ARP;
  if (at + 6 > end) return stop(packet, LAYER.NETWORK, STATUS.TRUNCATED);
  if (u16(bytes, at + 2) !== ETHERTYPE.IPV4 || u8(bytes, at + 4) !== 6 || u8(bytes, at + 5) !== 4) {
    return stop(packet, LAYER.NETWORK, STATUS.UNSUPPORTED);
  }
  if (at + ARP_BYTES > end) return stop(packet, LAYER.NETWORK, STATUS.TRUNCATED);
  const words = packet.words;
  words.fill(0);
  words[2] = V4_MAPPED;
  words[3] = i32(bytes, at + 14);
  words[6] = V4_MAPPED;
  words[7] = i32(bytes, at + 24);
  packet.hasAddresses = true;
  return complete(packet);
}

// Dispatch by link type, and the link types that are next to nothing: BSD loopback and raw IP. PKTAP is taken off before.

import { i32, i32le, u8 } from '../net/bytes.ts';
import { LINK } from '../net/numbers.ts';
import { readSll, readSll2 } from './cooked.ts';
import { readEthernet } from './ethernet.ts';
import { readIp } from './ip.ts';
import { readIpv4 } from './ipv4.ts';
import { readIpv6 } from './ipv6.ts';
import { LAYER, type Packet, refuse, STATUS, type Status, stop, UNREAD } from './packet.ts';

import { readPpp, readPppoe } from './ppp.ts';
import { readWireless } from './wireless.ts';

const FAMILY_BYTES = 4;
const FAMILY_IPV4 = 2;
/** Largest number that any system uses for an address family; beyond it the header is garbage. */
const LARGEST_FAMILY = 255;

/** Reads one frame of a given link type; both spellings of RAW are taken. */
export function readLink(link: number, bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  switch (link) {
    case LINK.ETHERNET:
      return readEthernet(bytes, at, end, wireEnd, packet);
    case LINK.NULL:
    case LINK.LOOP:
      return readFamily(link, bytes, at, end, wireEnd, packet);
    case LINK.RAW:
    case LINK.RAW_DLT:
      return readIp(bytes, at, end, wireEnd, packet);
    case LINK.LINUX_SLL:
      return readSll(bytes, at, end, wireEnd, packet);
    case LINK.LINUX_SLL2:
      return readSll2(bytes, at, end, wireEnd, packet);
    case LINK.PPP:
    case LINK.PPP_HDLC:
      return readPpp(bytes, at, end, wireEnd, packet);
    case LINK.PPP_ETHER:
      return readPppoe(bytes, at, end, wireEnd, packet);
    case LINK.IPV4:
      return readIpv4(bytes, at, end, wireEnd, packet);
    case LINK.IPV6:
      return readIpv6(bytes, at, end, wireEnd, packet);
    case LINK.RADIOTAP:
    case LINK.IEEE802_11:
    case LINK.PRISM:
    case LINK.AVS:
    case LINK.PPI:
      return readWireless(link, bytes, at, end, wireEnd, packet);
    default:
      return refuse(packet, UNREAD.LINK, link);
  }
}

/**
 * Reads an address family of 4 bytes: NULL in the byte order of the machine that recorded, LOOP in network order.
 *
 * The 4 bytes are BPF's own and never were on a wire: lo0 and utun count packets without them, and so do frame bytes.
 */
function readFamily(link: number, bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  const ip = at + FAMILY_BYTES;
  packet.frameBytes = wireEnd > ip ? wireEnd - ip : 0;
  if (ip > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  const network = i32(bytes, at);
  const swapped = i32le(bytes, at);
  const family = link === LINK.NULL && swapped >= 0 && swapped <= LARGEST_FAMILY ? swapped : network;
  if (family === FAMILY_IPV4) return readIpv4(bytes, ip, end, wireEnd, packet);
  if (isIpv6Family(family)) return readIpv6(bytes, ip, end, wireEnd, packet);
  if (family <= 0 || family > LARGEST_FAMILY) return refuse(packet, UNREAD.OTHER, 0);
  // A family of a system unknown to us: the packet says itself what it is, or it is AppleTalk and the like.
  if (ip >= end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  const version = u8(bytes, ip) >>> 4;
  return version === 4 || version === 6 ? readIp(bytes, ip, end, wireEnd, packet) : refuse(packet, UNREAD.OTHER, 0);
}

/** AF_INET6 of NetBSD and OpenBSD (24), FreeBSD (28), Darwin (30) and Linux (10). */
function isIpv6Family(family: number): boolean {
  return family === 30 || family === 24 || family === 28 || family === 10;
}

// Reads link headers: dispatches by link type, then Ethernet, BSD loopback and Linux cooked captures. PKTAP headers are already stripped. It expects
// no frame check sequences, since no capture interface delivers them.

import { i32, i32le, u8, u16 } from '../net/bytes.ts';
import { DIRECTION, ETHERTYPE, LINK } from '../net/numbers.ts';
import { readEtherType, readIp, readPpp, readPppoe } from './ethertype.ts';
import { readIpv4 } from './ipv4.ts';
import { readIpv6 } from './ipv6.ts';
import { LAYER, type Packet, refuse, STATUS, type Status, stop, UNREAD } from './packet.ts';
import { readWireless } from './wireless.ts';

/** Copies, as in ipv4.ts. */
const { IPV4, IPV6 } = ETHERTYPE;
const ETHERNET_BYTES = 14;
const FAMILY_BYTES = 4;
const FAMILY_IPV4 = 2;
/** Largest address family of any system. A larger number is garbage. */
const LARGEST_FAMILY = 255;

/** Reads one frame of any link type. RAW has two numbers. */
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
 * Reads a 4-byte address family: NULL in the recording machine's byte order, LOOP in network order.
 *
 * BPF adds the 4 bytes; they were never on a wire. lo0 and utun count packets without them, and so do frame bytes.
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
  // An unknown system's family: the version nibble shows IP; anything else is AppleTalk and the like.
  if (ip >= end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  const version = u8(bytes, ip) >>> 4;
  return version === 4 || version === 6 ? readIp(bytes, ip, end, wireEnd, packet) : refuse(packet, UNREAD.OTHER, 0);
}

/** AF_INET6 of NetBSD and OpenBSD (24), FreeBSD (28), Darwin (30) and Linux (10). */
function isIpv6Family(family: number): boolean {
  return family === 30 || family === 24 || family === 28 || family === 10;
}

/** Reads an Ethernet frame (IEEE 802.3 section 3.2). */
export function readEthernet(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  if (at + ETHERNET_BYTES > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  packet.groupAddressed = (u8(bytes, at) & 1) === 1;
  const type = u16(bytes, at + 12);
  if (type === IPV4) return readIpv4(bytes, at + ETHERNET_BYTES, end, wireEnd, packet);
  if (type === IPV6) return readIpv6(bytes, at + ETHERNET_BYTES, end, wireEnd, packet);
  return readEtherType(type, bytes, at + ETHERNET_BYTES, end, wireEnd, packet);
}

/** Linux cooked headers replace the interface's own (`-i any`, tunnels, ppp). */
const SLL_BYTES = 16;
const SLL2_BYTES = 20;

/** Protocol value for an LLC header, where Ethernet would have a length (linux/if_ether.h, ETH_P_802_2). */
const PROTOCOL_LLC = 4;
/** Hardware type (linux/if_arp.h) of interfaces that count an Ethernet header. */
const ARPHRD_ETHER = 1;
/** Packet types (linux/if_packet.h). */
const TO_BROADCAST = 1;
const TO_MULTICAST = 2;
const TO_OTHER_HOST = 3;
const OUTGOING = 4;

/** Reads a LINUX_SLL frame (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html). */
function readSll(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  packet.frameBytes = bytesAfter(wireEnd, at + SLL_BYTES);
  if (at + SLL_BYTES > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  describe(u16(bytes, at), u16(bytes, at + 2), packet);
  return readProtocol(u16(bytes, at + 14), bytes, at + SLL_BYTES, end, wireEnd, packet);
}

/** Reads a LINUX_SLL2 frame (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html). */
function readSll2(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  packet.frameBytes = bytesAfter(wireEnd, at + SLL2_BYTES);
  if (at + SLL2_BYTES > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  packet.linkInterface = i32(bytes, at + 4);
  describe(u8(bytes, at + 10), u16(bytes, at + 8), packet);
  return readProtocol(u16(bytes, at), bytes, at + SLL2_BYTES, end, wireEnd, packet);
}

function bytesAfter(wireEnd: number, header: number): number {
  return wireEnd > header ? wireEnd - header : 0;
}

/**
 * Sets direction, group and frame bytes. The kernel strips the real link header before the capture, but on Ethernet the interface counters include its
 * 14 bytes. Adding them keeps frame bytes comparable with the counters. Tunnels have no such header, and lo doesn't count it
 * (drivers/net/loopback.c takes the length after eth_type_trans).
 */
function describe(packetType: number, hardware: number, packet: Packet): void {
  if (packetType === OUTGOING) packet.linkDirection = DIRECTION.OUT;
  else if (packetType < TO_OTHER_HOST) packet.linkDirection = DIRECTION.IN;
  else if (packetType === TO_OTHER_HOST) packet.linkDirection = DIRECTION.PASSING;
  packet.groupAddressed = packetType === TO_BROADCAST || packetType === TO_MULTICAST;
  if (hardware === ARPHRD_ETHER) packet.frameBytes += ETHERNET_BYTES;
}

function readProtocol(protocol: number, bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  // Small numbers aren't lengths here but protocols (CAN, 802.3 without LLC).
  if (protocol < 0x600 && protocol !== PROTOCOL_LLC) return refuse(packet, UNREAD.ETHERTYPE, protocol);
  return readEtherType(protocol, bytes, at, end, wireEnd, packet);
}

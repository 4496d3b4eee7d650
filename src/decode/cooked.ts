// Linux cooked captures, versions 1 and 2: a made-up header that replaces the interface's own (`-i any`, tunnels, ppp).

import { i32, u8, u16 } from '../net/bytes.ts';
import { DIRECTION } from '../net/numbers.ts';
import { readEtherType } from './ethertype.ts';
import { LAYER, type Packet, refuse, STATUS, type Status, stop, UNREAD } from './packet.ts';

const SLL_BYTES = 16;
const SLL2_BYTES = 20;
const ETHERNET_BYTES = 14;
/** Protocol value that announces an LLC header where Ethernet has a length (linux/if_ether.h, ETH_P_802_2). */
const PROTOCOL_LLC = 4;
/** Hardware type (linux/if_arp.h) of interfaces that count an Ethernet header. */
const ARPHRD_ETHER = 1;
/** Packet types (linux/if_packet.h). */
const TO_BROADCAST = 1;
const TO_MULTICAST = 2;
const TO_OTHER_HOST = 3;
const OUTGOING = 4;

/** Reads a LINUX_SLL frame (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html). */
export function readSll(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  packet.frameBytes = behind(wireEnd, at + SLL_BYTES);
  if (at + SLL_BYTES > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  describe(u16(bytes, at), u16(bytes, at + 2), packet);
  return readProtocol(u16(bytes, at + 14), bytes, at + SLL_BYTES, end, wireEnd, packet);
}

/** Reads a LINUX_SLL2 frame (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html). */
export function readSll2(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  packet.frameBytes = behind(wireEnd, at + SLL2_BYTES);
  if (at + SLL2_BYTES > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  packet.linkInterface = i32(bytes, at + 4);
  describe(u8(bytes, at + 10), u16(bytes, at + 8), packet);
  return readProtocol(u16(bytes, at), bytes, at + SLL2_BYTES, end, wireEnd, packet);
}

function behind(wireEnd: number, header: number): number {
  return wireEnd > header ? wireEnd - header : 0;
}

/**
 * Direction, group and frame bytes. The real link header was cut off before capture: interface counters did count its 14 bytes on
 * Ethernet, so they are put back, or frame bytes could never be compared with the counters. Tunnels have none to put back, and lo counts
 * none (drivers/net/loopback.c takes the length after eth_type_trans).
 */
function describe(packetType: number, hardware: number, packet: Packet): void {
  if (packetType === OUTGOING) packet.linkDirection = DIRECTION.OUT;
  else if (packetType < TO_OTHER_HOST) packet.linkDirection = DIRECTION.IN;
  else if (packetType === TO_OTHER_HOST) packet.linkDirection = DIRECTION.PASSING;
  packet.groupAddressed = packetType === TO_BROADCAST || packetType === TO_MULTICAST;
  if (hardware === ARPHRD_ETHER) packet.frameBytes += ETHERNET_BYTES;
}

function readProtocol(protocol: number, bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  // Other small numbers are no lengths here but protocols of their own (CAN, 802.3 without LLC).
  if (protocol < 0x600 && protocol !== PROTOCOL_LLC) return refuse(packet, UNREAD.ETHERTYPE, protocol);
  return readEtherType(protocol, bytes, at, end, wireEnd, packet);
}

// ARP for IPv4, kept as traffic between the sender's and the target's protocol addresses.

import { V4_MAPPED } from '../net/address.ts';
import { i32, u8, u16 } from '../net/bytes.ts';
import { ETHERTYPE, PROTOCOL } from '../net/numbers.ts';
import { complete, LAYER, type Packet, STATUS, type Status, stop } from './packet.ts';

const ARP_BYTES = 28;

/** Reads an ARP packet of 6-byte hardware and IPv4 addresses (RFC 826). */
export function readArp(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
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

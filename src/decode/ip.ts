// IP told by its version nibble: raw links, what lies under MPLS labels, unknown address families.

import { u8 } from '../net/bytes.ts';
import { readIpv4 } from './ipv4.ts';
import { readIpv6 } from './ipv6.ts';
import { LAYER, type Packet, STATUS, type Status, stop } from './packet.ts';

/** Reads an IPv4 or IPv6 packet; another version is malformed. */
export function readIp(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  if (at >= end) return stop(packet, LAYER.NETWORK, STATUS.TRUNCATED);
  const version = u8(bytes, at) >>> 4;
  if (version === 4) return readIpv4(bytes, at, end, wireEnd, packet);
  if (version === 6) return readIpv6(bytes, at, end, wireEnd, packet);
  return stop(packet, LAYER.NETWORK, STATUS.MALFORMED);
}

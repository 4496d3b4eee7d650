// Ethernet II and 802.3 headers. Frame check sequences are not expected: no capture interface delivers them.

import { u8, u16 } from '../net/bytes.ts';
import { ETHERTYPE } from '../net/numbers.ts';
import { readEtherType } from './ethertype.ts';
import { readIpv4 } from './ipv4.ts';
import { readIpv6 } from './ipv6.ts';
import { LAYER, type Packet, STATUS, type Status, stop } from './packet.ts';

/** Copies, as in ipv4.ts. */
const { IPV4, IPV6 } = ETHERTYPE;
const ETHERNET_BYTES = 14;

/** Reads an Ethernet frame (IEEE 802.3 section 3.2). */
export function readEthernet(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  if (at + ETHERNET_BYTES > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  packet.groupAddressed = (u8(bytes, at) & 1) === 1;
  const type = u16(bytes, at + 12);
  if (type === IPV4) return readIpv4(bytes, at + ETHERNET_BYTES, end, wireEnd, packet);
  if (type === IPV6) return readIpv6(bytes, at + ETHERNET_BYTES, end, wireEnd, packet);
  return readEtherType(type, bytes, at + ETHERNET_BYTES, end, wireEnd, packet);
}

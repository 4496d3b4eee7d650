// Dispatch by EtherType, through VLAN tags: the point where Ethernet, cooked and SNAP headers meet.

import { u8, u16 } from '../net/bytes.ts';
import { ETHERTYPE } from '../net/numbers.ts';
import { readArp } from './arp.ts';
import { readIpv4 } from './ipv4.ts';
import { readIpv6 } from './ipv6.ts';
import { readMpls } from './mpls.ts';
import { LAYER, type Packet, STATUS, type Status, stop } from './packet.ts';
import { readPppoe } from './ppp.ts';

/** Tags and SNAP headers in one frame, at the most; hardware does not stack more than two. */
const DEEPEST = 8;
/** Largest value of the field that is a length and not an EtherType (IEEE 802.3 section 3.2.6). */
const LONGEST_8023 = 1500;
const LLC_SNAP_BYTES = 8;

/** Reads what an EtherType announces. @param at first byte behind the EtherType field */
export function readEtherType(type: number, bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  let next = type;
  let position = at;
  for (let depth = 0; depth < DEEPEST; depth++) {
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
        if (position + 4 > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
        if (packet.vlan === 0) packet.vlan = u16(bytes, position) & 0xfff;
        next = u16(bytes, position + 2);
        position += 4;
        break;
      default:
        if (next > LONGEST_8023) return stop(packet, LAYER.LINK, STATUS.UNSUPPORTED);
        if (position + LLC_SNAP_BYTES > end) return stop(packet, LAYER.LINK, isShortSnap(bytes, position, end));
        if (!isSnap(bytes, position)) return stop(packet, LAYER.LINK, STATUS.UNSUPPORTED);
        next = u16(bytes, position + 6);
        position += LLC_SNAP_BYTES;
        if (next <= LONGEST_8023) return stop(packet, LAYER.LINK, STATUS.UNSUPPORTED);
    }
  }
  return stop(packet, LAYER.LINK, STATUS.UNSUPPORTED);
}

/** LLC aa aa 03, organisation 0: an EtherType follows (RFC 1042). */
function isSnap(bytes: Uint8Array, at: number): boolean {
  return u16(bytes, at) === 0xaaaa && u8(bytes, at + 2) === 3 && u16(bytes, at + 3) === 0 && u8(bytes, at + 5) === 0;
}

/** Spanning tree and its like are shorter than a SNAP header: only what begins like one was cut. */
function isShortSnap(bytes: Uint8Array, at: number, end: number): Status {
  return end - at < 1 || u8(bytes, at) === 0xaa ? STATUS.TRUNCATED : STATUS.UNSUPPORTED;
}

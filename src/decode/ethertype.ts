// Dispatch by EtherType, through tags and the headers that wrap a frame in another: the point where Ethernet,
// cooked, 802.11 and SNAP headers meet. What is encrypted is counted as such.

import { u8, u16 } from '../net/bytes.ts';
import { ETHERTYPE } from '../net/numbers.ts';
import { readArp } from './arp.ts';
import { readIpv4 } from './ipv4.ts';
import { readIpv6 } from './ipv6.ts';
import { readMpls } from './mpls.ts';
import { LAYER, type Packet, refuse, STATUS, type Status, stop, UNREAD } from './packet.ts';
import { readPppoe } from './ppp.ts';

/** Tags and further headers in one frame, at the most; hardware does not stack more than a few. */
const DEEPEST = 8;
/** Largest value of the field that is a length and not an EtherType (IEEE 802.3 section 3.2.6). */
const LONGEST_8023 = 1500;
const ETHERNET_BYTES = 14;
const LLC_BYTES = 3;
const LLC_SNAP_BYTES = 8;
/** Service access points of LLC (IEEE 802.2): IP itself (RFC 948), and SNAP. */
const SAP = { IP: 0x06, SNAP: 0xaa } as const;
/** SecTAG (IEEE 802.1AE section 9.3): E and C say that the text is not as it was; SC that eight bytes of a channel follow. */
const MACSEC = { BYTES: 6, CHANNEL_BYTES: 8, CHANGED: 0x0c, CHANNEL: 0x20 } as const;
/** What an NSH header announces (RFC 8300 section 2.2), as an EtherType; 0 is an Ethernet frame. */
const NSH_NEXT: readonly number[] = [-1, ETHERTYPE.IPV4, ETHERTYPE.IPV6, 0, ETHERTYPE.NSH, ETHERTYPE.MPLS];
const NSH_BYTES = 8;

/** Reads what an EtherType announces. @param at first byte behind the EtherType field */
export function readEtherType(type: number, bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  let next = type;
  let position = at;
  for (let depth = 0; depth < DEEPEST; depth++) {
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
    // All of them end with the EtherType of what follows.
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

// MPLS label stacks with IP under them. Pseudowires (Ethernet under a label) are not looked into.

import { u8 } from '../net/bytes.ts';
import { ETHERTYPE } from '../net/numbers.ts';
import { readIp } from './ip.ts';
import { LAYER, type Packet, refuse, STATUS, type Status, stop, UNREAD } from './packet.ts';

const LABEL_BYTES = 4;
const DEEPEST = 16;

/** Reads a label stack (RFC 3032 section 2.1). What follows is told by its first nibble: nothing else names it. */
export function readMpls(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  let position = at;
  for (let depth = 0; depth < DEEPEST; depth++) {
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

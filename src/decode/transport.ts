// Dispatch by IP protocol. `end` is where captured bytes of the packet end, `networkEnd` where its bytes on the wire do.

import { isV4 } from '../net/address.ts';
import { hasPorts, PROTOCOL } from '../net/numbers.ts';
import { readIcmp } from './icmp.ts';
import { complete, type Packet, type Status, TUNNEL, type Tunnel } from './packet.ts';
import { readSctp } from './sctp.ts';
import { readTcp } from './tcp.ts';
import { readUdp, readUdpLite } from './udp.ts';

/** Reads the header that `packet.protocol` names. Protocols without ports that are not ICMP are complete as they are. */
export function readTransport(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  packet.transportOffset = at;
  switch (packet.protocol) {
    case PROTOCOL.TCP:
      return readTcp(bytes, at, end, networkEnd, packet);
    case PROTOCOL.UDP:
      return readUdp(bytes, at, end, networkEnd, packet);
    case PROTOCOL.ICMP:
    case PROTOCOL.ICMPV6:
      return readIcmp(bytes, at, end, networkEnd, packet);
    case PROTOCOL.UDPLITE:
      return readUdpLite(bytes, at, end, networkEnd, packet);
    case PROTOCOL.SCTP:
      return readSctp(bytes, at, end, networkEnd, packet);
    default:
      packet.tunnel = tunnelOf(packet);
      if (packet.tunnel !== TUNNEL.NONE && end > at) packet.insideCaptured = end - at;
      return complete(packet);
  }
}

/**
 * Ends a fragment after the first: all of it is payload, but of the middle of a message, so there is no offset to read it at.
 *
 * Ports are filled in by whoever remembers the first fragment.
 */
export function readLaterFragment(at: number, networkEnd: number, packet: Packet): Status {
  packet.laterFragment = true;
  if (hasPorts(packet.protocol) && networkEnd > at) packet.payloadBytes = networkEnd - at;
  packet.tunnel = tunnelOf(packet);
  return complete(packet);
}

/** Tunnels that have an IP protocol of their own. */
function tunnelOf(packet: Packet): Tunnel {
  const outerV4 = isV4(packet.words, 0);
  switch (packet.protocol) {
    case PROTOCOL.GRE:
      return TUNNEL.GRE;
    case PROTOCOL.IPIP:
      return outerV4 ? TUNNEL.IP_IN_IP : TUNNEL.FOUR_IN_SIX;
    case PROTOCOL.IPV6:
      return outerV4 ? TUNNEL.SIX_IN_FOUR : TUNNEL.IP_IN_IP;
    default:
      return TUNNEL.NONE;
  }
}

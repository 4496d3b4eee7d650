// Ports of a transport header, and the payload behind one: what TCP, UDP and SCTP have in common.

import { u16 } from '../net/bytes.ts';
import { LAYER, type Packet, STATUS, type Status, stop } from './packet.ts';

/**
 * Ends a header that is not all there, with its ports where those are.
 *
 * Cut by the capture is truncated; longer than the packet itself is malformed (a first fragment that is too small too, RFC 1858).
 */
export function stopInHeader(
  bytes: Uint8Array,
  at: number,
  end: number,
  networkEnd: number,
  need: number,
  packet: Packet,
): Status {
  if (at + 4 <= end) setPorts(bytes, at, packet);
  return stop(packet, LAYER.TRANSPORT, at + need > networkEnd ? STATUS.MALFORMED : STATUS.TRUNCATED);
}

/** Reads both ports; the caller proved 4 bytes. */
export function setPorts(bytes: Uint8Array, at: number, packet: Packet): void {
  packet.sourcePort = u16(bytes, at);
  packet.destinationPort = u16(bytes, at + 2);
}

/** Notes where the payload lies and how much of it was captured. @param payloadEnd where it ends on the wire */
export function setPayload(packet: Packet, at: number, end: number, payloadEnd: number): void {
  packet.payloadOffset = at;
  packet.payloadBytes = payloadEnd > at ? payloadEnd - at : 0;
  const capturedEnd = Math.min(end, payloadEnd);
  packet.payloadCaptured = capturedEnd > at ? capturedEnd - at : 0;
}

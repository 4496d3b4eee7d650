// The SCTP common header. Chunks are not looked into: they count as payload.

import { complete, type Packet, type Status } from './packet.ts';
import { setPayload, setPorts, stopInHeader } from './ports.ts';

const SCTP_BYTES = 12;

/** Reads an SCTP packet (RFC 9260 section 3.1). */
export function readSctp(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  if (at + SCTP_BYTES > end) return stopInHeader(bytes, at, end, networkEnd, SCTP_BYTES, packet);
  setPorts(bytes, at, packet);
  setPayload(packet, at + SCTP_BYTES, end, networkEnd);
  return complete(packet);
}

// The SCTP common header. Of the chunks only INIT is looked into; all count as payload.

import { i32, u8 } from '../net/bytes.ts';
import { TCP_FLAG } from '../net/numbers.ts';
import { complete, type Packet, type Status } from './packet.ts';
import { setPayload, setPorts, stopInHeader } from './ports.ts';

const SCTP_BYTES = 12;
/** The chunk that opens an association, alone in its packet, up to its tag (RFC 9260 section 3.3.2). */
const INIT = 1;
const INIT_BYTES = 8;

/** Reads an SCTP packet (RFC 9260 section 3.1). */
export function readSctp(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  if (at + SCTP_BYTES > end) return stopInHeader(bytes, at, end, networkEnd, SCTP_BYTES, packet);
  setPorts(bytes, at, packet);
  setPayload(packet, at + SCTP_BYTES, end, networkEnd);
  if (packet.payloadCaptured >= INIT_BYTES && u8(bytes, at + SCTP_BYTES) === INIT) {
    packet.tcpFlags = TCP_FLAG.SYN;
    packet.sequence = i32(bytes, at + SCTP_BYTES + 4);
  }
  return complete(packet);
}

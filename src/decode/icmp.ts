// ICMP and ICMPv6 messages: type and code, and the identifier of those that ask and answer.

import { u16 } from '../net/bytes.ts';
import { ECHO, ECHO_PORT, echoOf } from '../net/numbers.ts';
import { complete, LAYER, type Packet, STATUS, type Status, stop } from './packet.ts';
import { setPayload } from './ports.ts';

/** Type, code and checksum (RFC 792, RFC 4443 section 2.1). */
const ICMP_BYTES = 4;
/** With the identifier. */
const ICMP_IDENTIFIED = 6;
/** With the four bytes that nearly every message has before its body; the payload is what follows. */
const ICMP_BODY = 8;

/** Reads an ICMP or ICMPv6 message. */
export function readIcmp(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  if (at + ICMP_BYTES > networkEnd) return stop(packet, LAYER.TRANSPORT, STATUS.MALFORMED);
  if (at + ICMP_BYTES > end) return stop(packet, LAYER.TRANSPORT, STATUS.TRUNCATED);
  packet.icmpType = u16(bytes, at);
  const echo = echoOf(packet.protocol, bytes[at] as number);
  if (echo !== ECHO.NONE && at + ICMP_IDENTIFIED <= end && at + ICMP_IDENTIFIED <= networkEnd) {
    const identifier = u16(bytes, at + ICMP_BYTES);
    packet.sourcePort = echo === ECHO.ASKS ? identifier : ECHO_PORT;
    packet.destinationPort = echo === ECHO.ASKS ? ECHO_PORT : identifier;
  }
  if (at + ICMP_BODY <= networkEnd) setPayload(packet, at + ICMP_BODY, end, networkEnd);
  return complete(packet);
}

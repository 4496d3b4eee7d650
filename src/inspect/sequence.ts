// Where a segment's payload stands in its stream. A SYN takes a number of its own, in front of what it carries.

import type { Packet } from '../decode/packet.ts';
import { TCP_FLAG } from '../net/numbers.ts';

const { SYN } = TCP_FLAG;

/** Sequence number of the payload's first byte, signed 32 bits: one behind the segment's in a SYN that carries data (RFC 7413 section 4.2). */
export function payloadSequence(packet: Packet): number {
  return (packet.tcpFlags & SYN) !== 0 ? (packet.sequence + 1) | 0 : packet.sequence;
}

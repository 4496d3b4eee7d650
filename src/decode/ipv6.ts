// Reads IPv6 headers and extension headers. A chain of more than 16 counts as malformed.

import { i32, u8, u16, u32 } from '../net/bytes.ts';
import { PROTOCOL } from '../net/numbers.ts';
import { complete, LAYER, type Packet, STATUS, type Status, stop } from './packet.ts';
import { readLaterFragment, readTcp, readTransport, readUdp } from './transport.ts';

/** Copies, as in ipv4.ts. */
const { TCP, UDP, HOPOPTS } = PROTOCOL;
const { NETWORK } = LAYER;
const { MALFORMED, TRUNCATED } = STATUS;
const IPV6_BYTES = 40;
const LONGEST_CHAIN = 16;
const OPTION_PAD1 = 0;
const OPTION_JUMBO = 0xc2;

/** Reads an IPv6 packet (RFC 8200 section 3). */
export function readIpv6(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  packet.networkOffset = at;
  packet.networkBytes = wireEnd > at ? wireEnd - at : 0;
  if (at + IPV6_BYTES > end) return stop(packet, NETWORK, TRUNCATED);
  if (u8(bytes, at) >>> 4 !== 6) return stop(packet, NETWORK, MALFORMED);
  const next = u8(bytes, at + 6);
  const length = u16(bytes, at + 4);
  // Length 0 means a jumbogram (its option has the length, below) or segmentation offload.
  const declared = length !== 0 || !(next === TCP || next === UDP || next === HOPOPTS);
  if (declared && IPV6_BYTES + length < packet.networkBytes) packet.networkBytes = IPV6_BYTES + length;
  const words = packet.words;
  for (let i = 0; i < 8; i++) words[i] = i32(bytes, at + 8 + (i << 2));
  packet.hasAddresses = true;
  packet.protocol = next;
  if (next === TCP || next === UDP) {
    const networkEnd = at + packet.networkBytes;
    const transport = at + IPV6_BYTES;
    packet.transportOffset = transport;
    const capturedEnd = Math.min(end, networkEnd);
    if (next === TCP) return readTcp(bytes, transport, capturedEnd, networkEnd, packet);
    return readUdp(bytes, transport, capturedEnd, networkEnd, packet);
  }
  return readChain(bytes, at, end, packet, length === 0 && next === HOPOPTS);
}

/** Follows the chain to the first header that is not an extension (RFC 8200 section 4, RFC 7045 for the list of headers). */
function readChain(bytes: Uint8Array, at: number, end: number, packet: Packet, jumbo: boolean): Status {
  let networkEnd = at + packet.networkBytes;
  let header = packet.protocol;
  let position = at + IPV6_BYTES;
  let length = 0;
  for (let depth = 0; depth < LONGEST_CHAIN; depth++) {
    switch (header) {
      case PROTOCOL.HOPOPTS:
      case PROTOCOL.ROUTING:
      case PROTOCOL.DSTOPTS:
      case PROTOCOL.MOBILITY:
      case PROTOCOL.HIP:
      case PROTOCOL.SHIM6:
      case PROTOCOL.AH:
      case PROTOCOL.FRAGMENT:
        break;
      case PROTOCOL.NO_NEXT:
        return complete(packet);
      default:
        return readTransport(bytes, position, Math.min(end, networkEnd), networkEnd, packet);
    }
    if (position + 8 > networkEnd) return stop(packet, NETWORK, MALFORMED);
    if (position + 8 > end) return stop(packet, NETWORK, TRUNCATED);
    const next = u8(bytes, position);
    if (header === PROTOCOL.FRAGMENT) {
      const fragment = u16(bytes, position + 2) & 0xfff9;
      // Offset 0 without more fragments is a whole packet (RFC 6946).
      if (fragment !== 0) packet.identification = i32(bytes, position + 4);
      if (fragment > 7) {
        packet.protocol = next;
        return readLaterFragment(position + 8, networkEnd, packet);
      }
      packet.firstFragment = fragment !== 0;
      length = 8;
    } else if (header === PROTOCOL.AH) length = (u8(bytes, position + 1) + 2) << 2;
    else length = (u8(bytes, position + 1) + 1) << 3;
    if (jumbo && depth === 0) {
      if (position + length > end) return stop(packet, NETWORK, TRUNCATED);
      const jumboBytes = jumboLength(bytes, position + 2, position + length);
      if (jumboBytes < 0) return stop(packet, NETWORK, MALFORMED);
      if (IPV6_BYTES + jumboBytes < packet.networkBytes) packet.networkBytes = IPV6_BYTES + jumboBytes;
      networkEnd = at + packet.networkBytes;
    }
    position += length;
    if (position > networkEnd) return stop(packet, NETWORK, MALFORMED);
    if (position > end) return stop(packet, NETWORK, TRUNCATED);
    // Mobility, HIP and Shim6 headers are followed by "no next header": they are the message itself, and stay the packet's protocol.
    if (next !== PROTOCOL.NO_NEXT || !isMessage(header)) packet.protocol = next;
    header = next;
  }
  return stop(packet, NETWORK, MALFORMED);
}

function isMessage(header: number): boolean {
  return header === PROTOCOL.MOBILITY || header === PROTOCOL.HIP || header === PROTOCOL.SHIM6;
}

/** Length in the jumbo payload option (RFC 2675 section 2), -1 without one. */
function jumboLength(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at + 1 < to) {
    const type = u8(bytes, at);
    if (type === OPTION_PAD1) {
      at++;
      continue;
    }
    const length = u8(bytes, at + 1);
    if (type === OPTION_JUMBO) return length === 4 && at + 6 <= to ? u32(bytes, at + 2) : -1;
    at += 2 + length;
  }
  return -1;
}

// Reads IPv4 headers: lengths, addresses, fragments. It doesn't verify checksums, because offload leaves them to the card.

import { V4_MAPPED } from '../net/address.ts';
import { i32, u8, u16 } from '../net/bytes.ts';
import { PROTOCOL } from '../net/numbers.ts';
import { LAYER, type Packet, STATUS, type Status, stop } from './packet.ts';
import { readLaterFragment, readTcp, readTransport, readUdp } from './transport.ts';

// Local copies: V8 loads and checks an imported constant at each use but inlines a module's own (10 % of decoding).
const { TCP, UDP } = PROTOCOL;
const { NETWORK } = LAYER;
const { MALFORMED, TRUNCATED } = STATUS;
const MAPPED = V4_MAPPED;
const IPV4_BYTES = 20;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;

/** Reads an IPv4 packet (RFC 791 section 3.1). Skips options. */
export function readIpv4(bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  packet.networkOffset = at;
  let networkEnd = Math.max(wireEnd, at);
  packet.networkBytes = networkEnd - at;
  if (at + IPV4_BYTES > end) return stop(packet, NETWORK, TRUNCATED);
  const first = u8(bytes, at);
  const headerBytes = (first & 15) << 2;
  const total = u16(bytes, at + 2);
  // Segmentation offload passes 0 to the card for a segment that is too long for the field.
  if (first >>> 4 !== 4 || headerBytes < IPV4_BYTES || (total !== 0 && total < headerBytes)) {
    return stop(packet, NETWORK, MALFORMED);
  }
  if (total !== 0 && at + total < networkEnd) {
    networkEnd = at + total;
    packet.networkBytes = total;
  }
  const words = packet.words;
  words[0] = 0;
  words[1] = 0;
  words[2] = MAPPED;
  words[3] = i32(bytes, at + 12);
  words[4] = 0;
  words[5] = 0;
  words[6] = MAPPED;
  words[7] = i32(bytes, at + 16);
  packet.hasAddresses = true;
  const protocol = u8(bytes, at + 9);
  packet.protocol = protocol;

  const transport = at + headerBytes;
  const fragment = u16(bytes, at + 6) & (OFFSET_MASK | MORE_FRAGMENTS);
  if (fragment !== 0) {
    packet.identification = u16(bytes, at + 4);
    if ((fragment & OFFSET_MASK) !== 0) return readLaterFragment(transport, networkEnd, packet);
    packet.firstFragment = true;
  }
  if (transport > end) return stop(packet, NETWORK, TRUNCATED);
  packet.transportOffset = transport;
  const capturedEnd = Math.min(end, networkEnd);
  if (protocol === TCP) return readTcp(bytes, transport, capturedEnd, networkEnd, packet);
  if (protocol === UDP) return readUdp(bytes, transport, capturedEnd, networkEnd, packet);
  return readTransport(bytes, transport, capturedEnd, networkEnd, packet);
}

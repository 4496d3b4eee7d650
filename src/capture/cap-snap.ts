// How much of a frame the cap driver passes on, and how long it was on the wire. `cap` always takes whole frames, so what the kernel
// chooses for libpcap (snap-program.ts) is chosen here. Reads bytes that it has proved; never throws.

import { i32, u8, u16, u32 } from '../net/bytes.ts';
import { ETHERTYPE, LINK, PROTOCOL, TCP_FLAG } from '../net/numbers.ts';
import {
  DNS_PORT,
  GOOGLE_QUIC,
  HTTP2_PREFACE,
  LONGEST_INSIDE,
  METHODS,
  NAMING_PORTS,
  QUIC_LONG,
  TLS_HANDSHAKE,
  TUNNEL_PORT,
  TUNNEL_PROTOCOLS,
} from '../net/reading.ts';
import { BULK_BYTES, WHOLE_BYTES } from './snap-program.ts';

/** `cap` sets this snap length; a longer frame is cut without a word. */
export const CAP_SNAP_LENGTH = 65_535;

const IPV6_HEADER = 40;
const TUNNEL_PORTS: readonly number[] = Object.values(TUNNEL_PORT);
const TEXTS = new Set([...METHODS, HTTP2_PREFACE]);

/** Offset of the IP header in a frame of `length` bytes, -1 where there is none or it does not lie in the frame. */
function networkOffset(bytes: Uint8Array, length: number, link: number): number {
  let at = 0;
  if (link === LINK.ETHERNET) {
    at = 14;
    while (at + 4 <= length && isTag(u16(bytes, at - 2))) at += 4;
    const type = at <= length ? u16(bytes, at - 2) : 0;
    if (type !== ETHERTYPE.IPV4 && type !== ETHERTYPE.IPV6) return -1;
  } else if (link === LINK.NULL || link === LINK.LOOP) at = 4;
  else if (link === LINK.LINUX_SLL) at = 16;
  else if (link === LINK.LINUX_SLL2) at = 20;
  else if (link !== LINK.RAW && link !== LINK.RAW_DLT) return -1;
  return at + 20 <= length ? at : -1;
}

function isTag(type: number): boolean {
  return type === ETHERTYPE.VLAN || type === ETHERTYPE.QINQ || type === ETHERTYPE.QINQ_OLD;
}

/**
 * Bytes of a frame to keep: 160, or up to 16,640 where inspect may want to read it.
 *
 * Whole are TCP SYN, TCP with PSH (the tail of a ClientHello that segmentation split), and what net/reading.ts lists.
 */
export function bytesToKeep(bytes: Uint8Array, length: number, link: number): number {
  if (length <= BULK_BYTES) return length;
  return Math.min(length, wantedOf(bytes, length, networkOffset(bytes, length, link)));
}

function wantedOf(bytes: Uint8Array, length: number, at: number): number {
  if (at < 0) return BULK_BYTES;
  const version = u8(bytes, at) >>> 4;
  let protocol = 0;
  let transport = 0;
  if (version === 4) {
    if ((u16(bytes, at + 6) & 0x1fff) !== 0) return BULK_BYTES; // a later fragment has no ports
    protocol = u8(bytes, at + 9);
    transport = at + 4 * (u8(bytes, at) & 15);
  } else if (version === 6 && at + IPV6_HEADER <= length) {
    protocol = u8(bytes, at + 6);
    transport = at + IPV6_HEADER;
  } else return BULK_BYTES;
  if (TUNNEL_PROTOCOLS.includes(protocol)) return LONGEST_INSIDE;
  if (protocol === PROTOCOL.TCP && transport + 20 <= length)
    return isSegmentRead(bytes, length, transport) ? WHOLE_BYTES : BULK_BYTES;
  return protocol === PROTOCOL.UDP && transport + 9 <= length ? wantedOfDatagram(bytes, length, transport) : BULK_BYTES;
}

function isSegmentRead(bytes: Uint8Array, length: number, transport: number): boolean {
  if ((u8(bytes, transport + 13) & (TCP_FLAG.SYN | TCP_FLAG.PSH)) !== 0) return true;
  if (u16(bytes, transport) === DNS_PORT || u16(bytes, transport + 2) === DNS_PORT) return true;
  const payload = transport + 4 * (u8(bytes, transport + 12) >>> 4);
  if (payload < length && u8(bytes, payload) === TLS_HANDSHAKE) return true;
  return payload + 4 <= length && TEXTS.has(i32(bytes, payload));
}

function wantedOfDatagram(bytes: Uint8Array, length: number, transport: number): number {
  for (const port of [u16(bytes, transport), u16(bytes, transport + 2)]) {
    if (NAMING_PORTS.includes(port)) return WHOLE_BYTES;
    if (TUNNEL_PORTS.includes(port)) return LONGEST_INSIDE;
  }
  const first = u8(bytes, transport + 8);
  if (first === TLS_HANDSHAKE || (first & QUIC_LONG) === QUIC_LONG) return WHOLE_BYTES;
  const version = transport + 8 + GOOGLE_QUIC.versionAt;
  if ((first & GOOGLE_QUIC.mask) !== GOOGLE_QUIC.value || version + 4 > length) return BULK_BYTES;
  return GOOGLE_QUIC.versions.some((each) => each === u32(bytes, version) >>> 8) ? WHOLE_BYTES : BULK_BYTES;
}

/**
 * Bytes that a frame had on the wire. `cap` does not tell: it is what was captured, unless that is all that a snap length of 65,535
 * takes; then the IP header knows, where segmentation offload did not write 0 into it.
 */
export function bytesOnWire(bytes: Uint8Array, length: number, link: number): number {
  if (length < CAP_SNAP_LENGTH) return length;
  const at = networkOffset(bytes, length, link);
  if (at < 0) return length;
  const version = u8(bytes, at) >>> 4;
  const told = version === 4 ? u16(bytes, at + 2) : version === 6 ? IPV6_HEADER + u16(bytes, at + 4) : 0;
  return Math.max(at + told, length);
}

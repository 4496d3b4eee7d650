// How much of a frame the cap driver passes on, and how long it was on the wire. `cap` always takes whole frames, so what the kernel
// chooses for libpcap (snap-program.ts) is chosen here. Reads bytes that it has proved; never throws.

import { i32, u8, u16, u32 } from '../net/bytes.ts';
import { ETHERTYPE, LINK, PROTOCOL, TCP_FLAG } from '../net/numbers.ts';
import { DNS_PORT, GOOGLE_QUIC, HTTP2_PREFACE, METHODS, NAMING_PORTS, QUIC_LONG, TLS_HANDSHAKE } from '../net/reading.ts';
import { BULK_BYTES, WHOLE_BYTES } from './snap-program.ts';

/** `cap` sets this snap length; a longer frame is cut without a word. */
export const CAP_SNAP_LENGTH = 65_535;

const IPV6_HEADER = 40;
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
  const wanted = isWorthReading(bytes, length, networkOffset(bytes, length, link)) ? WHOLE_BYTES : BULK_BYTES;
  return Math.min(length, wanted);
}

function isWorthReading(bytes: Uint8Array, length: number, at: number): boolean {
  if (at < 0) return false;
  const version = u8(bytes, at) >>> 4;
  let protocol = 0;
  let transport = 0;
  if (version === 4) {
    if ((u16(bytes, at + 6) & 0x1fff) !== 0) return false; // a later fragment has no ports
    protocol = u8(bytes, at + 9);
    transport = at + 4 * (u8(bytes, at) & 15);
  } else if (version === 6 && at + IPV6_HEADER <= length) {
    protocol = u8(bytes, at + 6);
    transport = at + IPV6_HEADER;
  } else return false;
  if (protocol === PROTOCOL.TCP && transport + 20 <= length) {
    if ((u8(bytes, transport + 13) & (TCP_FLAG.SYN | TCP_FLAG.PSH)) !== 0) return true;
    if (u16(bytes, transport) === DNS_PORT || u16(bytes, transport + 2) === DNS_PORT) return true;
    const payload = transport + 4 * (u8(bytes, transport + 12) >>> 4);
    if (payload < length && u8(bytes, payload) === TLS_HANDSHAKE) return true;
    return payload + 4 <= length && TEXTS.has(i32(bytes, payload));
  }
  if (protocol === PROTOCOL.UDP && transport + 9 <= length) {
    if (NAMING_PORTS.includes(u16(bytes, transport)) || NAMING_PORTS.includes(u16(bytes, transport + 2))) return true;
    const first = u8(bytes, transport + 8);
    if (first === TLS_HANDSHAKE || (first & QUIC_LONG) === QUIC_LONG) return true;
    const version = transport + 8 + GOOGLE_QUIC.versionAt;
    if ((first & GOOGLE_QUIC.mask) !== GOOGLE_QUIC.value || version + 4 > length) return false;
    return GOOGLE_QUIC.versions.some((each) => each === u32(bytes, version) >>> 8);
  }
  return false;
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

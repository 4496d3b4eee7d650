// Reads 802.11 data frames, plain or after a driver's receive header. It decrypts nothing; protected frames count as encrypted. If a frame has
// several packets, decoding reads the first, and AggregateRest walks the others.

import { i32, u8, u16, u16le, u32, u32le } from '../net/bytes.ts';
import { LINK } from '../net/numbers.ts';
import { readEtherType } from './ethertype.ts';
import { LAYER, type Packet, refuse, STATUS, type Status, stop, UNREAD } from './packet.ts';

/** Frame control, first byte (IEEE 802.11-2020 section 9.2.4.1): version, type and subtype. */
const TYPE = { MANAGEMENT: 0, CONTROL: 1, DATA: 2 } as const;
const VERSION = 0x03;
const WITHOUT_DATA = 0x40;
const QUALITY = 0x80;
/** Second byte. */
const TO_SYSTEM = 0x01;
const FROM_SYSTEM = 0x02;
const PROTECTED = 0x40;
const ORDER = 0x80;
const HEADER_BYTES = 24;
const FRAGMENT_AT = 22;
/** QoS control: the frame has several packets. */
const AGGREGATED = 0x80;
/** Each packet's header: destination, source and length, like Ethernet's, followed by LLC. */
const SUBFRAME_BYTES = 14;
const CHECKSUM_BYTES = 4;

/** Drivers' headers: https://www.radiotap.org, linux-wlan-ng for Prism and AVS, the PPI specification 1.0.10. */
const RADIOTAP_BYTES = 8;
const RADIOTAP = { CLOCK: 0x01, FLAGS: 0x02, MORE: 31, HAS_CHECKSUM: 0x10, PADDED: 0x20, BAD_CHECKSUM: 0x40 } as const;
const MAX_WORDS = 32;
const AVS_MAGIC = 0x80211;
const PPI_BYTES = 8;
const PPI = { COMMON: 2, FLAGS_AT: 8, HAS_CHECKSUM: 0x01, BAD_CHECKSUM: 0x04 } as const;
const MAX_FIELDS = 32;

/** Offsets in the current frame; one record, reused to avoid allocation. */
const found = { frame: 0, checksum: 0, padded: false, bad: false, body: 0, end: 0, wireEnd: 0, aggregated: false };

/** Whether this module reads the link type. */
export function isWireless(link: number): boolean {
  return link === LINK.RADIOTAP || link === LINK.IEEE802_11 || link === LINK.PRISM || link === LINK.AVS || link === LINK.PPI;
}

/** Reads a frame of one of these link types. Frame bytes exclude the driver's header and the check sequence, as on Ethernet. */
export function readWireless(link: number, bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  const status = findBody(link, bytes, at, end, wireEnd, packet);
  if (status !== STATUS.COMPLETE) return status;
  if (!found.aggregated) return readEtherType(0, bytes, found.body, found.end, found.wireEnd, packet);
  const { body } = found;
  if (body + SUBFRAME_BYTES > found.wireEnd) return stop(packet, LAYER.LINK, STATUS.MALFORMED);
  if (body + SUBFRAME_BYTES > found.end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  const inner = body + SUBFRAME_BYTES;
  const innerEnd = inner + u16(bytes, body + 12);
  if (innerEnd > found.wireEnd) return stop(packet, LAYER.LINK, STATUS.MALFORMED);
  packet.groupAddressed = (u8(bytes, body) & 1) === 1;
  packet.frameBytes -= found.wireEnd - nextSubframe(body, innerEnd, found.wireEnd);
  return readEtherType(0, bytes, inner, Math.min(found.end, innerEnd), innerEnd, packet);
}

/**
 * Walks the second and further packets of an aggregated frame (A-MSDU, section 9.3.2.2). Each is an Ethernet frame with an LLC header. Each takes at
 * least 16 captured bytes, which bounds their number.
 */
export class AggregateRest {
  offset = 0;
  captured = 0;
  wire = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #next = 0;
  #end = 0;
  #wireEnd = 0;
  /** Scratch for the header reader; not read. */
  readonly #packet: Packet;

  /** @param packet scratch, overwritten */
  constructor(packet: Packet) {
    this.#packet = packet;
  }

  /** Starts with a frame. @returns false if it has only one packet */
  begin(link: number, bytes: Uint8Array, at: number, captured: number, wire: number): boolean {
    if (findBody(link, bytes, at, at + captured, at + wire, this.#packet) !== STATUS.COMPLETE || !found.aggregated) return false;
    this.#bytes = bytes;
    this.#end = found.end;
    this.#wireEnd = found.wireEnd;
    if (found.body + SUBFRAME_BYTES > found.end) return false;
    const first = found.body + SUBFRAME_BYTES + u16(bytes, found.body + 12);
    if (first > found.wireEnd) return false;
    this.#next = nextSubframe(found.body, first, found.wireEnd);
    return true;
  }

  /** Moves to the next packet. @returns false if there is none */
  next(): boolean {
    const at = this.#next;
    if (at + SUBFRAME_BYTES > this.#wireEnd) return false;
    this.offset = at;
    this.captured = Math.max(0, this.#end - at);
    this.wire = this.#wireEnd - at;
    this.#next = this.#wireEnd;
    if (at + SUBFRAME_BYTES > this.#end) return true;
    const last = at + SUBFRAME_BYTES + u16(this.#bytes, at + 12);
    if (last > this.#wireEnd) return true;
    this.#next = nextSubframe(at, last, this.#wireEnd);
    this.captured = Math.min(this.captured, this.#next - at);
    this.wire = this.#next - at;
    return true;
  }
}

/** Offset of the packet after the one from `from` to `to`, aligned to four bytes; `limit` if no further one fits. */
function nextSubframe(from: number, to: number, limit: number): number {
  const next = from + ((to - from + 3) & ~3);
  return next + SUBFRAME_BYTES > limit ? limit : next;
}

/** Finds the body of an unencrypted data frame. @returns COMPLETE if there is one, else the frame's status */
function findBody(link: number, bytes: Uint8Array, from: number, captureEnd: number, frameEnd: number, packet: Packet): Status {
  const status = findFrame(link, bytes, from, captureEnd, frameEnd, packet);
  if (status !== STATUS.COMPLETE) return status;
  const at = found.frame;
  const wireEnd = Math.max(at, frameEnd - found.checksum);
  const end = Math.min(captureEnd, wireEnd);
  packet.frameBytes = wireEnd - at;
  if (found.bad) return stop(packet, LAYER.LINK, STATUS.MALFORMED);
  if (at + 2 > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  const control = u8(bytes, at);
  const flags = u8(bytes, at + 1);
  const type = (control >>> 2) & 3;
  if ((control & VERSION) !== 0) return refuse(packet, UNREAD.OTHER, 0);
  if (type !== TYPE.DATA) return refuse(packet, UNREAD.WIRELESS, type === TYPE.MANAGEMENT ? type : TYPE.CONTROL);
  if ((control & WITHOUT_DATA) !== 0) return refuse(packet, UNREAD.WIRELESS, TYPE.DATA);
  if ((flags & PROTECTED) !== 0) return refuse(packet, UNREAD.ENCRYPTED, 0);
  const relayed = (flags & TO_SYSTEM) !== 0 && (flags & FROM_SYSTEM) !== 0;
  const quality = at + HEADER_BYTES + (relayed ? 6 : 0);
  const hasQuality = (control & QUALITY) !== 0;
  let header = quality - at;
  if (hasQuality) header += (flags & ORDER) === 0 ? 2 : 6;
  if (found.padded) header = (header + 3) & ~3;
  if (at + header > wireEnd) return stop(packet, LAYER.LINK, STATUS.MALFORMED);
  if (at + header > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  // A later fragment begins in the middle of a packet.
  if ((u8(bytes, at + FRAGMENT_AT) & 15) !== 0) return refuse(packet, UNREAD.WIRELESS, TYPE.DATA);
  packet.groupAddressed = (u8(bytes, at + ((flags & TO_SYSTEM) === 0 ? 4 : 16)) & 1) === 1;
  found.body = at + header;
  found.end = end;
  found.wireEnd = wireEnd;
  found.aggregated = hasQuality && (u8(bytes, quality) & AGGREGATED) !== 0;
  return STATUS.COMPLETE;
}

/** Skips the driver's header after reading whether a check sequence follows, whether it is wrong, and whether the frame's header is padded. */
function findFrame(link: number, bytes: Uint8Array, at: number, end: number, wireEnd: number, packet: Packet): Status {
  found.frame = at;
  found.checksum = 0;
  found.padded = false;
  found.bad = false;
  if (link === LINK.IEEE802_11) return STATUS.COMPLETE;
  if (at + 8 > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  const length = headerLength(link, bytes, at);
  if (length < 8 || at + length > wireEnd) return stop(packet, LAYER.LINK, STATUS.MALFORMED);
  if (at + length > end) return stop(packet, LAYER.LINK, STATUS.TRUNCATED);
  found.frame = at + length;
  if (link === LINK.RADIOTAP) readRadiotap(bytes, at, found.frame);
  if (link !== LINK.PPI) return STATUS.COMPLETE;
  const inner = u32le(bytes, at + 4);
  if (inner !== LINK.IEEE802_11) return refuse(packet, UNREAD.LINK, inner);
  readPpi(bytes, at, found.frame);
  return STATUS.COMPLETE;
}

function headerLength(link: number, bytes: Uint8Array, at: number): number {
  if (link === LINK.RADIOTAP || link === LINK.PPI) return u16le(bytes, at + 2);
  // Drivers also put AVS headers under Prism's number. Prism's words have the writer's byte order.
  if (i32(bytes, at) >>> 12 === AVS_MAGIC || u32le(bytes, at + 4) > 0xffff) return u32(bytes, at + 4);
  return u32le(bytes, at + 4);
}

/** Reads radiotap's flags. Fields follow all presence words, each aligned to its size: the clock has 8 bytes, flags one. */
function readRadiotap(bytes: Uint8Array, at: number, end: number): void {
  const present = u8(bytes, at + 4);
  if ((present & RADIOTAP.FLAGS) === 0) return;
  let field = at + RADIOTAP_BYTES;
  for (let words = 1; u32le(bytes, field - 4) >>> RADIOTAP.MORE === 1; words++) {
    if (words === MAX_WORDS || field + 4 > end) return;
    field += 4;
  }
  if ((present & RADIOTAP.CLOCK) !== 0) field = at + ((field - at + 7) & ~7) + 8;
  if (field >= end) return;
  const flags = u8(bytes, field);
  found.checksum = (flags & RADIOTAP.HAS_CHECKSUM) === 0 ? 0 : CHECKSUM_BYTES;
  found.padded = (flags & RADIOTAP.PADDED) !== 0;
  found.bad = (flags & RADIOTAP.BAD_CHECKSUM) !== 0;
}

function readPpi(bytes: Uint8Array, at: number, end: number): void {
  let field = at + PPI_BYTES;
  for (let fields = 0; fields < MAX_FIELDS && field + 4 <= end; fields++) {
    const length = u16le(bytes, field + 2);
    const flags = field + 4 + PPI.FLAGS_AT;
    if (u16le(bytes, field) === PPI.COMMON && length >= PPI.FLAGS_AT + 2 && flags + 2 <= end) {
      found.checksum = (u8(bytes, flags) & PPI.HAS_CHECKSUM) === 0 ? 0 : CHECKSUM_BYTES;
      found.bad = (u8(bytes, flags) & PPI.BAD_CHECKSUM) !== 0;
      return;
    }
    field += 4 + length;
  }
}

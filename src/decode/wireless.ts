// 802.11 data frames, plain or behind the header in which a driver says how it heard them. Nothing is decrypted: protected frames are
// counted as encrypted. Of several packets in one frame decoding reads the first; AggregateRest walks the others.

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
/** QoS control: several packets are in this frame. */
const AGGREGATED = 0x80;
/** Destination, source and length of each of them: an Ethernet header, with LLC behind it. */
const SUBFRAME_BYTES = 14;
const CHECKSUM_BYTES = 4;

/** Header in front of the frame: https://www.radiotap.org, linux-wlan-ng for Prism and AVS, the PPI specification 1.0.10. */
const RADIOTAP_BYTES = 8;
const RADIOTAP = { CLOCK: 0x01, FLAGS: 0x02, MORE: 31, HAS_CHECKSUM: 0x10, PADDED: 0x20, BAD_CHECKSUM: 0x40 } as const;
const MAX_WORDS = 32;
const AVS_MAGIC = 0x80211;
const PPI_BYTES = 8;
const PPI = { COMMON: 2, FLAGS_AT: 8, HAS_CHECKSUM: 0x01, BAD_CHECKSUM: 0x04 } as const;
const MAX_FIELDS = 32;

/** Where the frame last looked at has its 802.11 header and its body; one record, written anew for each. */
const found = { frame: 0, checksum: 0, padded: false, bad: false, body: 0, end: 0, wireEnd: 0, aggregated: false };

/** True for the link types that are read here. */
export function isWireless(link: number): boolean {
  return link === LINK.RADIOTAP || link === LINK.IEEE802_11 || link === LINK.PRISM || link === LINK.AVS || link === LINK.PPI;
}

/** Reads a frame of one of these link types. Frame bytes leave out the driver's header and the check sequence, as on Ethernet. */
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
  packet.frameBytes -= found.wireEnd - behind(body, innerEnd, found.wireEnd);
  return readEtherType(0, bytes, inner, Math.min(found.end, innerEnd), innerEnd, packet);
}

/**
 * Walks the packets of an aggregated frame (A-MSDU, section 9.3.2.2) that lie behind the first. Each is an Ethernet frame with an LLC
 * header; its bytes on the wire are those that it takes up. Each takes 16 of the captured bytes at least, so there are no more than fit.
 */
export class AggregateRest {
  offset = 0;
  captured = 0;
  wire = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #next = 0;
  #end = 0;
  #wireEnd = 0;
  /** Written by the reader of headers, and not looked at. */
  readonly #packet: Packet;

  /** @param packet anybody's: it is overwritten */
  constructor(packet: Packet) {
    this.#packet = packet;
  }

  /** Begins with a frame. @returns false where it has no packet behind the first */
  begin(link: number, bytes: Uint8Array, at: number, captured: number, wire: number): boolean {
    if (findBody(link, bytes, at, at + captured, at + wire, this.#packet) !== STATUS.COMPLETE || !found.aggregated) return false;
    this.#bytes = bytes;
    this.#end = found.end;
    this.#wireEnd = found.wireEnd;
    if (found.body + SUBFRAME_BYTES > found.end) return false;
    const first = found.body + SUBFRAME_BYTES + u16(bytes, found.body + 12);
    if (first > found.wireEnd) return false;
    this.#next = behind(found.body, first, found.wireEnd);
    return true;
  }

  /** Goes on to the next one; false where there is none. */
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
    this.#next = behind(at, last, this.#wireEnd);
    this.captured = Math.min(this.captured, this.#next - at);
    this.wire = this.#next - at;
    return true;
  }
}

/** Where the packet behind one from `from` to `to` begins: at a multiple of four, or `limit` where none fits. */
function behind(from: number, to: number, limit: number): number {
  const next = from + ((to - from + 3) & ~3);
  return next + SUBFRAME_BYTES > limit ? limit : next;
}

/** Finds the body of an unencrypted data frame. @returns COMPLETE where there is one, else how the frame ends */
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

/** Steps over the driver's header and reads of it what matters: whether a check sequence follows, is wrong, and whether the header is padded. */
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
  // Drivers put AVS headers under Prism's number, too. Prism's words are in the byte order of whoever wrote them.
  if (i32(bytes, at) >>> 12 === AVS_MAGIC || u32le(bytes, at + 4) > 0xffff) return u32(bytes, at + 4);
  return u32le(bytes, at + 4);
}

/** Fields lie behind all words that say which there are, each aligned to its size: the clock has 8 bytes, flags one. */
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

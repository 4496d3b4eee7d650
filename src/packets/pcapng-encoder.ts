// Writes blocks of pcapng (draft-ietf-opsawg-pcapng) into one buffer that is used again and again. It knows the format and nothing else: which
// block comes when is its caller's business, and it opens no file. This folder keeps packets and encodes them; it has no rights and does no I/O.

import { MAX_CAPTURED_BYTES, MAX_WIRE_BYTES } from '../capture/file/frame-reader.ts';
import {
  BLOCK,
  BYTE_ORDER_MAGIC,
  INTERFACE_OPTION,
  NAME_RECORD,
  OPTION,
  PACKET_FLAGS,
  PACKET_OPTION,
  PROCESS_OPTION,
  SECTION_HEADER,
  SECTION_OPTION,
  STATISTICS_OPTION,
} from '../capture/file/pcapng-format.ts';
import { NAME_SOURCES, type NameSource } from '../model/terms.ts';
import { isV4 } from '../net/address.ts';
import { DIRECTION } from '../net/numbers.ts';
import { sanitize } from '../net/text.ts';

/** Decimal digits of a second in time stamps: nanoseconds, and what is left for times that don't fit 64 bits of them. */
export const FINE = 9;
export const COARSE = 6;
/** The first time, epoch ms, that needs COARSE: in the year 2262, where others read nanoseconds as a signed number. */
export const COARSE_FROM_MS = 9_223_372_036_854;

/** Bytes beside a frame's own, at most: its block, and those of an interface, a name and three processes before it, with the longest texts. */
export const MOST_BESIDES = 32_768;
/** Bytes of a text option, at most. The sanitiser cuts at 512 UTF-16 units, which take three bytes each. */
const TEXT_BYTES = 1536;
const BLOCK_HEAD = 8;
const OPTION_HEAD = 4;
/** Half of the step in which a double counts milliseconds since 1970, in microseconds. */
const HALF_STEP = 0.1221;
const TWO_TO_20 = 0x10_0000;
const TWO_TO_32 = 0x1_0000_0000;

/** A process as a process block describes it. */
export interface EncodedProcess {
  readonly pid: number;
  readonly name: string;
  readonly exe: string | null;
  readonly user: string | null;
  readonly script: string | null;
  readonly unit: string | null;
}

/** A frame without its bytes. */
export interface EncodedFrame {
  /** Number of its interface in this section. */
  readonly iface: number;
  /** Digits of the interface's time stamps. */
  readonly digits: number;
  /** Epoch ms, with fractions. */
  readonly time: number;
  readonly wire: number;
  /** DIRECTION. */
  readonly direction: number;
  /** Numbers of process blocks of this section; -1 for none. */
  readonly process: number;
  readonly effective: number;
  /** What stands in the file for the frame's first `skipped` bytes: `head[0..headBytes)`. */
  readonly head: Uint8Array;
  readonly headBytes: number;
  readonly skipped: number;
  /** The process of the end that `process` isn't at. */
  readonly otherEnd: number;
  /** As PLACE; -1 leaves it out. */
  readonly place: number;
  /** Frames lost between the one before and this one. */
  readonly dropped: number;
  /** For people; null for none. */
  readonly comment: string | null;
  /** Name of the flow's other end, and how it is known; null for none. */
  readonly host: string | null;
  readonly hostSource: NameSource;
}

/** What an interface block at the end of a section counts. */
export interface EncodedCounts {
  readonly droppedBySystem: number | null;
  readonly droppedByInterface: number | null;
  readonly delivered: number;
}

const encoder = new TextEncoder();

/** Appends blocks, little-endian. Every text is stripped of control characters before it is written. */
export class PcapngEncoder {
  readonly bytes: Uint8Array;
  /** Bytes written so far; whoever takes them sets it back to 0. */
  length = 0;
  readonly #view: DataView;
  #high = 0;
  #low = 0;

  /** @param capacity more than the longest frame and MOST_BESIDES */
  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Whether a frame of this many bytes fits, with all blocks that may go before it. */
  fits(captured: number): boolean {
    return this.bytes.length - this.length >= captured + MOST_BESIDES;
  }

  /** Frames whose blocks are within the first `length` bytes. */
  framesIn(length: number): number {
    let frames = 0;
    for (let at = 0; at < length; at += this.#view.getUint32(at + 4, true))
      if (this.#view.getUint32(at, true) === BLOCK.ENHANCED) frames++;
    return frames;
  }

  /** Begins a section, of unknown length. Numbers of interfaces and processes begin again. */
  section(system: string, application: string, comment: string): void {
    const from = this.#begin(SECTION_HEADER);
    this.#u32(BYTE_ORDER_MAGIC);
    this.#u16(1);
    this.#u16(0);
    this.#u32(0xffff_ffff);
    this.#u32(0xffff_ffff);
    if (comment !== '') this.#text(OPTION.COMMENT, comment);
    if (system !== '') this.#text(SECTION_OPTION.SYSTEM, system);
    this.#text(SECTION_OPTION.APPLICATION, application);
    this.#finish(from, true);
  }

  /** Declares the next interface. Its snap length is the largest possible, for libpcap refuses longer frames. @param link LINKTYPE */
  interface(link: number, name: string, digits: number): void {
    const from = this.#begin(BLOCK.INTERFACE);
    this.#u16(link);
    this.#u16(0);
    this.#u32(MAX_CAPTURED_BYTES);
    this.#text(INTERFACE_OPTION.NAME, name);
    this.#u16(INTERFACE_OPTION.RESOLUTION);
    this.#u16(1);
    this.#u32(digits);
    this.#finish(from, true);
  }

  /** Declares the next process. */
  process({ pid, name, exe, user, script, unit }: EncodedProcess): void {
    const from = this.#begin(BLOCK.PROCESS);
    this.#u32(pid);
    if (name !== '') this.#text(PROCESS_OPTION.NAME, name);
    if (exe !== null) this.#text(PROCESS_OPTION.PATH, exe);
    if (user !== null) this.#text(PROCESS_OPTION.USER, user);
    if (script !== null) this.#text(PROCESS_OPTION.SCRIPT, script);
    if (unit !== null) this.#text(PROCESS_OPTION.UNIT, unit);
    this.#finish(from, true);
  }

  /** Gives an address a name. @param words its four words, from `at` on */
  names(words: Int32Array, at: number, name: string): void {
    const from = this.#begin(BLOCK.NAMES);
    const v4 = isV4(words, at);
    const record = this.length;
    this.#u16(v4 ? NAME_RECORD.IPV4 : NAME_RECORD.IPV6);
    this.#u16(0);
    for (let word = v4 ? 3 : 0; word < 4; word++) {
      this.#view.setInt32(this.length, words[at + word] as number, false);
      this.length += 4;
    }
    this.#encode(name);
    this.bytes[this.length++] = 0;
    this.#view.setUint16(record + 2, this.length - record - OPTION_HEAD, true);
    this.#pad();
    this.#u32(NAME_RECORD.END);
    this.#finish(from, false);
  }

  /** Adds a frame: `bytes[offset..offset + captured)`. */
  frame(bytes: Uint8Array, offset: number, captured: number, frame: EncodedFrame): void {
    const from = this.#begin(BLOCK.ENHANCED);
    this.#u32(frame.iface);
    this.#stamp(frame.time, frame.digits);
    const { head, headBytes, skipped } = frame;
    const rest = Math.min(captured - skipped, MAX_CAPTURED_BYTES - headBytes);
    this.#u32(headBytes + rest);
    this.#u32(Math.min(headBytes + Math.max(frame.wire - skipped, rest), MAX_WIRE_BYTES));
    for (let i = 0; i < headBytes; i++) this.bytes[this.length++] = head[i] as number;
    this.bytes.set(bytes.subarray(offset + skipped, offset + skipped + rest), this.length);
    this.length += rest;
    this.#pad();
    const { direction, process, effective, otherEnd, place, dropped, comment, host } = frame;
    const options = this.length;
    if (comment !== null) this.#text(OPTION.COMMENT, comment);
    if (direction === DIRECTION.PASSING) this.#word(PACKET_OPTION.FLAGS, PACKET_FLAGS.PROMISCUOUS | DIRECTION.IN);
    else if (direction !== DIRECTION.UNKNOWN) this.#word(PACKET_OPTION.FLAGS, direction);
    if (dropped > 0) this.#long(PACKET_OPTION.DROPPED, dropped);
    if (process >= 0) this.#word(PACKET_OPTION.PROCESS, process);
    if (effective >= 0) this.#word(PACKET_OPTION.EFFECTIVE, effective);
    if (otherEnd >= 0) this.#word(PACKET_OPTION.OTHER_END, otherEnd);
    if (place >= 0) {
      this.#u16(PACKET_OPTION.PLACE);
      this.#u16(1);
      this.#u32(place);
    }
    if (host !== null) {
      const at = this.length;
      this.#u16(PACKET_OPTION.HOST);
      this.#u16(0);
      this.bytes[this.length++] = NAME_SOURCES.indexOf(frame.hostSource);
      this.#encode(host);
      this.#view.setUint16(at + 2, this.length - at - OPTION_HEAD, true);
      this.#pad();
    }
    this.#finish(from, this.length > options);
  }

  /** Says what an interface lost. @param start of the section's packets @param end epoch ms both, as is when they are counted */
  statistics(iface: number, digits: number, start: number, end: number, counts: EncodedCounts): void {
    const from = this.#begin(BLOCK.STATISTICS);
    this.#u32(iface);
    this.#stamp(end, digits);
    for (const [code, time] of [
      [STATISTICS_OPTION.START, start],
      [STATISTICS_OPTION.END, end],
    ] as const) {
      this.#u16(code);
      this.#u16(8);
      this.#stamp(time, digits);
    }
    const { droppedByInterface, droppedBySystem, delivered } = counts;
    if (droppedByInterface !== null) this.#long(STATISTICS_OPTION.BY_INTERFACE, droppedByInterface);
    if (droppedBySystem !== null) this.#long(STATISTICS_OPTION.BY_SYSTEM, droppedBySystem);
    this.#long(STATISTICS_OPTION.DELIVERED, delivered);
    this.#finish(from, true);
  }

  /** Begins a block. @returns its offset, for `#finish` */
  #begin(type: number): number {
    const from = this.length;
    this.#u32(type);
    this.#u32(0);
    return from;
  }

  #finish(from: number, hasOptions: boolean): void {
    if (hasOptions) this.#u32(OPTION.END);
    const length = this.length + 4 - from;
    this.#view.setUint32(from + BLOCK_HEAD - 4, length, true);
    this.#u32(length);
  }

  #u16(value: number): void {
    this.#view.setUint16(this.length, value, true);
    this.length += 2;
  }

  #u32(value: number): void {
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** An option of 32 bits. */
  #word(code: number, value: number): void {
    this.#u16(code);
    this.#u16(4);
    this.#u32(value);
  }

  /** An option of 64 bits. */
  #long(code: number, value: number): void {
    this.#u16(code);
    this.#u16(8);
    this.#u32(value % TWO_TO_32);
    this.#u32(Math.floor(value / TWO_TO_32));
  }

  /** An option of text. */
  #text(code: number, text: string): void {
    const at = this.length;
    this.#u16(code);
    this.#u16(0);
    this.#encode(text);
    this.#view.setUint16(at + 2, this.length - at - OPTION_HEAD, true);
    this.#pad();
  }

  #encode(text: string): void {
    const { written } = encoder.encodeInto(sanitize(text), this.bytes.subarray(this.length, this.length + TEXT_BYTES));
    this.length += written;
  }

  #pad(): void {
    while ((this.length & 3) !== 0) this.bytes[this.length++] = 0;
  }

  /** Writes a time as two words, high first. */
  #stamp(time: number, digits: number): void {
    this.#split(time, digits);
    this.#u32(this.#high);
    this.#u32(this.#low);
  }

  /**
   * Splits a time into two words of ticks. A double holds 53 bits and nanoseconds since 1970 take 61, so the product is computed in halves:
   *
   *     ms = h * 2^20 + l + fraction        ticks = h * perMs * 2^20 + l * perMs + round(fraction * perMs)
   *
   * The fraction is no finer than a quarter of a microsecond, so it is taken for the whole microsecond from which it can't be told.
   */
  #split(time: number, digits: number): void {
    const perMs = digits === FINE ? 1e6 : 1e3;
    const whole = Math.floor(time);
    const h = Math.floor(whole / TWO_TO_20);
    const upper = h * perMs;
    const micros = (time - whole) * 1000;
    const nearest = Math.round(micros);
    const fraction = Math.abs(micros - nearest) <= HALF_STEP ? nearest : micros;
    const rest = (whole - h * TWO_TO_20) * perMs + Math.round((fraction * perMs) / 1000);
    const low = (upper % 4096) * TWO_TO_20 + rest;
    this.#high = Math.floor(upper / 4096) + Math.floor(low / TWO_TO_32);
    this.#low = low % TWO_TO_32;
  }
}

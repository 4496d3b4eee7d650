// Reads classic pcap files: the file header in all its variants, then the records.

import { endianness } from 'node:os';
import type { PacketBatch } from '../batch.ts';
import type { InterfaceTable } from '../interface-names.ts';
import { isPktap, PktapUnwrapper } from '../pktap.ts';
import type { ProcessTable } from '../process-names.ts';
import { type FrameReader, MAX_CAPTURED_BYTES, MAX_WIRE_BYTES, shownSnapLength } from './frame-reader.ts';

/** Bytes of the file header. */
export const PCAP_HEADER_BYTES = 24;

/** First words (pcap-savefile(5)). The modified format of old Linux systems has 8 more bytes per record. */
const MAGIC = { MICROSECONDS: 0xa1b2c3d4, NANOSECONDS: 0xa1b23c4d, MODIFIED: 0xa1b2cd34 } as const;
/** The higher bits hold the length of the frame check sequence, and whether there is one. */
const LINK_MASK = 0xffff;
const RECORD_HEADER_BYTES = 16;
const MODIFIED_RECORD_HEADER_BYTES = 24;

/** A parsed file header. */
interface PcapHeader {
  readonly littleEndian: boolean;
  readonly nanoseconds: boolean;
  readonly recordHeaderBytes: number;
  readonly lengths: RecordLengths;
  readonly link: number;
  /** As written, unchecked. */
  readonly snapLength: number;
}

/** Whether the four bytes at `at` begin a classic pcap file. */
export function isPcap(bytes: Uint8Array, at: number): boolean {
  return magicOf(bytes, at, true) || magicOf(bytes, at, false);
}

/** Parses the 24-byte file header at `at`; null if it isn't one. */
export function readPcapHeader(bytes: Uint8Array, at: number): PcapHeader | null {
  const littleEndian = magicOf(bytes, at, true);
  if (!littleEndian && !magicOf(bytes, at, false)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, PCAP_HEADER_BYTES);
  const magic = view.getUint32(0, littleEndian);
  return {
    littleEndian,
    nanoseconds: magic === MAGIC.NANOSECONDS,
    recordHeaderBytes: magic === MAGIC.MODIFIED ? MODIFIED_RECORD_HEADER_BYTES : RECORD_HEADER_BYTES,
    lengths: lengthsOf(view.getUint16(4, littleEndian), view.getUint16(6, littleEndian)),
    link: view.getUint32(20, littleEndian) & LINK_MASK,
    snapLength: view.getUint32(16, littleEndian),
  };
}

/** Reads the records after the file header. Unwraps PKTAP records. */
export class PcapReader implements FrameReader {
  readonly midway = false;
  /** Every 32-bit time of the format is possible. */
  readonly mistimed = 0;
  readonly untimed = 0;
  readonly drops = null;
  readonly snapLength: number;
  readonly #walk: RecordWalk;
  readonly #unwrapper: PktapUnwrapper | null;

  constructor(header: PcapHeader, interfaces: InterfaceTable, processes: ProcessTable) {
    const pktap = isPktap(header.link);
    this.#walk = new RecordWalk({
      littleEndian: header.littleEndian,
      nanoseconds: header.nanoseconds,
      headerBytes: header.recordHeaderBytes,
      lengths: header.lengths,
      link: header.link,
      // The format doesn't name its interface; PKTAP headers do.
      iface: pktap ? 0 : interfaces.named(header.link, false, 'file'),
    });
    this.#unwrapper = pktap ? new PktapUnwrapper(interfaces, processes) : null;
    this.snapLength = shownSnapLength(header.snapLength);
  }

  get malformed(): number {
    return this.#walk.malformed + (this.#unwrapper?.malformed ?? 0);
  }

  get broken(): string | null {
    return this.#walk.broken;
  }

  fill(batch: PacketBatch, from: number, to: number): number {
    const first = batch.count;
    const next = this.#walk.fill(batch, from, to);
    this.#unwrapper?.unwrap(batch, first);
    return next;
  }
}

function magicOf(bytes: Uint8Array, at: number, littleEndian: boolean): boolean {
  if (bytes.length - at < 4) return false;
  const magic = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, littleEndian);
  return magic === MAGIC.MICROSECONDS || magic === MAGIC.NANOSECONDS || magic === MAGIC.MODIFIED;
}

/** Order of the lengths by version, as in libpcap's sf-pcap.c: 2.3 exists with both orders; 543.0 is DG/UX's tcpdump. */
function lengthsOf(major: number, minor: number): RecordLengths {
  if (major === 543 || (major === 2 && minor < 3)) return 'swapped';
  return major === 2 && minor === 3 ? 'either' : 'captured first';
}

/** The format of records. */
interface RecordLayout {
  readonly littleEndian: boolean;
  /** The second word counts nanoseconds, not microseconds. */
  readonly nanoseconds: boolean;
  /** 16, or 24 in the modified format. */
  readonly headerBytes: number;
  /** Values for the columns `link` and `iface` of each frame. */
  readonly link: number;
  readonly iface: number;
  /** Order of a record's two lengths. */
  readonly lengths: RecordLengths;
}

/** `swapped`: wire length first. `either`: the larger one is the wire length. */
type RecordLengths = 'captured first' | 'swapped' | 'either';

/** The format that libpcap's `pcap_dump` writes: machine byte order, microseconds. */
export function dumpedLayout(link: number, iface: number): RecordLayout {
  return { littleEndian: endianness() === 'LE', nanoseconds: false, headerBytes: 16, link, iface, lengths: 'captured first' };
}

/**
 * Converts classic pcap records to batch columns, both for capture files and for the live driver, whose buffers pcap_dump fills. It checks each
 * record's bounds first, and stops at the first contradiction, because there is no way to resynchronise. Records (pcap-savefile(5), "per-packet
 * header"):
 *
 *     [ seconds u32 ][ fraction u32 ][ captured u32 ][ wire u32 ][ captured bytes ... ]
 *
 * Before version 2.4 of the format the two lengths could be swapped (`RecordLengths`).
 *
 * It skips and counts a record with an impossible wire length. An impossible captured length sets `broken`.
 */
export class RecordWalk {
  malformed = 0;
  readonly midway = false;
  /** Set by an impossible length, after which nothing can be found. */
  broken: string | null = null;
  readonly layout: RecordLayout;
  #bytes: Uint8Array | null = null;
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(layout: RecordLayout) {
    this.layout = layout;
  }

  /**
   * Appends the complete records in `batch.bytes[from..to)` until the batch is full. Sets offset, captured, wire, time, link and iface, but not
   * direction and processes.
   *
   * @returns offset of the first record not taken
   */
  fill(batch: PacketBatch, from: number, to: number): number {
    if (batch.bytes !== this.#bytes) this.#look(batch.bytes);
    const view = this.#view;
    const { littleEndian, headerBytes, link, iface } = this.layout;
    const perFraction = this.layout.nanoseconds ? 1e-6 : 1e-3;
    const swapped = this.layout.lengths === 'swapped';
    const either = this.layout.lengths === 'either';
    const { offset, captured: captures, wire: wires, time, link: links, iface: ifaces, capacity } = batch;
    let count = batch.count;
    let at = from;
    while (count < capacity && to - at >= headerBytes) {
      let captured = view.getUint32(at + 8, littleEndian);
      let wire = view.getUint32(at + 12, littleEndian);
      if (swapped || (either && captured > wire)) {
        const first = captured;
        captured = wire;
        wire = first;
      }
      if (captured > to - at - headerBytes) {
        if (captured > MAX_CAPTURED_BYTES) this.#lose();
        break;
      }
      if (captured > MAX_CAPTURED_BYTES) {
        this.#lose();
        break;
      }
      if (wire <= MAX_WIRE_BYTES) {
        offset[count] = at + headerBytes;
        captures[count] = captured;
        wires[count] = Math.max(wire, captured);
        time[count] = view.getUint32(at, littleEndian) * 1000 + view.getUint32(at + 4, littleEndian) * perFraction;
        links[count] = link;
        ifaces[count] = iface;
        count++;
      } else this.malformed++;
      at += headerBytes + captured;
    }
    batch.count = count;
    return at;
  }

  #look(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #lose(): void {
    if (this.broken === null) this.malformed++;
    this.broken = 'a record is longer than any frame';
  }
}

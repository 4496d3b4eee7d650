// Classic pcap files: the file header in its five spellings, and a reader of the records behind it.

import { endianness } from 'node:os';
import type { PacketBatch } from '../batch.ts';
import type { InterfaceTable } from '../interface-names.ts';
import { isPktap, PktapUnwrapper } from '../pktap.ts';
import type { ProcessTable } from '../process-names.ts';
import { type FrameReader, MAX_CAPTURED_BYTES, MAX_WIRE_BYTES, shownSnapLength } from './frame-reader.ts';

/** Bytes of the file header. */
export const PCAP_HEADER_BYTES = 24;

/** First words, pcap-savefile(5); the modified one was written by Linux systems of the nineties, with 8 more bytes in each record. */
const MAGIC = { MICROSECONDS: 0xa1b2c3d4, NANOSECONDS: 0xa1b23c4d, MODIFIED: 0xa1b2cd34 } as const;
/** Above it lie the length of the frame check sequence, and whether there is one. */
const LINK_MASK = 0xffff;
const RECORD_HEADER_BYTES = 16;
const MODIFIED_RECORD_HEADER_BYTES = 24;

/** What a file header says. */
interface PcapHeader {
  readonly littleEndian: boolean;
  readonly nanoseconds: boolean;
  readonly recordHeaderBytes: number;
  readonly lengths: RecordLengths;
  readonly link: number;
  /** As written; hostile. */
  readonly snapLength: number;
}

/** True when four bytes at `at` begin a classic pcap file. */
export function isPcap(bytes: Uint8Array, at: number): boolean {
  return magicOf(bytes, at, true) || magicOf(bytes, at, false);
}

/** Reads the file header at `at`, which 24 bytes hold; null when it is none. */
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

/** Reads the records of one classic file; the header has been read. PKTAP records are unwrapped. */
export class PcapReader implements FrameReader {
  readonly midway = false;
  /** Every second of the format's 32 bits is a time that can be. */
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
      // The format does not name its interface; PKTAP headers name theirs.
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

/** Versions as libpcap's sf-pcap.c takes them: 2.3 was written either way; 543.0 is DG/UX's tcpdump. */
function lengthsOf(major: number, minor: number): RecordLengths {
  if (major === 543 || (major === 2 && minor < 3)) return 'swapped';
  return major === 2 && minor === 3 ? 'either' : 'captured first';
}

// Classic pcap records -> batch columns: the fast path of capture files, and of the live driver whose buffers libpcap's pcap_dump filled.
// It proves the bounds of each record before it reads it, and stops at the first that contradicts itself: there is no way to resynchronise.

/** How records are written. */
interface RecordLayout {
  readonly littleEndian: boolean;
  /** The second word counts nanoseconds, not microseconds. */
  readonly nanoseconds: boolean;
  /** 16; 24 in the modified format of old Linux systems. */
  readonly headerBytes: number;
  /** Written into the columns `link` and `iface` of each frame. */
  readonly link: number;
  readonly iface: number;
  /** Which of its two lengths a record has first. */
  readonly lengths: RecordLengths;
}

/** `swapped`: wire length first. `either`: the larger one is the wire length, wherever it stands. */
type RecordLengths = 'captured first' | 'swapped' | 'either';

/** The layout in which libpcap's `pcap_dump` writes: the machine's own byte order, microseconds. */
export function dumpedLayout(link: number, iface: number): RecordLayout {
  return { littleEndian: endianness() === 'LE', nanoseconds: false, headerBytes: 16, link, iface, lengths: 'captured first' };
}

/**
 * Walks records that lie one behind the other (pcap-savefile(5), "per-packet header"):
 *
 *     [ seconds u32 ][ fraction u32 ][ captured u32 ][ wire u32 ][ captured bytes ... ]
 *
 * Writers before version 2.4 of the format had the two lengths the other way round (`RecordLengths`).
 *
 * A record longer on the wire than any frame is passed over and counted; one that was captured longer than any snap length sets `broken`.
 */
export class RecordWalk {
  malformed = 0;
  readonly midway = false;
  /** Set by a length that cannot be true: nothing behind it can be found. */
  broken: string | null = null;
  readonly layout: RecordLayout;
  #bytes: Uint8Array | null = null;
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(layout: RecordLayout) {
    this.layout = layout;
  }

  /**
   * Appends the records that lie complete in `batch.bytes[from..to)` until the batch is full. Writes offset, captured, wire, time, link
   * and iface; leaves direction and processes alone.
   *
   * @returns where the first record begins that was not taken
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

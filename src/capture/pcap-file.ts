// Classic pcap files: the file header in its five spellings, and a reader of the records behind it.

import type { PacketBatch } from './batch.ts';
import { type FrameReader, shownSnapLength } from './frame-reader.ts';
import type { InterfaceTable } from './interface-names.ts';
import { type RecordLengths, RecordWalk } from './pcap-records.ts';
import { isPktap, PktapUnwrapper } from './pktap.ts';
import type { ProcessTable } from './process-names.ts';

/** Bytes of the file header. */
export const PCAP_HEADER_BYTES = 24;

/** First words, pcap-savefile(5); the modified one was written by Linux systems of the nineties, with 8 more bytes in each record. */
const MAGIC = { MICROSECONDS: 0xa1b2c3d4, NANOSECONDS: 0xa1b23c4d, MODIFIED: 0xa1b2cd34 } as const;
/** Above it lie the length of the frame check sequence, and whether there is one. */
const LINK_MASK = 0xffff;
const RECORD_HEADER_BYTES = 16;
const MODIFIED_RECORD_HEADER_BYTES = 24;

/** What a file header says. */
export interface PcapHeader {
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
    return this.#walk.broken ? 'a record is longer than any frame' : null;
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

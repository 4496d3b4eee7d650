// Classic pcap records -> batch columns: the fast path of capture files, and of the live driver whose buffers libpcap's pcap_dump filled.
// It proves the bounds of each record before it reads it, and stops at the first that contradicts itself: there is no way to resynchronise.

import { endianness } from 'node:os';
import type { PacketBatch } from './batch.ts';
import { MAX_CAPTURED_BYTES, MAX_WIRE_BYTES } from './frame-reader.ts';

/** How records are written. */
export interface RecordLayout {
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
export type RecordLengths = 'captured first' | 'swapped' | 'either';

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
  /** A record length cannot be true: nothing behind it can be found. */
  broken = false;
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
    if (!this.broken) this.malformed++;
    this.broken = true;
  }
}

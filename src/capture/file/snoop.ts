// Reads snoop captures, as Solaris writes them: the file header, then the records.

import { NetmonError } from '../../model/errors.ts';
import { LINK } from '../../net/numbers.ts';
import type { PacketBatch } from '../batch.ts';
import type { InterfaceTable } from '../interface-names.ts';
import { type FrameReader, MAX_CAPTURED_BYTES, MAX_WIRE_BYTES } from './frame-reader.ts';

/** Bytes of the file header. */
export const SNOOP_HEADER_BYTES = 16;
/** `snoop`, padded with zeros. */
const MAGIC = [0x736e6f6f, 0x70000000] as const;
const VERSION = 2;
const RECORD_BYTES = 24;
/** Most bytes between a record's frame and the next record. Alignment needs at most four. */
const MAX_PADDING = 4096;
/** A link type that nothing decodes. */
const NO_LINK = 0xffff;
/** DLPI datalink type (RFC 1761 section 3) -> LINKTYPE: 802.3, token ring, Ethernet, FDDI. */
const LINKS = new Map<number, number>([
  [0, LINK.ETHERNET],
  [2, 6],
  [4, LINK.ETHERNET],
  [8, 10],
]);

/** Whether the bytes at `at` begin a snoop file. */
export function isSnoop(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at < SNOOP_HEADER_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, SNOOP_HEADER_BYTES);
  return view.getUint32(0) === MAGIC[0] && view.getUint32(4) === MAGIC[1];
}

/** Reads the records of a snoop file. Everything is big-endian. */
export class SnoopReader implements FrameReader {
  malformed = 0;
  broken: string | null = null;
  readonly midway = false;
  /** Every 32-bit time of the format is possible. */
  readonly mistimed = 0;
  readonly untimed = 0;
  readonly snapLength = MAX_CAPTURED_BYTES;
  readonly drops: { bySystem: number | null; byInterface: null } = { bySystem: null, byInterface: null };
  readonly #link: number;
  readonly #iface: number;
  #lastDrops = 0;
  #bytes: Uint8Array | null = null;
  #view: DataView = new DataView(new ArrayBuffer(0));

  /**
   * @param at offset of a header for which `isSnoop` is true
   * @throws NetmonError `usage` for an unknown version
   */
  constructor(bytes: Uint8Array, at: number, name: string, interfaces: InterfaceTable) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, SNOOP_HEADER_BYTES);
    const version = view.getUint32(8);
    if (version !== VERSION)
      throw new NetmonError('usage', `${name} is a snoop file of version ${version}`, `netmon-tui reads only version ${VERSION}`);
    this.#link = LINKS.get(view.getUint32(12)) ?? NO_LINK;
    this.#iface = interfaces.named(this.#link, false, 'file');
  }

  /**
   * Walks the records (RFC 1761 section 4):
   *
   *     [ wire u32 ][ captured u32 ][ record u32 ][ drops so far u32 ][ seconds u32 ][ microseconds u32 ][ captured bytes ... padding ]
   */
  fill(batch: PacketBatch, from: number, to: number): number {
    if (batch.bytes !== this.#bytes) {
      this.#bytes = batch.bytes;
      this.#view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
    }
    const view = this.#view;
    let at = from;
    while (this.broken === null && batch.count < batch.capacity && to - at >= RECORD_BYTES) {
      const captured = view.getUint32(at + 4);
      const record = view.getUint32(at + 8);
      const padding = record - RECORD_BYTES - captured;
      if (captured > MAX_CAPTURED_BYTES || padding < 0 || padding > MAX_PADDING) {
        this.malformed++;
        this.broken = 'the lengths of a record contradict each other';
        break;
      }
      if (record > to - at) break;
      this.#drop(view.getUint32(at + 12));
      const wire = view.getUint32(at);
      if (wire <= MAX_WIRE_BYTES) {
        const i = batch.count++;
        batch.offset[i] = at + RECORD_BYTES;
        batch.captured[i] = captured;
        batch.wire[i] = Math.max(wire, captured);
        batch.time[i] = view.getUint32(at + 16) * 1000 + view.getUint32(at + 20) / 1000;
        batch.link[i] = this.#link;
        batch.iface[i] = this.#iface;
      } else this.malformed++;
      at += record;
    }
    return at;
  }

  /** Takes the running total of drops. A total that shrinks is ignored. */
  #drop(total: number): void {
    this.drops.bySystem = (this.drops.bySystem ?? 0) + Math.max(0, total - this.#lastDrops);
    this.#lastDrops = Math.max(total, this.#lastDrops);
  }
}

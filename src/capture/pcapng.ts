// pcapng, cut anywhere -> batch columns; Apple's process blocks included. It refuses blocks whose two lengths disagree: nothing behind
// them can be found. Unknown blocks are passed over.

import { DIRECTION } from '../net/numbers.ts';
import { NO_PROCESS, type PacketBatch } from './batch.ts';
import { type FrameReader, MAX_CAPTURED_BYTES, MAX_TIME_MS, MAX_WIRE_BYTES, shownSnapLength } from './frame-reader.ts';
import type { InterfaceTable } from './interface-names.ts';
import { PcapngDrops } from './pcapng-drops.ts';
import { PcapngSection, type SectionInterface } from './pcapng-section.ts';
import type { ProcessTable } from './process-names.ts';

/** First word of every pcapng stream; reads the same in both byte orders. */
export const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Block types, draft-ietf-opsawg-pcapng section 11.1; 0x80000001 is Apple's (libpcap pcap/pcap-ng.h). */
const BLOCK = { INTERFACE: 1, PACKET: 2, SIMPLE: 3, STATISTICS: 5, ENHANCED: 6, PROCESS: 0x8000_0001 } as const;
const OPTION = { END: 0, FLAGS: 2, APPLE: 0x8000, PROCESS: 0x8001, EFFECTIVE: 0x8003 } as const;

/** Bytes of a block that has to lie complete in the buffer: a whole frame and 64 KiB of options. */
export const MAX_BLOCK_BYTES = MAX_CAPTURED_BYTES + 65_536;
/** Bytes of a block that is only passed over; more is garbage. */
const MAX_SKIPPED_BYTES = 64 * 1024 * 1024;
const SHORTEST_BLOCK = 12;
const SHORTEST_SECTION = 28;
const PACKET_HEADER = 28;
const SIMPLE_HEADER = 12;
const TRAILER = 4;
const TWO_TO_32 = 0x1_0000_0000;

/** Reads one pcapng stream, section after section. */
export class PcapngReader implements FrameReader {
  malformed = 0;
  mistimed = 0;
  untimed = 0;
  broken: string | null = null;
  snapLength = MAX_CAPTURED_BYTES;
  readonly drops = new PcapngDrops();
  readonly #section: PcapngSection;
  readonly #pktap: boolean;
  #littleEndian = true;
  #started = false;
  #skip = 0;
  #lastTime = 0;
  #timed = false;
  #bytes: Uint8Array | null = null;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #process = NO_PROCESS;
  #effective = NO_PROCESS;
  #direction: number = DIRECTION.UNKNOWN;
  #apple = false;

  /** @param pktap true where the stream is known to come from PKTAP; else Apple's options in the packets tell */
  constructor(interfaces: InterfaceTable, processes: ProcessTable, pktap = false) {
    this.#section = new PcapngSection(interfaces, processes);
    this.#pktap = pktap;
  }

  get midway(): boolean {
    return this.#skip > 0;
  }

  fill(batch: PacketBatch, from: number, to: number): number {
    if (batch.bytes !== this.#bytes) {
      this.#bytes = batch.bytes;
      this.#view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
    }
    const view = this.#view;
    let at = from;
    while (this.broken === null && batch.count < batch.capacity) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, to - at);
        this.#skip -= step;
        at += step;
      }
      if (to - at < SHORTEST_BLOCK) break;
      const type = view.getUint32(at, this.#littleEndian);
      if (type === SECTION_HEADER && !this.#turn(at)) break;
      const length = view.getUint32(at + 4, this.#littleEndian);
      if (!this.#plausible(type, length)) break;
      if (!isRead(type)) {
        this.#skip = length;
        continue;
      }
      if (length > to - at) break;
      if (view.getUint32(at + length - TRAILER, this.#littleEndian) !== length) {
        this.#lose('the two lengths of a block disagree');
        break;
      }
      this.#block(batch, type, at, at + length - TRAILER);
      at += length;
    }
    return at;
  }

  /** Learns the byte order of a new section, which may differ from the last one's. */
  #turn(at: number): boolean {
    if (this.#view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC) this.#littleEndian = true;
    else if (this.#view.getUint32(at + 8, false) === BYTE_ORDER_MAGIC) this.#littleEndian = false;
    else return this.#lose('a section has no byte order');
    this.#started = true;
    return true;
  }

  #plausible(type: number, length: number): boolean {
    if (!this.#started) return this.#lose('it does not begin with a section');
    if (length < SHORTEST_BLOCK || (length & 3) !== 0) return this.#lose(`a block of ${length} bytes`);
    if (length > (isRead(type) ? MAX_BLOCK_BYTES : MAX_SKIPPED_BYTES)) return this.#lose(`a block of ${length} bytes`);
    return true;
  }

  #lose(why: string): false {
    this.malformed++;
    this.broken = why;
    return false;
  }

  /** Reads the block at `at`; `end` is where its trailing length begins. */
  #block(batch: PacketBatch, type: number, at: number, end: number): void {
    const body = at + 8;
    switch (type) {
      case BLOCK.ENHANCED:
      case BLOCK.PACKET:
        if (end - at < PACKET_HEADER || !this.#packet(batch, type, at, end)) this.malformed++;
        break;
      case BLOCK.SIMPLE:
        if (end - at < SIMPLE_HEADER || !this.#simple(batch, at, end)) this.malformed++;
        break;
      case BLOCK.INTERFACE:
        if (this.#section.addInterface(batch.bytes, this.#view, this.#littleEndian, body, end)) {
          this.snapLength = shownSnapLength((this.#section.interfaces.at(-1) as SectionInterface).snapLength);
        } else this.malformed++;
        break;
      case BLOCK.PROCESS:
        if (!this.#section.addProcess(batch.bytes, this.#view, this.#littleEndian, body, end)) this.malformed++;
        break;
      case BLOCK.STATISTICS:
        if (!this.drops.add(this.#view, this.#littleEndian, body, end, this.#section.interfaces.length)) this.malformed++;
        break;
      default:
        if (end - at < SHORTEST_SECTION - TRAILER) this.malformed++;
        this.#section.reset();
        this.drops.reset();
    }
  }

  /**
   * Enhanced packet block, and the packet block that it replaced:
   *
   *     [ type ][ length ][ interface u32 ][ time high ][ time low ][ captured ][ wire ][ data, padded to 4 ][ options ]
   *                       [ u16 ][ drops u16 ]    in a packet block
   */
  #packet(batch: PacketBatch, type: number, at: number, end: number): boolean {
    const view = this.#view;
    const little = this.#littleEndian;
    const number = type === BLOCK.ENHANCED ? view.getUint32(at + 8, little) : view.getUint16(at + 8, little);
    const captured = view.getUint32(at + 20, little);
    const data = at + PACKET_HEADER;
    if (number >= this.#section.interfaces.length || captured > end - data || captured > MAX_CAPTURED_BYTES) return false;
    const from = this.#section.interfaces[number] as SectionInterface;
    const ticks = view.getUint32(at + 12, little) * TWO_TO_32 + view.getUint32(at + 16, little);
    const wire = view.getUint32(at + 24, little);
    if (wire > MAX_WIRE_BYTES) return false;
    const time = ticks / from.ticksPerMs + from.offsetMs;
    if (time >= 0 && time <= MAX_TIME_MS) {
      this.#lastTime = time;
      this.#timed = true;
    } else this.mistimed++;
    this.#options(data + ((captured + 3) & ~3), end);
    this.#frame(batch, number, data, captured, wire);
    return true;
  }

  /** Simple packet block: no time, no options, always the first interface; its captured length follows from the snap length. */
  #simple(batch: PacketBatch, at: number, end: number): boolean {
    const first = this.#section.interfaces[0];
    if (first === undefined) return false;
    const wire = this.#view.getUint32(at + 8, this.#littleEndian);
    if (wire > MAX_WIRE_BYTES) return false;
    const data = at + SIMPLE_HEADER;
    const captured = Math.min(wire, end - data, first.snapLength === 0 ? MAX_CAPTURED_BYTES : first.snapLength);
    this.#options(end, end);
    this.#frame(batch, 0, data, captured, wire);
    return true;
  }

  /** Adds a frame, at the last time that was known. */
  #frame(batch: PacketBatch, number: number, data: number, captured: number, wire: number): void {
    const from = this.#section.interfaces[number] as SectionInterface;
    const pktap = this.#pktap || (this.#direction !== DIRECTION.UNKNOWN && (this.#apple || this.#section.namesProcesses));
    if (!this.#timed) this.untimed++;
    const i = batch.count++;
    batch.offset[i] = data;
    batch.captured[i] = captured;
    batch.wire[i] = Math.max(wire, captured);
    batch.time[i] = this.#lastTime;
    batch.link[i] = from.link;
    batch.iface[i] = from.index >= 0 ? from.index : this.#section.register(number, pktap);
    batch.direction[i] = this.#direction;
    batch.process[i] = this.#process;
    batch.effective[i] = this.#effective === this.#process ? NO_PROCESS : this.#effective;
  }

  /** Reads direction and processes out of a packet's options; a broken list ends where it breaks. */
  #options(from: number, end: number): void {
    const view = this.#view;
    const little = this.#littleEndian;
    this.#direction = DIRECTION.UNKNOWN;
    this.#process = NO_PROCESS;
    this.#effective = NO_PROCESS;
    this.#apple = false;
    for (let at = from; end - at >= 4; ) {
      const code = view.getUint16(at, little);
      const length = view.getUint16(at + 2, little);
      if (code === OPTION.END || length > end - at - 4) return;
      if (length === 4) {
        if (code === OPTION.FLAGS) this.#direction = directionOf(view.getUint32(at + 4, little));
        else if (code === OPTION.PROCESS) this.#process = this.#section.process(view.getUint32(at + 4, little));
        else if (code === OPTION.EFFECTIVE) this.#effective = this.#section.process(view.getUint32(at + 4, little));
      }
      // Custom options (2988 ... 19373) lie below; what is left with the top bit set and a low number is Apple's.
      if (code > OPTION.APPLE && code <= OPTION.APPLE + 0xff) this.#apple = true;
      at += 4 + ((length + 3) & ~3);
    }
  }
}

/** Blocks that are read; all others are passed over. */
function isRead(type: number): boolean {
  return (
    type === BLOCK.ENHANCED ||
    type === BLOCK.PROCESS ||
    type === BLOCK.INTERFACE ||
    type === BLOCK.STATISTICS ||
    type === SECTION_HEADER ||
    type === BLOCK.SIMPLE ||
    type === BLOCK.PACKET
  );
}

/** The two low bits of the flags word: 1 inbound, 2 outbound. */
function directionOf(flags: number): number {
  const direction = flags & 3;
  return direction === 1 ? DIRECTION.IN : direction === 2 ? DIRECTION.OUT : DIRECTION.UNKNOWN;
}

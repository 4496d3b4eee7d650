// Converts pcapng, in pieces of any size, to batch columns, including Apple's process blocks. It skips unknown blocks. It stops at a block whose
// two lengths disagree, because nothing can be found after it.

import { NAME_SOURCES, type NameSource } from '../../model/terms.ts';
import { DIRECTION } from '../../net/numbers.ts';
import { NO_PROCESS, type PacketBatch } from '../batch.ts';
import { type InterfaceTable, nameEnd } from '../interface-names.ts';
import type { ProcessDescription, ProcessTable } from '../process-names.ts';
import type { RecordedFlow } from '../source.ts';
import { type FrameReader, MAX_CAPTURED_BYTES, MAX_TIME_MS, MAX_WIRE_BYTES, shownSnapLength } from './frame-reader.ts';
import {
  BLOCK,
  BYTE_ORDER_MAGIC,
  INTERFACE_OPTION,
  OPTION,
  PACKET_FLAGS,
  PACKET_OPTION,
  PLACE,
  PROCESS_OPTION,
  SECTION_HEADER,
  STATISTICS_OPTION,
} from './pcapng-format.ts';

/** Largest block that we read, so it must fit into the buffer: a frame and 64 KiB of options. */
export const MAX_BLOCK_BYTES = MAX_CAPTURED_BYTES + 65_536;
/** Largest block that we skip. A longer one is garbage. */
const MAX_SKIPPED_BYTES = 64 * 1024 * 1024;
const SHORTEST_BLOCK = 12;
const SHORTEST_SECTION = 28;
const PACKET_HEADER = 28;
const SIMPLE_HEADER = 12;
const TRAILER = 4;
const TWO_TO_32 = 0x1_0000_0000;
/** A host's name with the byte before it. */
const HOST_BYTES = 256;

/** Reads one pcapng stream with all its sections. */
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
  readonly recorded: RecordedFlow[] = [];

  /** @param pktap whether the stream is known to come from PKTAP; if not, Apple's options in packets show it */
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
    if (batch.count === 0) this.recorded.length = 0;
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
      if (type === SECTION_HEADER && !this.#startSection(at)) break;
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

  /** Reads the byte order of a new section, which may differ from the previous one's. */
  #startSection(at: number): boolean {
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

  /** Reads the block at `at`. @param end offset of its trailing length */
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
   * Enhanced packet block, and the older packet block:
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
    const wire = view.getUint32(at + 24, little);
    if (wire > MAX_WIRE_BYTES) return false;
    const time = milliseconds(view.getUint32(at + 12, little), view.getUint32(at + 16, little), from.ticksPerMs) + from.offsetMs;
    if (time >= 0 && time <= MAX_TIME_MS) {
      this.#lastTime = time;
      this.#timed = true;
    } else this.mistimed++;
    this.#options(batch, data + ((captured + 3) & ~3), end);
    this.#frame(batch, number, data, captured, wire);
    return true;
  }

  /** Simple packet block: it has no time and no options and belongs to the first interface; its captured length follows from the snap length. */
  #simple(batch: PacketBatch, at: number, end: number): boolean {
    const first = this.#section.interfaces[0];
    if (first === undefined) return false;
    const wire = this.#view.getUint32(at + 8, this.#littleEndian);
    if (wire > MAX_WIRE_BYTES) return false;
    const data = at + SIMPLE_HEADER;
    const captured = Math.min(wire, end - data, first.snapLength === 0 ? MAX_CAPTURED_BYTES : first.snapLength);
    this.#options(batch, end, end);
    this.#frame(batch, 0, data, captured, wire);
    return true;
  }

  /** Adds a frame with the last known time. */
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

  /** Reads direction, processes and the host from the options of the packet that `batch` takes next. Stops where the list is broken. */
  #options(batch: PacketBatch, from: number, end: number): void {
    const view = this.#view;
    const little = this.#littleEndian;
    this.#direction = DIRECTION.UNKNOWN;
    this.#process = NO_PROCESS;
    this.#effective = NO_PROCESS;
    this.#apple = false;
    let name = '';
    let source: NameSource = 'none';
    let place = -1;
    let otherEnd = NO_PROCESS;
    for (let at = from; end - at >= 4; ) {
      const code = view.getUint16(at, little);
      const length = view.getUint16(at + 2, little);
      if (code === OPTION.END || length > end - at - 4) break;
      if (length === 4) {
        if (code === PACKET_OPTION.FLAGS) this.#direction = directionOf(view.getUint32(at + 4, little));
        else if (code === PACKET_OPTION.PROCESS) this.#process = this.#section.process(view.getUint32(at + 4, little));
        else if (code === PACKET_OPTION.EFFECTIVE) this.#effective = this.#section.process(view.getUint32(at + 4, little));
        else if (code === PACKET_OPTION.OTHER_END) otherEnd = this.#section.process(view.getUint32(at + 4, little));
      }
      if (code === PACKET_OPTION.PLACE && length === 1) place = batch.bytes[at + 4] as number;
      if (code === PACKET_OPTION.HOST && length > 1 && length <= HOST_BYTES) {
        source = NAME_SOURCES[batch.bytes[at + 4] as number] ?? 'none';
        name = latin1.decode(batch.bytes.subarray(at + 5, at + 4 + length));
      }
      // Numbers just above 0x8000 are Apple's; custom options (2988 ... 19373) are lower.
      if (code > PACKET_OPTION.APPLE && code <= PACKET_OPTION.APPLE + 0xff) this.#apple = true;
      at += 4 + ((length + 3) & ~3);
    }
    if (name === '' && place < 0) return;
    const direction = place < 0 ? -1 : place & PLACE.DIRECTION;
    this.recorded.push({ frame: batch.count, name, source, direction, isSent: (place & PLACE.SENT) !== 0, otherEnd });
  }
}

/** Whether we read blocks of this type; all others are skipped. */
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

/** Ticks as milliseconds, rounded once: nanoseconds since 1970 don't fit the 53 bits of a double. */
function milliseconds(high: number, low: number, ticksPerMs: number): number {
  const upper = high * TWO_TO_32;
  if (upper <= Number.MAX_SAFE_INTEGER || !Number.isInteger(ticksPerMs)) return (upper + low) / ticksPerMs;
  const rest = upper % ticksPerMs;
  return Math.round((upper - rest) / ticksPerMs) + (rest + low) / ticksPerMs;
}

/** The direction in the flags word: 1 inbound, 2 outbound. */
function directionOf(flags: number): number {
  const direction = flags & PACKET_FLAGS.DIRECTION;
  if (direction === 1 && (flags & PACKET_FLAGS.RECEPTION) === PACKET_FLAGS.PROMISCUOUS) return DIRECTION.PASSING;
  return direction === 1 ? DIRECTION.IN : direction === 2 ? DIRECTION.OUT : DIRECTION.UNKNOWN;
}

const MAX_INTERFACES = 4_096;
/** A capture declares one for each process that it sees while it runs. */
const MAX_PROCESSES = 1 << 20;
const NAME_BYTES = 255;
const MICROSECONDS_PER_MS = 1000;
/** A link type that nothing decodes. */
const NO_LINK = 0xffff;

/** Loopback interfaces by name. PKTAP delivers only their packets twice. */
const LOOPBACK_NAME = /^lo/;
const IDB_HEADER = 8;
const PIB_HEADER = 4;
/** What the options of a process block describe beyond its name. */
const DESCRIBED: Readonly<Record<number, keyof ProcessDescription>> = {
  [PROCESS_OPTION.PATH]: 'exe',
  [PROCESS_OPTION.USER]: 'user',
  [PROCESS_OPTION.SCRIPT]: 'script',
  [PROCESS_OPTION.UNIT]: 'unit',
};
const NOT_DESCRIBED: ProcessDescription = { exe: null, user: null, script: null, unit: null };
/** Bytes of a text that our own encoder writes, at most. */
const TEXT_BYTES = 2048;

const latin1 = new TextDecoder('latin1');
const utf8 = new TextDecoder('utf-8');

/** An interface as a section declared it. */
interface SectionInterface {
  readonly link: number;
  readonly snapLength: number;
  /** Clock ticks per millisecond. */
  readonly ticksPerMs: number;
  /** Added to every time stamp. */
  readonly offsetMs: number;
  /** Index in the source's list; -1 for a loopback interface until its first packet shows whether PKTAP delivers it (twice). */
  index: number;
}

/** Interfaces and processes that the current section has declared, by number (draft-ietf-opsawg-pcapng section 4; Apple's process block: libpcap pcap/pcap-ng.h). */
class PcapngSection {
  readonly interfaces: SectionInterface[] = [];
  /** True once the section has named a process, which only Apple's tcpdump does. */
  namesProcesses = false;
  readonly #names: Uint8Array[] = [];
  readonly #processes: number[] = [];
  readonly #interfaceTable: InterfaceTable;
  readonly #processTable: ProcessTable;

  constructor(interfaceTable: InterfaceTable, processTable: ProcessTable) {
    this.#interfaceTable = interfaceTable;
    this.#processTable = processTable;
  }

  /** Starts a new section. */
  reset(): void {
    this.interfaces.length = 0;
    this.#names.length = 0;
    this.#processes.length = 0;
    this.namesProcesses = false;
  }

  /**
   * Reads the body of an interface description block. One that is too short still takes a number, so the following ones keep theirs.
   *
   * @returns false if it is too short or there are too many
   */
  addInterface(bytes: Uint8Array, view: DataView, littleEndian: boolean, from: number, to: number): boolean {
    if (this.interfaces.length >= MAX_INTERFACES) return false;
    if (to - from < IDB_HEADER) {
      this.interfaces.push({ link: NO_LINK, snapLength: 0, ticksPerMs: MICROSECONDS_PER_MS, offsetMs: 0, index: -1 });
      this.#names.push(new Uint8Array(0));
      return false;
    }
    let ticksPerMs = MICROSECONDS_PER_MS;
    let offsetMs = 0;
    let name = new Uint8Array(0);
    for (let at = from + IDB_HEADER; to - at >= 4; ) {
      const code = view.getUint16(at, littleEndian);
      const length = view.getUint16(at + 2, littleEndian);
      const value = at + 4;
      if (code === OPTION.END || length > to - value) break;
      if (code === INTERFACE_OPTION.NAME) name = bytes.slice(value, nameEnd(bytes, value, value + Math.min(length, NAME_BYTES)));
      else if (code === INTERFACE_OPTION.RESOLUTION && length >= 1) ticksPerMs = resolution(view.getUint8(value));
      else if (code === INTERFACE_OPTION.OFFSET && length >= 8) offsetMs = Number(view.getBigInt64(value, littleEndian)) * 1000;
      at = value + ((length + 3) & ~3);
    }
    const link = view.getUint16(from, littleEndian);
    const number =
      this.interfaces.push({ link, snapLength: view.getUint32(from + 4, littleEndian), ticksPerMs, offsetMs, index: -1 }) - 1;
    this.#names.push(name);
    if (!LOOPBACK_NAME.test(latin1.decode(name))) this.register(number, false);
    return true;
  }

  /** Reads the body of Apple's process information block. @returns false if it is too short or there are too many */
  addProcess(bytes: Uint8Array, view: DataView, littleEndian: boolean, from: number, to: number): boolean {
    if (this.#processes.length >= MAX_PROCESSES) return false;
    if (to - from < PIB_HEADER) {
      this.#processes.push(NO_PROCESS);
      return false;
    }
    let start = from;
    let end = from;
    let isDescribed = false;
    const description: { -readonly [Key in keyof ProcessDescription]: ProcessDescription[Key] } = { ...NOT_DESCRIBED };
    for (let at = from + PIB_HEADER; to - at >= 4; ) {
      const code = view.getUint16(at, littleEndian);
      const length = view.getUint16(at + 2, littleEndian);
      const value = at + 4;
      if (code === OPTION.END || length > to - value) break;
      const what = DESCRIBED[code];
      if (code === PROCESS_OPTION.NAME) {
        start = value;
        // Apple's libpcap up to 1.9.1 counts the NUL in the length.
        end = nameEnd(bytes, value, value + Math.min(length, NAME_BYTES));
      } else if (what !== undefined && length > 0 && length <= TEXT_BYTES) {
        description[what] = utf8.decode(bytes.subarray(value, nameEnd(bytes, value, value + length)));
        isDescribed = true;
      }
      at = value + ((length + 3) & ~3);
    }
    this.namesProcesses = true;
    const pid = view.getInt32(from, littleEndian);
    this.#processes.push(
      isDescribed
        ? this.#processTable.described(pid, utf8.decode(bytes.subarray(start, end)), description)
        : this.#processTable.indexOf(pid, bytes, start, end),
    );
    return true;
  }

  /** Index in the source's list of the section's process `number`. */
  process(number: number): number {
    return number < this.#processes.length ? (this.#processes[number] as number) : NO_PROCESS;
  }

  /** Adds interface `number` to the source's list. @returns its index there */
  register(number: number, pktap: boolean): number {
    const declared = this.interfaces[number] as SectionInterface;
    const name = this.#names[number] as Uint8Array;
    declared.index =
      name.length > 0
        ? this.#interfaceTable.indexOf(declared.link, pktap, name, 0, name.length)
        : this.#interfaceTable.named(declared.link, pktap, `if${number}`);
    return declared.index;
  }
}

/** Ticks per millisecond of an if_tsresol: a power of ten, or of two if the top bit is set. */
function resolution(written: number): number {
  const exponent = written & 0x7f;
  return written & 0x80 ? 2 ** exponent / 1000 : 10 ** exponent / 1000;
}

const HEADER = 12;
const COUNT_BYTES = 8;

/** Sums dropped frames from interface statistics blocks, which dumpcap and tcpdump write at the end or now and then. The counts are running totals per section. */
class PcapngDrops {
  /** Frames that the operating system dropped (isb_osdrop); null if the stream doesn't say. */
  bySystem: number | null = null;
  /** Frames that the interfaces dropped (isb_ifdrop); null if the stream doesn't say. */
  byInterface: number | null = null;
  /** Latest total by interface of the current section. */
  readonly #system: number[] = [];
  readonly #interface: number[] = [];

  /** Starts a new section, which counts from zero. */
  reset(): void {
    this.#system.length = 0;
    this.#interface.length = 0;
  }

  /**
   * Reads the body of an interface statistics block (draft-ietf-opsawg-pcapng section 4.6).
   *
   *     [ interface u32 ][ time high ][ time low ][ options: code u16, length u16, value, padded to 4 ]
   *
   * @returns false if it is too short or its interface is undeclared
   */
  add(view: DataView, littleEndian: boolean, from: number, to: number, interfaces: number): boolean {
    if (to - from < HEADER) return false;
    const number = view.getUint32(from, littleEndian);
    if (number >= interfaces) return false;
    for (let at = from + HEADER; to - at >= 4; ) {
      const code = view.getUint16(at, littleEndian);
      const length = view.getUint16(at + 2, littleEndian);
      if (code === OPTION.END || length > to - at - 4) break;
      if (length === COUNT_BYTES && (code === STATISTICS_OPTION.BY_SYSTEM || code === STATISTICS_OPTION.BY_INTERFACE))
        this.#learn(code, number, Number(view.getBigUint64(at + 4, littleEndian)));
      at += 4 + ((length + 3) & ~3);
    }
    return true;
  }

  #learn(code: number, number: number, count: number): void {
    if (count > Number.MAX_SAFE_INTEGER) return; // all ones: unknown
    const known = code === STATISTICS_OPTION.BY_SYSTEM ? this.#system : this.#interface;
    const more = Math.max(0, count - (known[number] ?? 0)); // ignore a total that shrinks
    known[number] = (known[number] ?? 0) + more;
    if (code === STATISTICS_OPTION.BY_SYSTEM) this.bySystem = (this.bySystem ?? 0) + more;
    else this.byInterface = (this.byInterface ?? 0) + more;
  }
}

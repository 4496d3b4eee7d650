// What a pcapng section has declared so far: its interfaces and processes, by the numbers that its packets use. Bounded; a new section
// starts from nothing.

import { NO_PROCESS } from './batch.ts';
import type { InterfaceTable } from './interface-names.ts';
import { nameEnd } from './name-index.ts';
import type { ProcessTable } from './process-names.ts';

const MAX_INTERFACES = 4_096;
/** One for each process that a capture met, for as long as it runs. */
const MAX_PROCESSES = 1 << 20;
const NAME_BYTES = 64;
const MICROSECONDS_PER_MS = 1000;
/** A link type that nothing decodes. */
const NO_LINK = 0xffff;

/** Judged by the bytes of the name alone; only of these does PKTAP deliver packets twice. */
const LOOPBACK_NAME = /^lo/;
const IDB_HEADER = 8;
const PIB_HEADER = 4;
const OPTION = { END: 0, NAME: 2, TSRESOL: 9, TSOFFSET: 14 } as const;
const PROCESS_NAME = 2;

const decoder = new TextDecoder('latin1');

/** An interface as a section declared it. */
export interface SectionInterface {
  readonly link: number;
  readonly snapLength: number;
  /** Ticks of its clock in a millisecond. */
  readonly ticksPerMs: number;
  /** Added to every time stamp. */
  readonly offsetMs: number;
  /** Index in the source's list; -1 for a loopback interface until its first packet tells whether PKTAP delivers it, twice. */
  index: number;
}

/** Tables of one section (draft-ietf-opsawg-pcapng section 4; Apple's process block: libpcap pcap/pcap-ng.h). */
export class PcapngSection {
  readonly interfaces: SectionInterface[] = [];
  /** True once the section has named a process, as only Apple's tcpdump does. */
  namesProcesses = false;
  readonly #names: Uint8Array[] = [];
  readonly #processes: number[] = [];
  readonly #interfaceTable: InterfaceTable;
  readonly #processTable: ProcessTable;

  constructor(interfaceTable: InterfaceTable, processTable: ProcessTable) {
    this.#interfaceTable = interfaceTable;
    this.#processTable = processTable;
  }

  /** Forgets everything: a section header came. */
  reset(): void {
    this.interfaces.length = 0;
    this.#names.length = 0;
    this.#processes.length = 0;
    this.namesProcesses = false;
  }

  /**
   * Takes the body of an interface description block. One that is too short keeps its number, so that those behind it keep theirs.
   *
   * @returns false when it is too short to be one, or one too many
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
      if (code === OPTION.NAME) name = bytes.slice(value, nameEnd(bytes, value, value + Math.min(length, NAME_BYTES)));
      else if (code === OPTION.TSRESOL && length >= 1) ticksPerMs = resolution(view.getUint8(value));
      else if (code === OPTION.TSOFFSET && length >= 8) offsetMs = Number(view.getBigInt64(value, littleEndian)) * 1000;
      at = value + ((length + 3) & ~3);
    }
    const link = view.getUint16(from, littleEndian);
    const number =
      this.interfaces.push({ link, snapLength: view.getUint32(from + 4, littleEndian), ticksPerMs, offsetMs, index: -1 }) - 1;
    this.#names.push(name);
    if (!LOOPBACK_NAME.test(decoder.decode(name))) this.register(number, false);
    return true;
  }

  /** Takes the body of one of Apple's process information blocks. @returns false when it is too short to be one, or one too many */
  addProcess(bytes: Uint8Array, view: DataView, littleEndian: boolean, from: number, to: number): boolean {
    if (this.#processes.length >= MAX_PROCESSES) return false;
    if (to - from < PIB_HEADER) {
      this.#processes.push(NO_PROCESS);
      return false;
    }
    let start = from;
    let end = from;
    for (let at = from + PIB_HEADER; to - at >= 4; ) {
      const code = view.getUint16(at, littleEndian);
      const length = view.getUint16(at + 2, littleEndian);
      const value = at + 4;
      if (code === OPTION.END || length > to - value) break;
      if (code === PROCESS_NAME) {
        start = value;
        // Apple's libpcap up to 1.9.1 counts the NUL in the length.
        end = nameEnd(bytes, value, value + Math.min(length, NAME_BYTES));
      }
      at = value + ((length + 3) & ~3);
    }
    this.namesProcesses = true;
    this.#processes.push(this.#processTable.indexOf(view.getInt32(from, littleEndian), bytes, start, end));
    return true;
  }

  /** Index in the source's list of the process that a packet calls `number`. */
  process(number: number): number {
    return number < this.#processes.length ? (this.#processes[number] as number) : NO_PROCESS;
  }

  /** Enters interface `number` in the source's list. */
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

/** if_tsresol: a power of ten, or of two where the top bit is set. */
function resolution(written: number): number {
  const exponent = written & 0x7f;
  return written & 0x80 ? 2 ** exponent / 1000 : 10 ** exponent / 1000;
}

// The child's half of the cap driver: opens one interface with the package `cap` and writes its frames into a pipe. It interprets nothing but
// the length worth keeping.

import { LINK } from '../../net/numbers.ts';
import { writeProgram } from '../libpcap/bpf-assembler.ts';
import { BpfProgram } from '../libpcap/bpf-program.ts';
import { snapProgram } from '../libpcap/snap-program.ts';

/** The part of the package `cap` 0.2.1 that is used. */
export interface CapModule {
  readonly Cap: new () => CapHandle;
}

/** A capture handle of the package. */
export interface CapHandle {
  /** @returns the link type as text; throws libpcap's message */
  open(device: string, filter: string, ringBytes: number, buffer: Buffer): string;
  on(event: 'packet', listener: (length: number, truncated: boolean) => void): unknown;
}

/** Where the relay writes, and its clock. */
interface RelayOutput {
  /** Writes as much of `bytes[from..to)` as the pipe takes without blocking. @returns bytes written, 0 when it is full */
  write(bytes: Uint8Array, from: number, to: number): number;
  /** Writes a line to standard error, as tcpdump would. */
  say(text: string): void;
  /** Epoch milliseconds, with fractions. */
  now(): number;
}

/** The link types of Linux interfaces, as `cap` spells them. */
const LINKS = new Map<string, number>([
  ['ETHERNET', LINK.ETHERNET],
  ['RAW', LINK.RAW],
  ['LINKTYPE_LINUX_SLL', LINK.LINUX_SLL],
]);
/** Link header bytes that the kernel's packet length leaves out in cooked captures. */
const COOKED_HEADER = 16;

/** The snap length of `cap` is 65,535; a frame that libpcap reassembled may be a little longer. */
const FRAME_BYTES = 65_535 + 1024;
const RECORD_HEADER = 16;
/** Three seconds of 20,000 bulk frames a second. Pages that were never written take no memory. */
const PENDING_BYTES = 12 << 20;
const WRITE_BYTES = 1 << 16;
/** When there is no room: frames between two attempts to write. */
const SHED_STEP = 1024;

/**
 * Turns frames into pcap records (file/pcap.ts) in the machine's byte order, cut to the length worth keeping. A frame that finds no room is
 * counted.
 *
 *     pending  [ records to write | free ]      records end at #end
 *
 * The addon doesn't return to the event loop while packets come, so the relay writes between packets: once 64 KiB have been added.
 */
export class CapRelay {
  readonly #frame = Buffer.alloc(FRAME_BYTES);
  readonly #pending = Buffer.alloc(PENDING_BYTES);
  readonly #words = new DataView(this.#pending.buffer, this.#pending.byteOffset, PENDING_BYTES);
  readonly #output: RelayOutput;
  readonly #littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  #handle: CapHandle | null = null;
  /** Chooses the length to keep, as the kernel does for libpcap; null keeps all. */
  #snap: BpfProgram | null = null;
  #uncounted = 0;
  #end = 0;
  #writeAt = WRITE_BYTES;
  #shed = 0;
  #saidShed = 0;

  constructor(output: RelayOutput) {
    this.#output = output;
  }

  /**
   * Opens the one interface of this process. The relay must then live as long as the process, also after a failure: the addon writes into the
   * frame buffer without a reference to it, and collecting a handle whose `open` threw aborts the process.
   *
   * @param wholePackets keeps all of each frame
   * @returns its LINKTYPE @throws what libpcap says
   */
  open(module: CapModule, device: string, filter: string, ringBytes: number, wholePackets: boolean): number {
    this.#handle = new module.Cap();
    this.#handle.on('packet', (length) => this.#take(length));
    const name = this.#handle.open(device, filter, ringBytes, this.#frame);
    const link = LINKS.get(name);
    const program = link === undefined ? null : snapProgram(link);
    if (link === undefined || program === null) throw new Error(`link type ${name} is not decoded`);
    this.#snap = wholePackets ? null : new BpfProgram(writeProgram(program));
    this.#uncounted = link === LINK.LINUX_SLL ? COOKED_HEADER : 0;
    return link;
  }

  /** Writes what waits, as far as the pipe takes it. For a timer: the last frames of a burst must not wait for the next. */
  flush(): void {
    let start = 0;
    for (let wrote = 1; start < this.#end && wrote > 0; start += wrote)
      wrote = this.#output.write(this.#pending, start, this.#end);
    this.#pending.copyWithin(0, start, this.#end);
    this.#end -= start;
    this.#writeAt = this.#end + WRITE_BYTES;
    if (this.#shed !== this.#saidShed) {
      this.#saidShed = this.#shed;
      this.#output.say(`${this.#shed} packets dropped by netmon-tui`);
    }
  }

  #take(length: number): void {
    const captured = Math.min(length, FRAME_BYTES);
    const wanted = this.#snap === null ? captured : this.#snap.run(this.#frame, 0, captured, captured - this.#uncounted);
    const kept = Math.min(captured, wanted);
    if (this.#end + RECORD_HEADER + kept > PENDING_BYTES) {
      this.#shed++;
      if (this.#shed % SHED_STEP === 0) this.flush();
      return;
    }
    const time = this.#output.now();
    const seconds = Math.floor(time / 1000);
    const at = this.#end;
    this.#words.setUint32(at, seconds, this.#littleEndian);
    this.#words.setUint32(at + 4, (time - seconds * 1000) * 1000, this.#littleEndian);
    this.#words.setUint32(at + 8, kept, this.#littleEndian);
    this.#words.setUint32(at + 12, captured, this.#littleEndian);
    this.#frame.copy(this.#pending, at + RECORD_HEADER, 0, kept);
    this.#end = at + RECORD_HEADER + kept;
    if (this.#end >= this.#writeAt) this.flush();
  }
}

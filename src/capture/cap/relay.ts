// The half of the cap driver that touches the `cap` package: opens it once and writes what it gives into a pipe. Runs in a process of its
// own (cap-child.ts), because the addon aborts its process when the interface goes down and never yields while packets come.

import { reasonOf } from '../../model/errors.ts';
import { LINK } from '../../net/numbers.ts';
import { writeProgram } from '../libpcap/bpf-assembler.ts';
import { BpfProgram } from '../libpcap/bpf-program.ts';
import { PUSHED_BYTES, snapProgram } from '../libpcap/snap-program.ts';
import { capLine, capLink } from './protocol.ts';

/** What is used of the package `cap` 0.2.1. */
export interface CapModule {
  readonly Cap: new () => CapHandle;
}

/** An opened device. */
export interface CapHandle {
  /** @returns the link type as text; throws what libpcap says */
  open(device: string, filter: string, ringBytes: number, buffer: Buffer): string;
  on(event: 'packet', listener: (length: number, truncated: boolean) => void): unknown;
}

/** Where the relay writes and what time it is. */
interface RelayEnds {
  /** Writes what the pipe takes now; 0 when it is full. Throws when the reader is gone. */
  write(bytes: Uint8Array, from: number, to: number): number;
  tell(line: string): void;
  /** Epoch milliseconds. */
  now(): number;
  /** Runs `then` when the loop turns. */
  soon(then: () => void, milliseconds: number): void;
}

/** `cap` sets this snap length; a longer frame is cut without a word. */
const CAP_SNAP_LENGTH = 65_535;
const RECORD_HEADER = 16;
/**
 * Room for what is to be written; 64 KiB are written at a time, the rest waits for a reader that is busy: three seconds of 20,000 bulk frames a
 * second. Memory that was never written takes none.
 */
const PENDING_BYTES = 12 << 20;
const WRITE_BYTES = 1 << 16;
/** While the pipe is full: packets between two tries, and milliseconds until the next when none come. */
const RETRY_PACKETS = 64;
const RETRY_MS = 5;
const TELL_SHED = 8192;
/** A frame that libpcap reassembled may be a little longer than the snap length. */
const FRAME_BYTES = CAP_SNAP_LENGTH + 1024;

/**
 * Every relay that was made, for as long as the process lives. The addon writes into the frame buffer without holding it, so a collected
 * buffer is a corrupted heap; and a handle whose `open` threw aborts the process when it is closed or collected.
 */
const forever: CapRelay[] = [];

/**
 * Passes frames from `cap` on as pcap records (pcap-records.ts) in the machine's byte order, each cut to what is worth keeping.
 *
 * No frame is given up silently: one that finds no room is counted, and the count is told.
 */
export class CapRelay {
  /** Written by the addon. */
  readonly #frame = Buffer.alloc(FRAME_BYTES);
  readonly #pending = Buffer.alloc(PENDING_BYTES);
  readonly #words = new DataView(this.#pending.buffer, this.#pending.byteOffset, PENDING_BYTES);
  readonly #ends: RelayEnds;
  readonly #littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  #handle: CapHandle | null = null;
  /** How much of a frame to keep: what the kernel runs for libpcap runs here. null: a fixed length. */
  #snap: BpfProgram | null = null;
  /** Link header bytes that the program does not count (cooked captures). */
  #uncounted = 0;
  #start = 0;
  #end = 0;
  #shed = 0;
  #toldShed = 0;
  #skipped = 0;
  #scheduled = false;

  constructor(ends: RelayEnds) {
    this.#ends = ends;
  }

  /**
   * Opens the one capture of this process and says how it went.
   *
   * @returns false when it failed; the process has no further use then
   */
  open(module: CapModule, device: string, filter: string, ringBytes: number): boolean {
    if (forever.length > 0) {
      this.#ends.tell(capLine('no-open', 'cap can open one interface in a process only'));
      return false;
    }
    forever.push(this);
    try {
      this.#handle = new module.Cap();
      this.#handle.on('packet', (length) => this.#take(length));
      const text = this.#handle.open(device, filter, ringBytes, this.#frame);
      const link = capLink(text) ?? -1;
      const program = snapProgram(link);
      this.#snap = program === null ? null : new BpfProgram(writeProgram(program));
      this.#uncounted = link === LINK.LINUX_SLL ? 16 : link === LINK.LINUX_SLL2 ? 20 : 0;
      this.#ends.tell(capLine('ready', text));
      return true;
    } catch (thrown) {
      this.#ends.tell(capLine('no-open', reasonOf(thrown)));
      return false;
    }
  }

  #take(length: number): void {
    const captured = Math.min(length, FRAME_BYTES);
    const wanted = this.#snap?.run(this.#frame, 0, captured, captured - this.#uncounted) ?? PUSHED_BYTES;
    const keep = Math.min(captured, wanted);
    const needed = RECORD_HEADER + keep;
    if (this.#end - this.#start >= WRITE_BYTES && --this.#skipped <= 0) this.#flush();
    if (this.#end + needed > PENDING_BYTES) this.#compact();
    if (this.#end + needed > PENDING_BYTES) {
      this.#shed++;
      // In a drain without end the loop never turns, and the count must be told all the same.
      if (this.#shed - this.#toldShed >= TELL_SHED) this.#tellShed();
      return;
    }
    const time = this.#ends.now();
    const seconds = Math.floor(time / 1000);
    const words = this.#words;
    const at = this.#end;
    words.setUint32(at, seconds, this.#littleEndian);
    words.setUint32(at + 4, (time - seconds * 1000) * 1000, this.#littleEndian);
    words.setUint32(at + 8, keep, this.#littleEndian);
    words.setUint32(at + 12, captured, this.#littleEndian);
    this.#frame.copy(this.#pending, at + RECORD_HEADER, 0, keep);
    this.#end = at + needed;
    if (!this.#scheduled) this.#schedule(0);
  }

  #schedule(milliseconds: number): void {
    this.#scheduled = true;
    this.#ends.soon(this.#turn, milliseconds);
  }

  /** The loop turned: what a burst left is written, so that nothing lies here while the network is quiet. */
  readonly #turn = (): void => {
    this.#scheduled = false;
    this.#flush();
    if (this.#shed !== this.#toldShed) this.#tellShed();
    if (this.#end > this.#start) this.#schedule(RETRY_MS);
  };

  #tellShed(): void {
    this.#toldShed = this.#shed;
    this.#ends.tell(capLine('shed', String(this.#shed)));
  }

  #flush(): void {
    while (this.#start < this.#end) {
      const wrote = this.#ends.write(this.#pending, this.#start, this.#end);
      if (wrote === 0) {
        this.#skipped = RETRY_PACKETS;
        return;
      }
      this.#start += wrote;
    }
    this.#start = 0;
    this.#end = 0;
    this.#skipped = 0;
  }

  #compact(): void {
    if (this.#start < PENDING_BYTES / 4) return; // else a slow reader would cost a copy for every frame
    this.#pending.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }
}

/** Lets the next relay open, as a new process would; for tests. */
export function forgetRelays(): void {
  forever.length = 0;
}

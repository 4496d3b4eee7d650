// One open libpcap handle: configures it, sets its filter, reads its counters. It doesn't read packets.

import { LINK } from '../../net/numbers.ts';
import type { Edges } from '../../system/edges.ts';
import { systemPathExists } from '../../system/small-file.ts';
import { badFilter, type CaptureAttempt, captureError } from '../errors.ts';
import { isPktap } from '../pktap.ts';
import { BpfAssembler, chainPrograms, type Instruction, readProgram, writeProgram } from './bpf-assembler.ts';
import type { LibpcapCalls, PcapStat, Pointer } from './calls.ts';
import { FULL_BYTES, snapProgram, WHOLE_BYTES } from './snap-program.ts';

/** Snap length for PKTAP: 2 KiB of frame and the 156-byte header. It is fixed, because a kernel filter can't look into PKTAP frames. */
export const PKTAP_SNAPLEN = 2204;
/** How long the ring holds slow traffic while nobody reads. */
const HOLD_MS = 4000;
/**
 * Linux's ring consists of blocks of this size (pcap-linux.c, TPACKET_V3). The kernel releases a block when it is full, or at the timeout if it isn't
 * empty. So 80 blocks hold at most 80 timeouts' worth, and a frame can't be read before its block is released.
 */
const BLOCK_BYTES = 256 << 10;
/** If several interfaces share the ring, each has few blocks. A longer timeout would be visible. */
const LONGEST_TIMEOUT_MS = 250;
/** macOS's BPF has two buffers that fill by bytes alone, so the timeout only limits how long a read waits. */
const BPF_TIMEOUT_MS = 20;
/** Accepts no frame. */
const REJECT_ALL = ret(0);
const ERROR_BYTES = 256;

/** What to open. */
interface HandleRequest extends CaptureAttempt {
  readonly bufferBytes: number;
  readonly pktap: boolean;
  /** See CaptureRequest. */
  readonly wholePackets: boolean;
  readonly platform: 'darwin' | 'linux';
}

/** An activated, non-blocking handle that takes no frames before `begin`. `close` once. */
export class LibpcapHandle {
  readonly device: string;
  /** The DLT that libpcap reports. */
  readonly link: number;
  readonly pointer: Pointer;
  /** Size of the kernel's ring: the actual size if known, else the requested one. */
  readonly bufferBytes: number;
  /** How long a frame may wait in the ring before it can be read. */
  readonly delayMs: number;
  /** False until `begin`; the kernel captures nothing until then. */
  hasBegun = false;
  readonly #calls: LibpcapCalls;
  readonly #program: Buffer;
  readonly #stat: PcapStat = { recv: 0, drop: 0, ifdrop: 0 };
  readonly #last: PcapStat = { recv: 0, drop: 0, ifdrop: 0 };
  /** Counters since `begin`. libpcap's own are 32 bits and wrap. */
  received = 0;
  dropped = 0;
  droppedByInterface = 0;

  /** Opens and configures the handle. Throws a NetmonError with a message for the user. */
  constructor(calls: LibpcapCalls, request: HandleRequest) {
    this.#calls = calls;
    this.device = request.device;
    this.delayMs = timeoutOf(request);
    const error = Buffer.alloc(ERROR_BYTES);
    const pointer = calls.create(request.device, error);
    if (pointer === null) throw captureError(textOf(error), request);
    this.pointer = pointer;
    try {
      calls.setSnaplen(pointer, longest(request));
      calls.setBufferSize(pointer, request.bufferBytes);
      calls.setTimeout(pointer, this.delayMs);
      if (request.pktap) calls.setWantPktap?.(pointer, 1);
      const status = calls.activate(pointer);
      if (status < 0) throw captureError(`${calls.statustostr(status)}\n${calls.geterr(pointer)}`, request);
      if (request.device === 'any') calls.setDatalink(pointer, LINK.LINUX_SLL2); // libpcap before 1.10 has only SLL version 1, and keeps it
      if (calls.setNonblock(pointer, 1, error) < 0) throw captureError(textOf(error), request);
      this.link = calls.datalink(pointer);
      this.bufferBytes = calls.bufferSize?.(pointer) ?? request.bufferBytes;
      this.#program = writeProgram(this.#compile(request));
      // Set the real filter once, to find out whether the kernel accepts it.
      for (const program of [this.#program, writeProgram(REJECT_ALL)])
        if (calls.setFilter(pointer, program) < 0) throw captureError(calls.geterr(pointer), request);
    } catch (thrown) {
      calls.close(pointer);
      throw thrown;
    }
  }

  /**
   * Starts capturing and counting. Before that the kernel accepts nothing: frames would fill the ring while modules load, and count as lost.
   *
   * @returns false if the kernel refuses the filter now
   */
  begin(): boolean {
    if (this.#calls.setFilter(this.pointer, this.#program) < 0) return false;
    this.hasBegun = true;
    this.#calls.stats(this.pointer, this.#last);
    return true;
  }

  /** Updates the counters. Call it at least every few minutes, or it misses a wrap. */
  refreshStats(): void {
    if (!this.hasBegun) return;
    if (this.#calls.stats(this.pointer, this.#stat) < 0) return;
    this.received += (this.#stat.recv - this.#last.recv) >>> 0;
    this.dropped += (this.#stat.drop - this.#last.drop) >>> 0;
    this.droppedByInterface += (this.#stat.ifdrop - this.#last.ifdrop) >>> 0;
    Object.assign(this.#last, this.#stat);
  }

  /** libpcap's last error on this handle. */
  error(): string {
    return this.#calls.geterr(this.pointer);
  }

  close(): void {
    this.#calls.close(this.pointer);
  }

  #compile(request: HandleRequest): Instruction[] {
    const user = request.bpf === null ? null : this.#calls.compile(this.pointer, request.bpf);
    if (request.bpf !== null && user === null) throw badFilter(request.bpf, this.#calls.geterr(this.pointer));
    const chooses = !isPktap(this.link) && !request.wholePackets;
    const snap = (chooses ? snapProgram(this.link) : null) ?? ret(longest(request));
    return user === null ? snap : chainPrograms(readProgram(user), snap);
  }
}

/**
 * The timeout with which the ring holds HOLD_MS: 50 ms at 20 MiB. A longer one would hold less at 20,000 frames a second: those fill a block in
 * 53 ms, and Linux 6.18 releases the block after a full one at the next multiple of the timeout, however little it contains.
 */
function timeoutOf({ bufferBytes, platform }: HandleRequest): number {
  if (platform === 'darwin') return BPF_TIMEOUT_MS;
  const blocks = Math.max(1, Math.floor(bufferBytes / BLOCK_BYTES));
  return Math.min(LONGEST_TIMEOUT_MS, Math.ceil(HOLD_MS / blocks));
}

/** Bytes kept of any frame. */
function longest({ pktap, wholePackets }: HandleRequest): number {
  if (wholePackets) return FULL_BYTES;
  return pktap ? PKTAP_SNAPLEN : WHOLE_BYTES;
}

/** A program that keeps the same number of bytes of each frame. */
function ret(bytes: number): Instruction[] {
  const bpf = new BpfAssembler();
  bpf.accept(bytes);
  return bpf.assemble();
}

function textOf(buffer: Buffer): string {
  const end = buffer.indexOf(0);
  return buffer.toString('utf8', 0, end < 0 ? buffer.length : end);
}

/** Commands that install libpcap, by package manager. We print them and never run them. */
const MANAGERS: readonly (readonly [path: string, command: string])[] = [
  ['/usr/bin/apt-get', 'apt-get install -y libpcap0.8'],
  ['/usr/bin/dnf', 'dnf install -y libpcap'],
  ['/usr/bin/yum', 'yum install -y libpcap'],
  ['/sbin/apk', 'apk add libpcap'],
  ['/usr/bin/pacman', 'pacman -S --needed libpcap'],
  ['/usr/bin/zypper', 'zypper install -y libpcap1'],
];
const SUDO = '/usr/bin/sudo';

/**
 * Hint for a machine whose libpcap is missing.
 *
 * @param exists looks for a program; by default in the file system
 */
export function libpcapHint(
  edges: Pick<Edges, 'platform' | 'euid'>,
  exists: (path: string) => boolean = systemPathExists,
): string {
  // macOS has its own, and we load no other: Homebrew's lacks PKTAP, and users can write to its folder.
  if (edges.platform === 'darwin') return 'type: netmon-tui doctor';
  const command = MANAGERS.find(([path]) => exists(path))?.[1];
  if (command === undefined) return "install your system's libpcap package";
  if (edges.euid() === 0) return `type: ${command}`;
  return exists(SUDO) ? `type: sudo ${command}` : `as root, type: ${command}`;
}

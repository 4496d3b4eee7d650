// One open libpcap handle: how it is configured, filtered and counted. Knows no batches.

import { LINK } from '../../net/numbers.ts';
import type { Edges } from '../../system/edges.ts';
import { systemPathExists } from '../../system/small-file.ts';
import { badFilter, type CaptureAttempt, captureError } from '../errors.ts';
import { isPktap } from '../pktap.ts';
import { BpfAssembler, chainPrograms, type Instruction, readProgram, writeProgram } from './bpf-assembler.ts';
import type { LibpcapCalls, PcapStat, Pointer } from './calls.ts';
import { snapProgram, WHOLE_BYTES } from './snap-program.ts';

/** PKTAP frames can't be looked into by a filter, so all get the same: 2 KiB of frame and the 156-byte header. */
export const PKTAP_SNAPLEN = 2204;
/** How long the ring holds what comes slowly while nobody reads. */
const HOLD_MS = 4000;
/**
 * Linux's ring is made of blocks of this size (pcap-linux.c, TPACKET_V3). A block is handed over when it is full, or at the timeout if anything
 * is in it. So 80 blocks hold 80 timeouts at the most, and a frame can't be read before its block is handed over.
 */
const BLOCK_BYTES = 256 << 10;
/** Where several interfaces share the ring, each has few blocks: waiting longer than this would show. */
const LONGEST_TIMEOUT_MS = 250;
/** BPF has two buffers, which fill by bytes alone: there the timeout only says how long a read waits. */
const BPF_TIMEOUT_MS = 20;
/** Takes no frame. */
const REJECT_ALL = ret(0);
const ERROR_BYTES = 256;

/** What to open. */
interface HandleRequest extends CaptureAttempt {
  readonly bufferBytes: number;
  readonly pktap: boolean;
  readonly platform: 'darwin' | 'linux';
}

/** An activated, non-blocking handle that takes no frames before `begin`. `close` once. */
export class LibpcapHandle {
  readonly device: string;
  /** As libpcap reports it live (DLT). */
  readonly link: number;
  readonly pointer: Pointer;
  /** Of the kernel's ring: as asked for, or what the kernel made of it where it tells. */
  readonly bufferBytes: number;
  /** How long a frame may lie in the ring before it can be read. */
  readonly delayMs: number;
  /** False while the kernel gathers nothing. */
  hasBegun = false;
  readonly #calls: LibpcapCalls;
  readonly #program: Buffer;
  readonly #stat: PcapStat = { recv: 0, drop: 0, ifdrop: 0 };
  readonly #last: PcapStat = { recv: 0, drop: 0, ifdrop: 0 };
  /** Since `begin`; libpcap's own counters are 32 bits and wrap. */
  received = 0;
  dropped = 0;
  droppedByInterface = 0;

  /** Opens and configures, or throws a NetmonError in a user's words. */
  constructor(calls: LibpcapCalls, request: HandleRequest) {
    this.#calls = calls;
    this.device = request.device;
    this.delayMs = timeoutOf(request);
    const error = Buffer.alloc(ERROR_BYTES);
    const pointer = calls.create(request.device, error);
    if (pointer === null) throw captureError(textOf(error), request);
    this.pointer = pointer;
    try {
      calls.setSnaplen(pointer, request.pktap ? PKTAP_SNAPLEN : WHOLE_BYTES);
      calls.setBufferSize(pointer, request.bufferBytes);
      calls.setTimeout(pointer, this.delayMs);
      if (request.pktap) calls.setWantPktap?.(pointer, 1);
      const status = calls.activate(pointer);
      if (status < 0) throw captureError(`${calls.statustostr(status)}\n${calls.geterr(pointer)}`, request);
      if (request.device === 'any') calls.setDatalink(pointer, LINK.LINUX_SLL2); // libpcap before 1.10 has only version 1: then it stays
      if (calls.setNonblock(pointer, 1, error) < 0) throw captureError(textOf(error), request);
      this.link = calls.datalink(pointer);
      this.bufferBytes = calls.bufferSize?.(pointer) ?? request.bufferBytes;
      this.#program = writeProgram(this.#compile(request));
      // set once to learn whether the kernel takes it
      for (const program of [this.#program, writeProgram(REJECT_ALL)])
        if (calls.setFilter(pointer, program) < 0) throw captureError(calls.geterr(pointer), request);
    } catch (thrown) {
      calls.close(pointer);
      throw thrown;
    }
  }

  /**
   * Takes frames from now on, and counts from now on. What the kernel gathered while modules were loaded would fill the ring unread, and be told
   * as lost.
   *
   * @returns false when the kernel refuses the filter now
   */
  begin(): boolean {
    if (this.#calls.setFilter(this.pointer, this.#program) < 0) return false;
    this.hasBegun = true;
    this.#calls.stats(this.pointer, this.#last);
    return true;
  }

  /** Reads the counters; call it every few minutes at least, or a wrap is missed. */
  refreshStats(): void {
    if (!this.hasBegun) return;
    if (this.#calls.stats(this.pointer, this.#stat) < 0) return;
    this.received += (this.#stat.recv - this.#last.recv) >>> 0;
    this.dropped += (this.#stat.drop - this.#last.drop) >>> 0;
    this.droppedByInterface += (this.#stat.ifdrop - this.#last.ifdrop) >>> 0;
    Object.assign(this.#last, this.#stat);
  }

  /** libpcap's last words on this handle. */
  error(): string {
    return this.#calls.geterr(this.pointer);
  }

  close(): void {
    this.#calls.close(this.pointer);
  }

  #compile(request: HandleRequest): Instruction[] {
    const user = request.bpf === null ? null : this.#calls.compile(this.pointer, request.bpf);
    if (request.bpf !== null && user === null) throw badFilter(request.bpf, this.#calls.geterr(this.pointer));
    const snap = (isPktap(this.link) ? null : snapProgram(this.link)) ?? ret(request.pktap ? PKTAP_SNAPLEN : WHOLE_BYTES);
    return user === null ? snap : chainPrograms(readProgram(user), snap);
  }
}

/**
 * As long as makes the ring hold HOLD_MS: at 20 MiB 50 ms. Longer would hold less of 20,000 frames a second: those fill a block in 53 ms, and
 * Linux 6.18 ends the block that follows a full one at the next multiple of the timeout, however little is in it.
 */
function timeoutOf({ bufferBytes, platform }: HandleRequest): number {
  if (platform === 'darwin') return BPF_TIMEOUT_MS;
  const blocks = Math.max(1, Math.floor(bufferBytes / BLOCK_BYTES));
  return Math.min(LONGEST_TIMEOUT_MS, Math.ceil(HOLD_MS / blocks));
}

/** A program that keeps so many bytes of each frame. */
function ret(bytes: number): Instruction[] {
  const bpf = new BpfAssembler();
  bpf.accept(bytes);
  return bpf.assemble();
}

function textOf(buffer: Buffer): string {
  const end = buffer.indexOf(0);
  return buffer.toString('utf8', 0, end < 0 ? buffer.length : end);
}

// The one command that brings libpcap to this machine, by the package manager that is here. Names it, never runs it.

/** By absolute path, in the order of trust; /usr/bin and /usr/sbin are one folder on many systems. */
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
 * @param exists tells which programs are there; the file system by default
 */
export function libpcapHint(
  edges: Pick<Edges, 'platform' | 'euid'>,
  exists: (path: string) => boolean = systemPathExists,
): string {
  // A Mac has its own built in. No other is ever loaded: Homebrew's knows no processes, and its folder is its user's to write to.
  if (edges.platform === 'darwin') return 'type: netmon-tui doctor';
  const command = MANAGERS.find(([path]) => exists(path))?.[1];
  if (command === undefined) return "install your system's libpcap package";
  if (edges.euid() === 0) return `type: ${command}`;
  return exists(SUDO) ? `type: sudo ${command}` : `as root, type: ${command}`;
}

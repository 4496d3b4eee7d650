// One open libpcap handle: how it is configured, filtered and counted. Knows no batches.

import { LINK } from '../net/numbers.ts';
import { chainPrograms, type Instruction, readProgram, writeProgram } from './bpf-assembler.ts';
import { badFilter, type CaptureAttempt, captureError } from './capture-errors.ts';
import type { LibpcapCalls, PcapStat, Pointer } from './libpcap-calls.ts';
import { isPktap } from './pktap.ts';
import { snapProgram, WHOLE_BYTES } from './snap-program.ts';

/** PKTAP frames can't be looked into by a filter, so all get the same: 2 KiB of frame and the 156-byte header. */
export const PKTAP_SNAPLEN = 2204;
/** How long the kernel may hold a filled part of the ring back. */
const HOLD_MS = 20;
const ERROR_BYTES = 256;

/** What to open. */
export interface HandleRequest extends CaptureAttempt {
  readonly bufferBytes: number;
  readonly pktap: boolean;
}

/** An activated, non-blocking handle with its filter set. `close` once. */
export class LibpcapHandle {
  readonly device: string;
  /** As libpcap reports it live (DLT). */
  readonly link: number;
  readonly pointer: Pointer;
  /** Of the kernel's ring: as asked for, or what the kernel made of it where it tells. */
  readonly bufferBytes: number;
  readonly #calls: LibpcapCalls;
  readonly #stat: PcapStat = { recv: 0, drop: 0, ifdrop: 0 };
  readonly #last: PcapStat = { recv: 0, drop: 0, ifdrop: 0 };
  /** Since the handle was opened; libpcap's own counters are 32 bits and wrap. */
  received = 0;
  dropped = 0;
  droppedByInterface = 0;

  /** Opens and configures, or throws a NetmonError in a user's words. */
  constructor(calls: LibpcapCalls, request: HandleRequest) {
    this.#calls = calls;
    this.device = request.device;
    const error = Buffer.alloc(ERROR_BYTES);
    const pointer = calls.create(request.device, error);
    if (pointer === null) throw captureError(textOf(error), request);
    this.pointer = pointer;
    try {
      calls.setSnaplen(pointer, request.pktap ? PKTAP_SNAPLEN : WHOLE_BYTES);
      calls.setBufferSize(pointer, request.bufferBytes);
      calls.setTimeout(pointer, HOLD_MS);
      if (request.pktap) calls.setWantPktap?.(pointer, 1);
      const status = calls.activate(pointer);
      if (status < 0) throw captureError(`${calls.statustostr(status)}\n${calls.geterr(pointer)}`, request);
      if (request.device === 'any') calls.setDatalink(pointer, LINK.LINUX_SLL2); // libpcap before 1.10 has only version 1: then it stays
      if (calls.setNonblock(pointer, 1, error) < 0) throw captureError(textOf(error), request);
      this.link = calls.datalink(pointer);
      this.bufferBytes = calls.bufferSize?.(pointer) ?? request.bufferBytes;
      this.#filter(request);
    } catch (thrown) {
      calls.close(pointer);
      throw thrown;
    }
  }

  /** Reads the counters; call it every few minutes at least, or a wrap is missed. */
  refreshStats(): void {
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

  #filter(request: HandleRequest): void {
    const user = request.bpf === null ? null : this.#calls.compile(this.pointer, request.bpf);
    if (request.bpf !== null && user === null) throw badFilter(request.bpf, this.#calls.geterr(this.pointer));
    const snap: Instruction[] | null = isPktap(this.link) ? null : snapProgram(this.link);
    const program = user === null ? snap : snap === null ? readProgram(user) : chainPrograms(readProgram(user), snap);
    if (program === null) return;
    if (this.#calls.setFilter(this.pointer, writeProgram(program)) < 0)
      throw captureError(this.#calls.geterr(this.pointer), request);
  }
}

function textOf(buffer: Buffer): string {
  const end = buffer.indexOf(0);
  return buffer.toString('utf8', 0, end < 0 ? buffer.length : end);
}

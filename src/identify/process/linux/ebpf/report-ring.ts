// Reads the programs' reports in place from the ring buffer, which is mapped into our memory (kernel/bpf/ringbuf.c).

import { V4_MAPPED } from '../../../../net/address.ts';
import { i32 } from '../../../../net/bytes.ts';
import { REPORT_BYTES } from './socket-programs.ts';

const PAGE = 4096;
const HEADER_BYTES = 8;
const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;
/** How much of the data's second mapping we map: enough for a report that wraps. Mapping it all would count it as resident twice. */
const OVERHANG = PAGE;

/** Bytes to map of a ring's producer side. @param size of the ring, bytes */
export function producerBytes(size: number): number {
  return PAGE + size + OVERHANG;
}

/**
 * Reads reports in the order in which they were written.
 *
 *     consumer page: our position u64 | producer page: the kernel's position u64, then the data, mapped twice in a row
 *     record: length u32 with two flag bits, page offset u32, then the bytes, padded to 8
 */
export class ReportRing {
  readonly #consumer: BigUint64Array;
  readonly #producer: BigUint64Array;
  readonly #words: Uint32Array;
  readonly #mask: number;
  /** The data area. `drain` passes its callback offsets into it. */
  readonly bytes: Uint8Array;
  #position = 0;
  /** Reports read. */
  count = 0;

  /**
   * @param consumer one page, writable
   * @param producer as many bytes as `producerBytes` says
   * @param size of the ring, a power of two
   */
  constructor(consumer: ArrayBuffer, producer: ArrayBuffer, size: number) {
    this.#consumer = new BigUint64Array(consumer, 0, 1);
    this.#producer = new BigUint64Array(producer, 0, 1);
    this.#words = new Uint32Array(producer, PAGE, size / 4);
    this.bytes = new Uint8Array(producer, PAGE, size + OVERHANG);
    this.#mask = size - 1;
    this.#position = Number(this.#consumer[0]);
  }

  /** Whether reports are waiting. Costs one load of memory that the kernel writes. */
  get hasReports(): boolean {
    return Number(Atomics.load(this.#producer, 0)) !== this.#position;
  }

  /** Calls `take` with the offset in `bytes` of each complete report, at most `limit` of them. @returns how many records it consumed */
  drain(take: (at: number) => void, limit: number): number {
    const end = Number(Atomics.load(this.#producer, 0));
    let taken = 0;
    while (this.#position < end && taken < limit) {
      const at = this.#position & this.#mask;
      const header = this.#words[at >>> 2] as number;
      if ((header & BUSY) !== 0) break; // still being written: stop here
      const length = header & ~(BUSY | DISCARDED);
      if ((header & DISCARDED) === 0 && length === REPORT_BYTES) {
        take(at + HEADER_BYTES);
        this.count++;
      }
      taken++;
      this.#position += (length + HEADER_BYTES + 7) & ~7;
    }
    if (taken > 0) Atomics.store(this.#consumer, 0, BigInt(this.#position));
    return taken;
  }
}

/** Reads a report's address (network byte order) into four words at `to`. @param version 4 or 6 */
export function readReportAddress(bytes: Uint8Array, at: number, version: number, words: Int32Array, to: number): void {
  if (version === 4) {
    words[to] = 0;
    words[to + 1] = 0;
    words[to + 2] = V4_MAPPED;
    words[to + 3] = i32(bytes, at);
    return;
  }
  for (let i = 0; i < 4; i++) words[to + i] = i32(bytes, at + 4 * i);
}

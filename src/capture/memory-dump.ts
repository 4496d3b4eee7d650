// A stdio stream over our own memory that libpcap dumps records into. It knows the calls it takes, and nothing of libpcap's handles.

import type { Pointer } from './libpcap-calls.ts';

/** The calls it takes, as C has them: fmemopen(3), setvbuf(3), fflush(3), rewind(3), ftell(3), pcap_dump_fopen(3PCAP). */
export interface DumpCalls {
  fmemopen(memory: Buffer, bytes: number, mode: string): Pointer;
  setvbuf(file: Pointer, buffer: Buffer, mode: number, bytes: number): number;
  fflush(file: Pointer): number;
  rewind(file: Pointer): void;
  ftell(file: Pointer): number | bigint;
  dumpFopen(handle: Pointer, file: Pointer): Pointer;
}

const FULLY_BUFFERED = 0;
const STDIO_BUFFER = 64 * 1024;

/**
 * Records in memory, one batch after the other.
 *
 * libpcap's dumper is what `pcap_dump` takes, and nothing else: upstream it is the FILE itself, Apple's is a struct with the FILE in it
 * (libpcap-67 and later, pcap-int.h, struct pcap_dumper). So stdio is given the FILE that was opened here.
 */
export class MemoryDump {
  /** For `pcap_dump`. */
  readonly dumper: Pointer;
  readonly #calls: DumpCalls;
  readonly #file: Pointer;
  /** C reads and writes both for as long as the stream is open. */
  readonly #pinned: readonly Buffer[];

  /** Opens it over `memory`, with the file header of `handle` already written. Throws when C can't. */
  constructor(calls: DumpCalls, handle: Pointer, memory: Buffer) {
    const file = calls.fmemopen(memory, memory.length, 'w');
    if (file === null) throw new Error('fmemopen failed');
    const buffer = Buffer.alloc(STDIO_BUFFER);
    calls.setvbuf(file, buffer, FULLY_BUFFERED, buffer.length);
    const dumper = calls.dumpFopen(handle, file);
    if (dumper === null) throw new Error('pcap_dump_fopen failed');
    calls.fflush(file);
    this.dumper = dumper;
    this.#calls = calls;
    this.#file = file;
    this.#pinned = [memory, buffer];
  }

  /** Ends a batch. @returns bytes of the memory that are filled */
  flush(): number {
    this.#calls.fflush(this.#file);
    return Math.min(Number(this.#calls.ftell(this.#file)), this.#pinned[0]?.length ?? 0);
  }

  /** The next record is written at the beginning. */
  rewind(): void {
    this.#calls.rewind(this.#file);
  }
}

// The system's libpcap, and the libc functions that make it dump into our memory, as one struct of functions. Tests replace it.

import koffi, { type LibraryHandle } from 'koffi';
import { reasonOf } from '../../model/errors.ts';

/** An opaque address in the process's memory. */
export type Pointer = unknown;

/** struct pcap_stat (pcap/pcap.h): frames since the device was opened, as 32-bit counters that wrap. */
export interface PcapStat {
  recv: number;
  drop: number;
  ifdrop: number;
}

/** The parts of pcap(3) that we use. Return values are libpcap's own: negative is an error; a positive value of `activate` is a warning. */
export interface LibpcapCalls {
  readonly version: string;
  create(device: string, error: Buffer): Pointer;
  setSnaplen(handle: Pointer, bytes: number): number;
  setBufferSize(handle: Pointer, bytes: number): number;
  setTimeout(handle: Pointer, ms: number): number;
  /** macOS only (pcap/pcap-private.h in Apple's libpcap); null if the library lacks it. */
  readonly setWantPktap: ((handle: Pointer, want: number) => number) | null;
  /** The actual buffer size, which BPF limits; null on Linux and in old libraries. */
  readonly bufferSize: ((handle: Pointer) => number) | null;
  activate(handle: Pointer): number;
  setNonblock(handle: Pointer, on: number, error: Buffer): number;
  geterr(handle: Pointer): string;
  statustostr(status: number): string;
  datalink(handle: Pointer): number;
  setDatalink(handle: Pointer, link: number): number;
  stats(handle: Pointer, stat: PcapStat): number;
  close(handle: Pointer): void;
  /** Opens a handle that captures nothing, for compiling filters for a link type. `close` it. */
  openDead(link: number, snaplen: number): Pointer;
  /** Compiles `expression`. @returns the instructions as bytes; null with the reason in `geterr` */
  compile(handle: Pointer, expression: string): Buffer | null;
  setFilter(handle: Pointer, instructions: Buffer): number;
  /** Name of the interface with this kernel index; null if there is none. */
  interfaceName(index: number): string | null;
  /** Makes `memory` a target that libpcap writes records into. */
  openDump(handle: Pointer, memory: Buffer): Dump;
  /** Writes at most `limit` packets to the dump. @returns how many, or pcap_dispatch's error */
  dispatch(handle: Pointer, limit: number, dump: Dump): number;
}

/** The target of records. For each batch: `rewind`, dispatch, `flush`, then read the memory. */
export interface Dump {
  /** The dumper to pass to `pcap_dump`. */
  readonly dumper: Pointer;
  /** Ends a batch. @returns number of bytes written */
  flush(): number;
  rewind(): void;
}

const LIBRARIES = {
  linux: {
    pcap: ['libpcap.so.0.8', 'libpcap.so.1', 'libpcap.so'],
    libc: ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`],
  },
  darwin: { pcap: ['/usr/lib/libpcap.A.dylib'], libc: ['/usr/lib/libSystem.B.dylib'] },
} as const;

/** struct bpf_program { u_int bf_len; struct bpf_insn *bf_insns; } on 64-bit machines. */
const PROGRAM_BYTES = 16;
const RTLD_LAZY = 1;
/** Buffer for an interface's name; generous, since net/if.h says 16. */
const IF_NAMESIZE = 64;

/**
 * Loads the system's libpcap.
 *
 * On macOS this is always the one in /usr/lib, because Homebrew's and other upstream builds lack PKTAP. Throws the loader's error.
 */
export function loadLibpcap(platform: 'darwin' | 'linux'): LibpcapCalls {
  const names = LIBRARIES[platform];
  const { library: pcap, name: pcapName } = loadFirst(names.pcap);
  const { library: libc } = loadFirst(names.libc);
  const Stat = koffi.struct({ recv: 'uint', drop: 'uint', ifdrop: 'uint' });
  const compile = pcap.func('int pcap_compile(void*, void*, const char*, int, uint32_t)');
  const freecode = pcap.func('void pcap_freecode(void*)');
  const setfilter = pcap.func('int pcap_setfilter(void*, void*)');
  const dispatch = pcap.func('int pcap_dispatch(void*, int, void*, void*)');
  const memcpy = libc.func('memcpy', 'void*', ['void*', 'size_t', 'size_t']);
  const stdio: DumpCalls = {
    fmemopen: libc.func('void* fmemopen(void*, size_t, const char*)'),
    setvbuf: libc.func('int setvbuf(void*, void*, int, size_t)'),
    fflush: libc.func('int fflush(void*)'),
    rewind: libc.func('void rewind(void*)'),
    ftell: libc.func('long ftell(void*)'),
    dumpFopen: pcap.func('void* pcap_dump_fopen(void*, void*)'),
  };
  const indextoname = libc.func('const char* if_indextoname(uint, _Out_ char*)');
  const interfaceName = Buffer.alloc(IF_NAMESIZE);
  const dlopen = libc.func('void* dlopen(const char*, int)');
  const dlsym = libc.func('void* dlsym(void*, const char*)');
  const pcapDump = dlsym(dlopen(pcapName, RTLD_LAZY), 'pcap_dump');
  return {
    version: pcap.func('const char* pcap_lib_version()')() as string,
    create: pcap.func('void* pcap_create(const char*, _Out_ char*)'),
    setSnaplen: pcap.func('int pcap_set_snaplen(void*, int)'),
    setBufferSize: pcap.func('int pcap_set_buffer_size(void*, int)'),
    setTimeout: pcap.func('int pcap_set_timeout(void*, int)'),
    setWantPktap: platform === 'darwin' ? optional(() => pcap.func('int pcap_set_want_pktap(void*, int)')) : null,
    bufferSize: platform === 'darwin' ? optional(() => pcap.func('int pcap_bufsize(void*)')) : null,
    activate: pcap.func('int pcap_activate(void*)'),
    setNonblock: pcap.func('int pcap_setnonblock(void*, int, _Out_ char*)'),
    geterr: pcap.func('const char* pcap_geterr(void*)'),
    statustostr: pcap.func('const char* pcap_statustostr(int)'),
    datalink: pcap.func('int pcap_datalink(void*)'),
    setDatalink: pcap.func('int pcap_set_datalink(void*, int)'),
    stats: pcap.func('pcap_stats', 'int', ['void*', koffi.out(koffi.pointer(Stat))]),
    close: pcap.func('void pcap_close(void*)'),
    openDead: pcap.func('void* pcap_open_dead(int, int)'),
    compile(handle, expression) {
      const program = Buffer.alloc(PROGRAM_BYTES);
      if (compile(handle, program, expression, 1, 0xffffffff) < 0) return null;
      const instructions = Buffer.alloc(program.readUInt32LE(0) * 8);
      if (instructions.length > 0) memcpy(instructions, Number(program.readBigUInt64LE(8)), instructions.length);
      freecode(program);
      return instructions;
    },
    setFilter(handle, instructions) {
      const program = Buffer.alloc(PROGRAM_BYTES);
      program.writeUInt32LE(instructions.length / 8, 0);
      program.writeBigUInt64LE(BigInt(koffi.address(instructions)), 8);
      return setfilter(handle, program) as number;
    },
    interfaceName: (index) => indextoname(index, interfaceName) as string | null,
    openDump: (handle, memory) => new MemoryDump(stdio, handle, memory),
    dispatch: (handle, limit, dump) => dispatch(handle, limit, pcapDump, dump.dumper) as number,
  };
}

function loadFirst(names: readonly string[]): { library: LibraryHandle; name: string } {
  const reasons: string[] = [];
  for (const name of names) {
    try {
      return { library: koffi.load(name), name };
    } catch (thrown) {
      reasons.push(reasonOf(thrown));
    }
  }
  throw new Error(reasons[0] ?? 'no library to load');
}

function optional<T>(find: () => T): T | null {
  try {
    return find();
  } catch {
    return null; // an older libpcap: the driver does without
  }
}

/** The C functions behind `MemoryDump`: fmemopen(3), setvbuf(3), fflush(3), rewind(3), ftell(3), pcap_dump_fopen(3PCAP). */
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
 * A stdio stream over our own memory, into which libpcap dumps one batch of records after another.
 *
 * The dumper is only good for `pcap_dump`: upstream it is the FILE itself, but Apple's is a struct around it (libpcap-67 and later, pcap-int.h,
 * struct pcap_dumper). So the stdio calls use the FILE that we opened.
 */
export class MemoryDump {
  /** The dumper to pass to `pcap_dump`. */
  readonly dumper: Pointer;
  readonly #calls: DumpCalls;
  readonly #file: Pointer;
  /** References that keep both buffers alive while C uses them. */
  readonly #pinned: readonly Buffer[];

  /** Opens the stream over `memory` and writes the file header of `handle`. Throws if C can't. */
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

  /** Ends a batch. @returns number of bytes written */
  flush(): number {
    this.#calls.fflush(this.#file);
    return Math.min(Number(this.#calls.ftell(this.#file)), this.#pinned[0]?.length ?? 0);
  }

  /** Moves back to the start of the memory. */
  rewind(): void {
    this.#calls.rewind(this.#file);
  }
}

// bpf(2) and mmap(2) through koffi, on x86-64 and arm64. A call returns a file descriptor or throws with the kernel's reason.

import koffi from 'koffi';

/** A kernel object's file descriptor. The kernel closes it when the process ends, however it ends. */
export type Descriptor = number;

/** bpf(2) as the loader uses it. */
export interface BpfCalls {
  /** Raises the locked-memory limit: kernels before 5.11 charge maps to it. */
  unlockMemory(): void;
  loadBtf(blob: Buffer): Descriptor;
  createStorage(btf: Descriptor, keyType: number, valueType: number, valueBytes: number): Descriptor;
  createRing(bytes: number): Descriptor;
  /** @param target BTF id of the function or tracepoint that a tracing program attaches to; 0 for other programs */
  loadProgram(type: number, attach: number, code: Buffer, name: string, target?: number): Descriptor;
  /** Attaches with a link: the program detaches when the descriptor closes, even after a kill -9. */
  attach(program: Descriptor, cgroup: Descriptor, attach: number): Descriptor;
  /** Attaches a tracing program to its target; it detaches when the descriptor closes. */
  attachTracing(program: Descriptor): Descriptor;
  /** Maps pages of a descriptor. */
  map(fd: Descriptor, bytes: number, offset: number, writable: boolean): ArrayBuffer;
  /** Opens the root of the unified cgroup hierarchy through a private mount. */
  openUnifiedRoot(): Descriptor;
  /** Cookie of our network namespace; null on kernels before 5.14, which have no such option. */
  networkNamespace(): bigint | null;
  /** CLOCK_REALTIME minus CLOCK_MONOTONIC now, ms. */
  clockOffsetMs(): number;
  close(fd: Descriptor): void;
}

/** enum bpf_cmd, bpf_map_type, bpf_prog_type and bpf_attach_type (include/uapi/linux/bpf.h). */
const COMMAND = { MAP_CREATE: 0, PROG_LOAD: 5, RAW_TRACEPOINT_OPEN: 17, BTF_LOAD: 18, LINK_CREATE: 28 } as const;
const MAP_TYPE = { SK_STORAGE: 24, RINGBUF: 27 } as const;
export const PROGRAM = { CGROUP_SKB: 8, CGROUP_SOCK: 9, CGROUP_SOCK_ADDR: 18, TRACING: 26 } as const;
export const ATTACH = {
  INGRESS: 0,
  EGRESS: 1,
  SOCK_CREATE: 2,
  CONNECT4: 10,
  CONNECT6: 11,
  GETPEERNAME4: 29,
  GETPEERNAME6: 30,
} as const;
/** Attach types of tracing programs: at a tracepoint, or at a kernel function's return. */
export const TRACE = { TRACEPOINT: 23, EXIT: 25 } as const;

const NO_PREALLOC = 1;
const CLONE = 1 << 9;
const MAP_ATTR_BYTES = 72;
const PROGRAM_ATTR_BYTES = 144;
const LOG_BYTES = 1 << 16;
/** Any signal (SIGWINCH, SIGCHLD) interrupts the verifier with EAGAIN. We retry, as libbpf does. */
const EAGAIN = 11;
const TRIES = 32;
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const RLIMIT_MEMLOCK = 8;
const SYSCALL: Partial<Record<NodeJS.Architecture, number>> = { x64: 321, arm64: 280 };
/** System calls of the new mount API (Linux 5.2) have the same numbers on all architectures. */
const FSOPEN = 430;
const FSCONFIG = 431;
const FSMOUNT = 432;
const FSCONFIG_CMD_CREATE = 6;
const CLOEXEC = 1;
const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SOL_SOCKET = 1;
const SO_NETNS_COOKIE = 71;

const ERRORS = new Map([
  [1, 'not permitted'],
  [7, 'too large'],
  [12, 'no memory'],
  [13, 'refused by the verifier'],
  [19, 'not in this kernel'],
  [22, 'not known to this kernel'],
  [38, 'this kernel has no bpf'],
]);

function errorText(errno: number): string {
  return ERRORS.get(errno) ?? `errno ${errno}`;
}

/** The last three lines of the verifier's log, joined: they say what it refused. */
function verifierMessage(log: Buffer): string {
  const text = log.toString('latin1', 0, Math.max(0, log.indexOf(0)));
  return text.trim().split('\n').slice(-3).join(' | ');
}

/** Loads libc. Throws if koffi has no build for this machine or the architecture isn't supported. */
export function loadBpfCalls(): BpfCalls {
  const number = SYSCALL[process.arch];
  if (number === undefined) throw new Error(`no bpf on ${process.arch}`);
  const libc = koffi.load('libc.so.6');
  const syscall = libc.func('long syscall(long, ...)');
  const mmap = libc.func('void* mmap(size_t, size_t, int, int, int, long)');
  const close = libc.func('int close(int)');
  const clockGettime = libc.func('int clock_gettime(int, void*)');
  const timespec = Buffer.alloc(16);
  const setrlimit = libc.func('int setrlimit(int, void*)');
  const socket = libc.func('int socket(int, int, int)');
  const getsockopt = libc.func('int getsockopt(int, int, int, void*, void*)');
  const pointer = (buffer: Buffer) => BigInt(koffi.address(buffer));

  const bpf = (command: number, attr: Buffer, what: string, log?: Buffer): Descriptor => {
    let errno = 0;
    for (let tries = 0; tries < TRIES; tries++) {
      const result = Number(syscall(number, 'int', command, 'void*', attr, 'unsigned int', attr.length));
      if (result >= 0) return result;
      errno = koffi.errno();
      if (errno !== EAGAIN) break;
    }
    const details = log === undefined ? '' : verifierMessage(log);
    throw new Error(`${what}: ${errorText(errno)}${details === '' ? '' : ` (${details})`}`);
  };

  return {
    unlockMemory() {
      const limit = Buffer.alloc(16, 0xff); // RLIM_INFINITY twice
      setrlimit(RLIMIT_MEMLOCK, limit);
    },
    loadBtf(blob) {
      const attr = Buffer.alloc(32);
      attr.writeBigUInt64LE(pointer(blob), 0);
      attr.writeUInt32LE(blob.length, 16);
      return bpf(COMMAND.BTF_LOAD, attr, 'type information');
    },
    createStorage(btf, keyType, valueType, valueBytes) {
      const attr = Buffer.alloc(MAP_ATTR_BYTES);
      for (const [i, value] of [MAP_TYPE.SK_STORAGE, 4, valueBytes, 0, NO_PREALLOC | CLONE].entries())
        attr.writeUInt32LE(value, i * 4);
      attr.writeUInt32LE(btf, 48);
      attr.writeUInt32LE(keyType, 52);
      attr.writeUInt32LE(valueType, 56);
      return bpf(COMMAND.MAP_CREATE, attr, 'socket storage');
    },
    createRing(bytes) {
      const attr = Buffer.alloc(MAP_ATTR_BYTES);
      for (const [i, value] of [MAP_TYPE.RINGBUF, 0, 0, bytes].entries()) attr.writeUInt32LE(value, i * 4);
      return bpf(COMMAND.MAP_CREATE, attr, 'ring buffer');
    },
    loadProgram(type, attach, code, name, target = 0) {
      const licence = Buffer.from('GPL\0');
      const attr = Buffer.alloc(PROGRAM_ATTR_BYTES);
      attr.writeUInt32LE(type, 0);
      attr.writeUInt32LE(code.length / 8, 4);
      attr.writeBigUInt64LE(pointer(code), 8);
      attr.writeBigUInt64LE(pointer(licence), 16);
      attr.write(name.slice(0, 15), 48, 'latin1');
      attr.writeUInt32LE(attach, 68);
      attr.writeUInt32LE(target, 108);
      try {
        return bpf(COMMAND.PROG_LOAD, attr, `program ${name}`);
      } catch {
        // Only now with a log: in it the verifier writes down each instruction, also of a program that is good.
        const log = Buffer.alloc(LOG_BYTES);
        attr.writeUInt32LE(1, 24);
        attr.writeUInt32LE(log.length, 28);
        attr.writeBigUInt64LE(pointer(log), 32);
        return bpf(COMMAND.PROG_LOAD, attr, `program ${name}`, log);
      }
    },
    attach(program, cgroup, attach) {
      const attr = Buffer.alloc(48);
      attr.writeUInt32LE(program, 0);
      attr.writeUInt32LE(cgroup, 4);
      attr.writeUInt32LE(attach, 8);
      return bpf(COMMAND.LINK_CREATE, attr, 'attaching');
    },
    attachTracing(program) {
      const attr = Buffer.alloc(16); // u64 name (unused), u32 program
      attr.writeUInt32LE(program, 8);
      return bpf(COMMAND.RAW_TRACEPOINT_OPEN, attr, 'attaching');
    },
    map(fd, bytes, offset, writable) {
      const address = mmap(0, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, offset);
      if (address === null || BigInt.asIntN(64, BigInt(koffi.address(address))) === -1n)
        throw new Error(`mapping the ring: errno ${koffi.errno()}`);
      return koffi.view(address, bytes);
    },
    openUnifiedRoot() {
      const context = Number(syscall(FSOPEN, 'const char*', 'cgroup2', 'unsigned int', CLOEXEC));
      if (context < 0) throw new Error(errorText(koffi.errno()));
      try {
        const created = syscall(
          FSCONFIG,
          'int',
          context,
          'unsigned int',
          FSCONFIG_CMD_CREATE,
          'void*',
          null,
          'void*',
          null,
          'int',
          0,
        );
        const mount =
          Number(created) < 0 ? -1 : Number(syscall(FSMOUNT, 'int', context, 'unsigned int', CLOEXEC, 'unsigned int', 0));
        if (mount < 0) throw new Error(errorText(koffi.errno()));
        return mount;
      } finally {
        close(context);
      }
    },
    networkNamespace() {
      const fd = socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0) as number;
      if (fd < 0) return null;
      const cookie = Buffer.alloc(8);
      const length = Buffer.from([8, 0, 0, 0]);
      const isKnown = (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, length) as number) === 0;
      close(fd);
      return isKnown ? cookie.readBigUInt64LE() : null;
    },
    clockOffsetMs() {
      clockGettime(CLOCK_REALTIME, timespec);
      const real = msOf(timespec);
      clockGettime(CLOCK_MONOTONIC, timespec);
      return real - msOf(timespec);
    },
    close(fd) {
      close(fd);
    },
  };
}

/** Milliseconds of a struct timespec { long seconds; long nanoseconds; }. */
function msOf(timespec: Buffer): number {
  return Number(timespec.readBigInt64LE(0)) * 1000 + Number(timespec.readBigInt64LE(8)) / 1e6;
}

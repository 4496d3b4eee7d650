// The libc functions that change a process's rights, as one struct. Tests replace it. On Linux all except the core file limit and the filter affect
// only the calling thread; that is why the order in drop.ts matters.

import koffi, { type LibraryHandle } from 'koffi';

/** prctl(2), capget(2), capset(2), seccomp(2), setrlimit(2). The setters return whether they succeeded. */
export interface LibcCalls {
  /** @returns prctl's own result, -1 on failure */
  prctl(option: number, first: number, second?: number): number;
  /** This thread's permitted capabilities; null if unknown. */
  permitted(): bigint | null;
  /** Sets permitted and effective to `mask`, inheritable to `inheritable`. */
  setCapabilities(mask: bigint, inheritable: bigint): boolean;
  /** Sets effective to `mask`, which must be permitted; the other sets stay. */
  setEffective(mask: bigint): boolean;
  /** Installs a seccomp filter on all threads. That also sets no_new_privs on them. */
  installFilter(program: Buffer): boolean;
  /** Disables core files. */
  forbidCore(): boolean;
}

const LIBRARIES = {
  linux: ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`],
  darwin: ['/usr/lib/libSystem.B.dylib'],
} as const;
const RLIMIT_CORE = 4; // the same on both systems
/** _LINUX_CAPABILITY_VERSION_3: two rows of effective, permitted, inheritable. */
const VERSION = 0x2008_0522;
const SECCOMP: Partial<Record<NodeJS.Architecture, number>> = { x64: 317, arm64: 277 };
const SET_MODE_FILTER = 1;
const FLAG_TSYNC = 1;

/** Loads libc. Throws the loader's error. */
export function loadLibcCalls(platform: 'darwin' | 'linux'): LibcCalls {
  const libc = load(LIBRARIES[platform]);
  const setrlimit = libc.func('int setrlimit(int, void*)');
  const forbidCore = () => (setrlimit(RLIMIT_CORE, Buffer.alloc(16)) as number) === 0;
  if (platform === 'darwin') {
    return {
      prctl: () => -1,
      permitted: () => null,
      setCapabilities: () => false,
      setEffective: () => false,
      installFilter: () => false,
      forbidCore,
    };
  }
  const prctl = libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)');
  const capget = libc.func('int capget(void*, void*)');
  const capset = libc.func('int capset(void*, void*)');
  const syscall = libc.func('long syscall(long, ...)');
  const header = () => {
    const bytes = Buffer.alloc(8); // version, then pid 0: this thread
    bytes.writeUInt32LE(VERSION, 0);
    return bytes;
  };
  return {
    prctl: (option, first, second = 0) => prctl(option, first, second, 0, 0) as number,
    permitted() {
      const rows = Buffer.alloc(24);
      if ((capget(header(), rows) as number) !== 0) return null;
      return BigInt(rows.readUInt32LE(4)) | (BigInt(rows.readUInt32LE(16)) << 32n);
    },
    setCapabilities(mask, inheritable) {
      const rows = Buffer.alloc(24);
      for (const [at, set] of [mask, mask, inheritable].entries()) {
        rows.writeUInt32LE(Number(set & 0xffff_ffffn), at * 4);
        rows.writeUInt32LE(Number(set >> 32n), 12 + at * 4);
      }
      return (capset(header(), rows) as number) === 0;
    },
    setEffective(mask) {
      const rows = Buffer.alloc(24);
      if ((capget(header(), rows) as number) !== 0) return false;
      rows.writeUInt32LE(Number(mask & 0xffff_ffffn), 0);
      rows.writeUInt32LE(Number(mask >> 32n), 12);
      return (capset(header(), rows) as number) === 0;
    },
    installFilter(program) {
      const number = SECCOMP[process.arch];
      if (number === undefined) return false;
      const pointer = Buffer.alloc(16); // struct sock_fprog { unsigned short len; struct sock_filter *filter; }
      pointer.writeUInt16LE(program.length / 8, 0);
      pointer.writeBigUInt64LE(BigInt(koffi.address(program)), 8);
      const done = syscall(number, 'unsigned int', SET_MODE_FILTER, 'unsigned int', FLAG_TSYNC, 'void*', pointer);
      return Number(done) === 0;
    },
    forbidCore,
  };
}

function load(names: readonly string[]): LibraryHandle {
  let failure: unknown;
  for (const name of names) {
    try {
      return koffi.load(name);
    } catch (thrown) {
      failure ??= thrown;
    }
  }
  throw failure;
}

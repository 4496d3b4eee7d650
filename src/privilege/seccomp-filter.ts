// A seccomp filter for a program that holds capabilities it needs only for reading: the system calls by which those would become more
// are refused with EPERM, for all threads and for good. Builds the program; installing it is drop.ts's.

interface Numbers {
  /** AUDIT_ARCH_* of linux/audit.h. */
  readonly arch: number;
  /** x86-64's second table of calls begins here; null where there is none. */
  readonly foreign: number | null;
  readonly calls: Readonly<Record<string, number>>;
}

/** Calls with one number on every architecture (newer than 5.0). */
const COMMON = {
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  fspick: 433,
  pidfd_getfd: 438,
  process_madvise: 440,
  mount_setattr: 442,
} as const;

const NUMBERS: Partial<Record<NodeJS.Architecture, Numbers>> = {
  x64: {
    arch: 0xc000_003e,
    foreign: 0x4000_0000,
    calls: {
      ...COMMON,
      ptrace: 101,
      syslog: 103,
      modify_ldt: 154,
      pivot_root: 155,
      adjtimex: 159,
      chroot: 161,
      acct: 163,
      settimeofday: 164,
      mount: 165,
      umount2: 166,
      swapon: 167,
      swapoff: 168,
      reboot: 169,
      iopl: 172,
      ioperm: 173,
      init_module: 175,
      delete_module: 176,
      quotactl: 179,
      clock_settime: 227,
      kexec_load: 246,
      add_key: 248,
      request_key: 249,
      keyctl: 250,
      unshare: 272,
      perf_event_open: 298,
      fanotify_init: 300,
      name_to_handle_at: 303,
      open_by_handle_at: 304,
      clock_adjtime: 305,
      setns: 308,
      process_vm_readv: 310,
      process_vm_writev: 311,
      kcmp: 312,
      finit_module: 313,
      kexec_file_load: 320,
      bpf: 321,
      userfaultfd: 323,
    },
  },
  arm64: {
    arch: 0xc000_00b7,
    foreign: null,
    calls: {
      ...COMMON,
      umount2: 39,
      mount: 40,
      pivot_root: 41,
      chroot: 51,
      quotactl: 60,
      acct: 89,
      unshare: 97,
      kexec_load: 104,
      init_module: 105,
      delete_module: 106,
      clock_settime: 112,
      syslog: 116,
      ptrace: 117,
      reboot: 142,
      settimeofday: 170,
      adjtimex: 171,
      add_key: 217,
      request_key: 218,
      keyctl: 219,
      swapon: 224,
      swapoff: 225,
      perf_event_open: 241,
      fanotify_init: 262,
      name_to_handle_at: 264,
      open_by_handle_at: 265,
      clock_adjtime: 266,
      setns: 268,
      process_vm_readv: 270,
      process_vm_writev: 271,
      kcmp: 272,
      finit_module: 273,
      bpf: 280,
      userfaultfd: 282,
      kexec_file_load: 294,
    },
  },
};
/** Starting another program; apart, because the driver `cap` does so. */
const EXEC: Partial<Record<NodeJS.Architecture, readonly number[]>> = { x64: [59, 322], arm64: [221, 281] };

/** One instruction of classic BPF (linux/filter.h). */
export interface SeccompInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const RETURN = 0x06;
/** struct seccomp_data { int nr; __u32 arch; ... } */
const NR_AT = 0;
const ARCH_AT = 4;
export const SECCOMP_ALLOW = 0x7fff_0000;
/** SECCOMP_RET_ERRNO with EPERM. */
export const SECCOMP_REFUSE = 0x0005_0001;

/**
 * The filter, or null on an architecture whose numbers are not known here.
 *
 * Refused: tracing and writing into other processes, opening files by handle (the way by which CAP_DAC_READ_SEARCH leaves a container),
 * kernel modules, mounts, namespaces, bpf, keys, clocks. @param starts whether other programs may be started
 */
export function seccompProgram(arch: NodeJS.Architecture, starts: boolean): readonly SeccompInstruction[] | null {
  const numbers = NUMBERS[arch];
  if (numbers === undefined) return null;
  const refused = [...Object.values(numbers.calls), ...(starts ? [] : (EXEC[arch] ?? []))].sort((a, b) => a - b);
  const foreign = numbers.foreign === null ? 0 : 1;
  // 0 load arch | 1 is it ours | 2 load number | (3 second table?) | one comparison each | allow | refuse
  const allow = 3 + foreign + refused.length;
  const refuse = allow + 1;
  const program: SeccompInstruction[] = [
    { code: LOAD_WORD, jt: 0, jf: 0, k: ARCH_AT },
    { code: JUMP_EQUAL, jt: 0, jf: refuse - 2, k: numbers.arch },
    { code: LOAD_WORD, jt: 0, jf: 0, k: NR_AT },
  ];
  if (numbers.foreign !== null) program.push({ code: JUMP_AT_LEAST, jt: refuse - 4, jf: 0, k: numbers.foreign });
  for (const number of refused) program.push({ code: JUMP_EQUAL, jt: refuse - program.length - 1, jf: 0, k: number });
  program.push({ code: RETURN, jt: 0, jf: 0, k: SECCOMP_ALLOW }, { code: RETURN, jt: 0, jf: 0, k: SECCOMP_REFUSE });
  return program;
}

/** The program as the kernel takes it: struct sock_filter, eight bytes each. */
export function seccompBytes(program: readonly SeccompInstruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [i, { code, jt, jf, k }] of program.entries()) {
    bytes.writeUInt16LE(code, i * 8);
    bytes.writeUInt8(jt, i * 8 + 2);
    bytes.writeUInt8(jf, i * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, i * 8 + 4);
  }
  return bytes;
}

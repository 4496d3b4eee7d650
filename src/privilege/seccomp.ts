// Builds a seccomp filter for a program whose capabilities serve only for reading. The filter irrevocably denies all threads the system calls that
// could turn those into more. drop.ts installs it.

/** One instruction of classic BPF (linux/filter.h). */
interface SeccompInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;
/** struct seccomp_data { int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]; }; we load the lower halves of arguments */
const NR_AT = 0;
const ARCH_AT = 4;
const FIRST_AT = 16;
const SECOND_AT = 24;

/** SECCOMP_RET_ALLOW (include/uapi/linux/seccomp.h). */
export const SECCOMP_ALLOW = 0x7fff_0000;
/** SECCOMP_RET_ERRNO with EPERM. */
export const SECCOMP_REFUSE = 0x0005_0001;
/** With ENOSYS, on which libc falls back to another call. */
export const SECCOMP_UNKNOWN = 0x0005_0026;
/** With EAFNOSUPPORT, as if the kernel lacked the socket family. */
export const SECCOMP_NO_FAMILY = 0x0005_0061;
type Answer = typeof SECCOMP_ALLOW | typeof SECCOMP_REFUSE | typeof SECCOMP_UNKNOWN | typeof SECCOMP_NO_FAMILY;

/** The CLONE_NEW* flags (linux/sched.h), each of which creates a namespace. clone(2) has no CLONE_NEWTIME. */
const NEW_NAMESPACES = 0x7e02_0000;
/** TIOCSTI and TIOCLINUX insert input into the user's terminal, which the shell would read once the program has ended. */
const INSERT_INPUT = [0x5412, 0x541c] as const;
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET. Opening another would make the kernel load its module. */
const FAMILIES = [1, 2, 10, 16, 17] as const;

/** Target of a jump: an answer, a part of the program, or the next instruction. */
type Target = Answer | 'socket' | 'clone' | 'ioctl' | 'next';
interface Step {
  readonly code: number;
  readonly k: number;
  readonly met?: Target;
  readonly unmet?: Target;
  /** The label of this instruction. */
  readonly label?: Target;
}

/**
 * The filter; null on an architecture whose numbers we don't know.
 *
 * It refuses tracing and writing to other processes, opening files by handle (with which CAP_DAC_READ_SEARCH escapes a container), kernel modules,
 * mounts, namespaces, bpf, keys, clocks, io_uring, terminal input injection, unused socket families, and system calls of other architectures and
 * of x32. @param starts whether the process may start other programs
 */
export function seccompProgram(arch: NodeJS.Architecture, starts: boolean): readonly SeccompInstruction[] | null {
  const numbers = CALL_NUMBERS[arch];
  if (numbers === undefined) return null;
  const refused = [...Object.values(numbers.refused), ...(starts ? [] : numbers.exec)].sort((a, b) => a - b);
  const equal = (k: number, met: Target): Step => ({ code: JUMP_EQUAL, k, met });
  const answer = (k: Answer): Step => ({ code: RETURN, k, label: k });
  const part = (label: Target, at: number): Step => ({ code: LOAD_WORD, k: at, label });
  return assemble([
    { code: LOAD_WORD, k: ARCH_AT },
    { code: JUMP_EQUAL, k: numbers.arch, unmet: SECCOMP_REFUSE },
    { code: LOAD_WORD, k: NR_AT },
    ...(numbers.foreign === null ? [] : [{ code: JUMP_AT_LEAST, k: numbers.foreign, met: SECCOMP_REFUSE } as const]),
    ...refused.map((number) => equal(number, SECCOMP_REFUSE)),
    equal(CLONE3, SECCOMP_UNKNOWN),
    equal(numbers.socket, 'socket'),
    equal(numbers.clone, 'clone'),
    { code: JUMP_EQUAL, k: numbers.ioctl, met: 'ioctl', unmet: SECCOMP_ALLOW },
    part('socket', FIRST_AT),
    ...FAMILIES.map((family) => equal(family, SECCOMP_ALLOW)),
    answer(SECCOMP_NO_FAMILY),
    part('clone', FIRST_AT),
    { code: JUMP_ANY_BIT, k: NEW_NAMESPACES, met: SECCOMP_REFUSE, unmet: SECCOMP_ALLOW },
    part('ioctl', SECOND_AT),
    ...INSERT_INPUT.map((request) => equal(request, SECCOMP_REFUSE)),
    answer(SECCOMP_ALLOW),
    answer(SECCOMP_REFUSE),
    answer(SECCOMP_UNKNOWN),
  ]);
}

/** Resolves labels. Jumps only go forward, by at most 255 instructions. */
function assemble(steps: readonly Step[]): readonly SeccompInstruction[] {
  const places = new Map(steps.map(({ label }, at) => [label, at]));
  const distance = (from: number, to: Target = 'next'): number => (to === 'next' ? 0 : (places.get(to) ?? 0) - from - 1);
  return steps.map(({ code, k, met, unmet }, at) => ({ code, jt: distance(at, met), jf: distance(at, unmet), k }));
}

/** Encodes the program for the kernel: struct sock_filter, eight bytes each. */
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

/** One architecture's system call numbers. */
interface CallNumbers {
  /** AUDIT_ARCH_* of linux/audit.h. */
  readonly arch: number;
  /** First number of x86-64's second table of calls (x32); null if there is none. */
  readonly foreign: number | null;
  /** Always refused. */
  readonly refused: Readonly<Record<string, number>>;
  /** Calls that start another program. */
  readonly exec: readonly number[];
  /** Refused depending on their arguments. */
  readonly clone: number;
  readonly socket: number;
  readonly ioctl: number;
}

/** Numbers that all architectures share (Linux 5.1 and later). */
const COMMON = {
  // Node's event loop may keep the ring that it has from before root was dropped, but must not create another.
  io_uring_setup: 425,
  io_uring_register: 427,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  fspick: 433,
  pidfd_getfd: 438,
  process_madvise: 440,
  mount_setattr: 442,
  quotactl_fd: 443,
  process_mrelease: 448,
  set_mempolicy_home_node: 450,
  lsm_set_self_attr: 460,
  open_tree_attr: 467,
} as const;
/** clone3's flags are in memory, which a filter can't read, so it gets ENOSYS. libc then uses clone. */
const CLONE3 = 435;

/** By Node's names of architectures. */
const CALL_NUMBERS: Partial<Record<NodeJS.Architecture, CallNumbers>> = {
  x64: {
    arch: 0xc000_003e,
    foreign: 0x4000_0000,
    clone: 56,
    socket: 41,
    ioctl: 16,
    exec: [59, 322],
    refused: {
      ...COMMON,
      ptrace: 101,
      syslog: 103,
      uselib: 134,
      personality: 135,
      vhangup: 153,
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
      sethostname: 170,
      setdomainname: 171,
      iopl: 172,
      ioperm: 173,
      init_module: 175,
      delete_module: 176,
      quotactl: 179,
      io_setup: 206,
      lookup_dcookie: 212,
      remap_file_pages: 216,
      clock_settime: 227,
      mbind: 237,
      set_mempolicy: 238,
      get_mempolicy: 239,
      kexec_load: 246,
      add_key: 248,
      request_key: 249,
      keyctl: 250,
      migrate_pages: 256,
      unshare: 272,
      move_pages: 279,
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
    clone: 220,
    socket: 198,
    ioctl: 29,
    exec: [221, 281],
    refused: {
      ...COMMON,
      io_setup: 0,
      lookup_dcookie: 18,
      umount2: 39,
      mount: 40,
      pivot_root: 41,
      chroot: 51,
      vhangup: 58,
      quotactl: 60,
      acct: 89,
      personality: 92,
      unshare: 97,
      kexec_load: 104,
      init_module: 105,
      delete_module: 106,
      clock_settime: 112,
      syslog: 116,
      ptrace: 117,
      reboot: 142,
      sethostname: 161,
      setdomainname: 162,
      settimeofday: 170,
      adjtimex: 171,
      add_key: 217,
      request_key: 218,
      keyctl: 219,
      swapon: 224,
      swapoff: 225,
      remap_file_pages: 234,
      mbind: 235,
      get_mempolicy: 236,
      set_mempolicy: 237,
      migrate_pages: 238,
      move_pages: 239,
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

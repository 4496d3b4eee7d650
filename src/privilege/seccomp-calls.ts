// System calls that the filter knows, by name and number. Numbers only; seccomp-filter.ts says what becomes of them.

/** One architecture's numbers. */
export interface CallNumbers {
  /** AUDIT_ARCH_* of linux/audit.h. */
  readonly arch: number;
  /** x86-64's second table of calls (x32) begins here; null where there is none. */
  readonly foreign: number | null;
  /** Refused whatever they are asked. */
  readonly refused: Readonly<Record<string, number>>;
  /** Starting another program. */
  readonly exec: readonly number[];
  /** Judged by what they are asked. */
  readonly clone: number;
  readonly socket: number;
  readonly ioctl: number;
}

/** On every architecture (newer than 5.0). */
const COMMON = {
  // Node's event loop has its ring before root is given up, and may go on with it; there will be no other.
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
/** The flags of clone3 lie in memory, where no filter sees them; libc does without it. */
export const CLONE3 = 435;

/** By Node's names of architectures; the filter exists for these. */
export const CALL_NUMBERS: Partial<Record<NodeJS.Architecture, CallNumbers>> = {
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

// A seccomp filter for a program that holds capabilities it needs only for reading: the system calls by which those would become more
// are refused, for all threads and for good. Builds the program; installing it is drop.ts's.

import { CALL_NUMBERS, CLONE3 } from './seccomp-calls.ts';

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
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;
/** struct seccomp_data { int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]; }, of arguments the lower halves */
const NR_AT = 0;
const ARCH_AT = 4;
const FIRST_AT = 16;
const SECOND_AT = 24;

/** SECCOMP_RET_ALLOW (include/uapi/linux/seccomp.h). */
export const SECCOMP_ALLOW = 0x7fff_0000;
/** SECCOMP_RET_ERRNO with EPERM. */
export const SECCOMP_REFUSE = 0x0005_0001;
/** With ENOSYS: libc asks in another way then. */
export const SECCOMP_UNKNOWN = 0x0005_0026;
/** With EAFNOSUPPORT: as if the kernel had no such sockets. */
export const SECCOMP_NO_FAMILY = 0x0005_0061;
type Answer = typeof SECCOMP_ALLOW | typeof SECCOMP_REFUSE | typeof SECCOMP_UNKNOWN | typeof SECCOMP_NO_FAMILY;

/** CLONE_NEW* (linux/sched.h): each makes a namespace. CLONE_NEWTIME is no flag of clone(2). */
const NEW_NAMESPACES = 0x7e02_0000;
/** TIOCSTI and TIOCLINUX type into the user's terminal, where a shell reads it once the program has ended. */
const TYPING = [0x5412, 0x541c] as const;
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET. To ask for another has the kernel load what it has for it. */
const FAMILIES = [1, 2, 10, 16, 17] as const;

/** Where a jump goes: an answer, a part of the program, or to the next instruction. */
type Target = Answer | 'socket' | 'clone' | 'ioctl' | 'next';
interface Step {
  readonly code: number;
  readonly k: number;
  readonly met?: Target;
  readonly unmet?: Target;
  /** The part that begins here. */
  readonly label?: Target;
}

/**
 * The filter, or null on an architecture whose numbers are not known here.
 *
 * Refused: tracing and writing into other processes, opening files by handle (the way by which CAP_DAC_READ_SEARCH leaves a container),
 * kernel modules, mounts, namespaces, bpf, keys, clocks, io_uring, typing into the terminal, sockets of families that nothing here
 * speaks, and numbers of other architectures and of x32. @param starts whether other programs may be started
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
    ...TYPING.map((request) => equal(request, SECCOMP_REFUSE)),
    answer(SECCOMP_ALLOW),
    answer(SECCOMP_REFUSE),
    answer(SECCOMP_UNKNOWN),
  ]);
}

/** Jumps only lead forward, by at most 255 instructions. */
function assemble(steps: readonly Step[]): readonly SeccompInstruction[] {
  const places = new Map(steps.map(({ label }, at) => [label, at]));
  const distance = (from: number, to: Target = 'next'): number => (to === 'next' ? 0 : (places.get(to) ?? 0) - from - 1);
  return steps.map(({ code, k, met, unmet }, at) => ({ code, jt: distance(at, met), jf: distance(at, unmet), k }));
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

// Runs the system call filter as the kernel would.

import { describe, expect, it, test } from 'vitest';
import {
  SECCOMP_ALLOW,
  SECCOMP_NO_FAMILY,
  SECCOMP_REFUSE,
  SECCOMP_UNKNOWN,
  seccompBytes,
  seccompProgram,
} from '../../../src/privilege/seccomp.ts';

const X64 = 0xc000_003e;
const ARM64 = 0xc000_00b7;

/** The program's verdict on a call. Throws for a program that the kernel would refuse. @param args lower halves of the first two */
function verdict(
  arch: NodeJS.Architecture,
  starts: boolean,
  number: number,
  from: number,
  args: readonly [number, number] = [0, 0],
): number {
  const program = seccompProgram(arch, starts) ?? [];
  const words = new Map([
    [0, number],
    [4, from],
    [16, args[0]],
    [24, args[1]],
  ]);
  let a = 0;
  for (let pc = 0; ; pc++) {
    const at = program[pc];
    if (at === undefined) throw new Error(`ran out of the program at ${pc}`);
    for (const jump of [at.jt, at.jf]) if (jump < 0 || jump > 255) throw new Error(`a jump of ${jump}`);
    if (at.code === 0x20) a = words.get(at.k) ?? Number.NaN;
    else if (at.code === 0x06) return at.k;
    else if (at.code === 0x15) pc += a === at.k ? at.jt : at.jf;
    else if (at.code === 0x35) pc += a >= at.k ? at.jt : at.jf;
    else if (at.code === 0x45) pc += (a & at.k) !== 0 ? at.jt : at.jf;
    else throw new Error(`instruction ${at.code}`);
  }
}

describe.each([
  // ptrace, open_by_handle_at, process_vm_writev, bpf, init_module, mount, setns, fsopen, pidfd_getfd; the least and the greatest number
  [
    'x64',
    X64,
    [101, 304, 311, 321, 175, 165, 308, 425, 427, 430, 438, 442, 135, 279],
    [59, 322],
    [0, 1, 2, 257, 232, 56, 426, 257, 231, 117, 126, 500, 1000],
    { clone: 56, socket: 41, ioctl: 16 },
  ],
  [
    'arm64',
    ARM64,
    [117, 265, 271, 280, 105, 40, 268, 425, 427, 430, 438, 39, 442, 92, 239],
    [221, 281],
    [63, 64, 56, 220, 426, 94, 91, 38, 43, 1000],
    { clone: 220, socket: 198, ioctl: 29 },
  ],
] as const)('on %s', (arch, code, refused, exec, allowed, { clone, socket, ioctl }) => {
  test.each(refused)('call %d is refused', (number) => {
    for (const starts of [true, false]) expect(verdict(arch, starts, number, code)).toBe(SECCOMP_REFUSE);
  });

  test.each(allowed)('call %d is not', (number) => {
    for (const starts of [true, false]) {
      expect(verdict(arch, starts, number, code)).toBe(SECCOMP_ALLOW);
    }
  });

  it.each([
    ['a thread', 0x3d_0f00, SECCOMP_ALLOW],
    ['a child', 17, SECCOMP_ALLOW],
    ['a user namespace', 0x1000_0000 | 17, SECCOMP_REFUSE],
    ['a mount namespace', 0x2_0000, SECCOMP_REFUSE],
    ['a network namespace', 0x4000_0000, SECCOMP_REFUSE],
  ])('clone may make %s or not', (_, flags, answer) => expect(verdict(arch, true, clone, code, [flags, 0])).toBe(answer));

  it('clone3 doesn’t exist, because the filter can’t see its flags', () => {
    expect(verdict(arch, true, 435, code)).toBe(SECCOMP_UNKNOWN);
  });

  it.each([1, 2, 10, 16, 17])('allows sockets of family %d', (family) => {
    expect(verdict(arch, true, socket, code, [family, 0])).toBe(SECCOMP_ALLOW);
  });

  // AX.25, AF_KEY, RDS, CAN, TIPC, Bluetooth, ALG, VSOCK, XDP; and what no family is
  it.each([0, 3, 15, 21, 29, 30, 31, 38, 40, 44, 0x1_0002])('refuses sockets of family %d', (family) => {
    expect(verdict(arch, true, socket, code, [family, 0])).toBe(SECCOMP_NO_FAMILY);
  });

  it('nothing can be typed into a terminal, but its size and modes can be read and set', () => {
    for (const request of [0x5412, 0x541c]) expect(verdict(arch, true, ioctl, code, [0, request])).toBe(SECCOMP_REFUSE);
    for (const request of [0x5401, 0x5402, 0x5413, 0x8933])
      expect(verdict(arch, true, ioctl, code, [0, request])).toBe(SECCOMP_ALLOW);
  });

  test.each(exec)('call %d, which starts a program, is refused where none is needed', (number) => {
    expect([verdict(arch, true, number, code), verdict(arch, false, number, code)]).toEqual([SECCOMP_ALLOW, SECCOMP_REFUSE]);
  });

  it('refuses another architecture of the same machine, with all its numbers', () => {
    for (const number of [0, 1, 26, 11]) expect(verdict(arch, true, number, 0x4000_0003)).toBe(SECCOMP_REFUSE);
  });
});

it('refuses the second system call table of x86-64', () => {
  expect(verdict('x64', true, 0x4000_0000 + 1, X64)).toBe(SECCOMP_REFUSE);
  expect(verdict('x64', true, 0xffff_ffff, X64)).toBe(SECCOMP_REFUSE);
});

it('doesn’t exist for a machine with unknown system call numbers', () => expect(seccompProgram('s390x', true)).toBeNull());

it('is encoded as the kernel reads it', () => {
  const program = seccompProgram('x64', true) ?? [];
  const bytes = seccompBytes(program);
  expect(bytes.length).toBe(program.length * 8);
  expect([...bytes.subarray(0, 8)]).toEqual([0x20, 0, 0, 0, 4, 0, 0, 0]);
  expect([...bytes.subarray(-16)]).toEqual([0x06, 0, 0, 0, 1, 0, 5, 0, 0x06, 0, 0, 0, 0x26, 0, 5, 0]);
});

// The filter of system calls, run as the kernel would run it.

import { describe, expect, it, test } from 'vitest';
import { SECCOMP_ALLOW, SECCOMP_REFUSE, seccompBytes, seccompProgram } from '../../../src/privilege/seccomp-filter.ts';

const X64 = 0xc000_003e;
const ARM64 = 0xc000_00b7;

/** What the program answers to a call. Throws for anything that the kernel would not take. */
function verdict(arch: NodeJS.Architecture, starts: boolean, number: number, from: number): number {
  const program = seccompProgram(arch, starts) ?? [];
  let a = 0;
  for (let pc = 0; ; pc++) {
    const at = program[pc];
    if (at === undefined) throw new Error(`ran out of the program at ${pc}`);
    for (const jump of [at.jt, at.jf]) if (jump < 0 || jump > 255) throw new Error(`a jump of ${jump}`);
    if (at.code === 0x20) a = at.k === 4 ? from : number;
    else if (at.code === 0x06) return at.k;
    else if (at.code === 0x15) pc += a === at.k ? at.jt : at.jf;
    else if (at.code === 0x35) pc += a >= at.k ? at.jt : at.jf;
    else throw new Error(`instruction ${at.code}`);
  }
}

describe.each([
  // ptrace, open_by_handle_at, process_vm_writev, bpf, init_module, mount, setns, fsopen, pidfd_getfd; the least and the greatest number
  [
    'x64',
    X64,
    [101, 304, 311, 321, 175, 165, 308, 430, 438, 442],
    [59, 322],
    [0, 1, 2, 257, 232, 56, 435, 257, 231, 117, 500, 1000],
  ],
  [
    'arm64',
    ARM64,
    [117, 265, 271, 280, 105, 40, 268, 430, 438, 39, 442],
    [221, 281],
    [63, 64, 56, 220, 435, 94, 0, 38, 43, 1000],
  ],
] as const)('on %s', (arch, code, refused, exec, allowed) => {
  test.each(refused)('call %d is refused', (number) => {
    for (const starts of [true, false]) expect(verdict(arch, starts, number, code)).toBe(SECCOMP_REFUSE);
  });

  test.each(allowed)('call %d is not', (number) => {
    for (const starts of [true, false]) expect(verdict(arch, starts, number, code)).toBe(SECCOMP_ALLOW);
  });

  test.each(exec)('call %d, which starts a program, is refused where none is needed', (number) => {
    expect([verdict(arch, true, number, code), verdict(arch, false, number, code)]).toEqual([SECCOMP_ALLOW, SECCOMP_REFUSE]);
  });

  it('another architecture of the same machine is refused, with all its numbers', () => {
    for (const number of [0, 1, 26, 11]) expect(verdict(arch, true, number, 0x4000_0003)).toBe(SECCOMP_REFUSE);
  });
});

it('the second table of x86-64 is refused', () => {
  expect(verdict('x64', true, 0x4000_0000 + 1, X64)).toBe(SECCOMP_REFUSE);
  expect(verdict('x64', true, 0xffff_ffff, X64)).toBe(SECCOMP_REFUSE);
});

it('there is none for a machine whose numbers are not known', () => expect(seccompProgram('s390x', true)).toBeNull());

it('is written as the kernel reads it', () => {
  const program = seccompProgram('x64', true) ?? [];
  const bytes = seccompBytes(program);
  expect(bytes.length).toBe(program.length * 8);
  expect([...bytes.subarray(0, 8)]).toEqual([0x20, 0, 0, 0, 4, 0, 0, 0]);
  expect([...bytes.subarray(-8)]).toEqual([0x06, 0, 0, 0, 1, 0, 5, 0]);
});

import { describe, expect, it } from 'vitest';
import { EbpfAssembler, HELPER, R } from '../../../../../../src/identify/process/linux/ebpf/assembler.ts';
import type { KernelTypes } from '../../../../../../src/identify/process/linux/ebpf/kernel-types.ts';
import {
  frameProgram,
  REPORT_BYTES,
  STORAGE_BYTES,
  socketPrograms,
} from '../../../../../../src/identify/process/linux/ebpf/socket-programs.ts';

/** One instruction as hexadecimal: code, registers, offset, immediate (instruction-set.rst, "Instruction encoding"). */
const hex = (build: (asm: EbpfAssembler) => EbpfAssembler) => build(new EbpfAssembler()).assemble().toString('hex');

describe('EbpfAssembler', () => {
  it.each<[string, (asm: EbpfAssembler) => EbpfAssembler, string]>([
    ['r1 = r2', (asm) => asm.move(R.R1, R.R2), 'bf21000000000000'],
    ['r3 = 5', (asm) => asm.set(R.R3, 5), 'b703000005000000'],
    ['r1 += -8', (asm) => asm.addValue(R.R1, -8), '07010000f8ffffff'],
    ['r1 += r9', (asm) => asm.add(R.R1, R.R9), '0f91000000000000'],
    ['w1 ^= w2', (asm) => asm.xor32(R.R1, R.R2), 'ac21000000000000'],
    ['w1 *= 0x9e3779b1', (asm) => asm.multiply32(R.R1, 0x9e3779b1), '24010000b179379e'],
    ['w1 |= 1', (asm) => asm.or32(R.R1, 1), '4401000001000000'],
    ['w2 >>= 27', (asm) => asm.shiftRight32(R.R2, 27), '740200001b000000'],
    ['r0 >>= 32', (asm) => asm.shiftRight(R.R0, 32), '7700000020000000'],
    ['r2 <<= 2', (asm) => asm.shiftLeft(R.R2, 2), '6702000002000000'],
    ['r1 = *(u8 *)(r2 + 9)', (asm) => asm.load(8, R.R1, R.R2, 9), '7121090000000000'],
    ['r1 = *(u16 *)(r2 + 9)', (asm) => asm.load(16, R.R1, R.R2, 9), '6921090000000000'],
    ['r1 = *(u32 *)(r2 + 9)', (asm) => asm.load(32, R.R1, R.R2, 9), '6121090000000000'],
    ['r1 = *(u64 *)(r2 + 9)', (asm) => asm.load(64, R.R1, R.R2, 9), '7921090000000000'],
    ['*(u32 *)(r10 - 4) = r1', (asm) => asm.store(32, R.R10, -4, R.R1), '631afcff00000000'],
    ['*(u64 *)(r10 - 8) = r1', (asm) => asm.store(64, R.R10, -8, R.R1), '7b1af8ff00000000'],
    ['*(u32 *)(r10 - 4) = 7', (asm) => asm.storeValue(32, R.R10, -4, 7), '620afcff07000000'],
    ['*(u64 *)(r10 - 8) = 0', (asm) => asm.storeValue(64, R.R10, -8, 0), '7a0af8ff00000000'],
    ['r1 = map 17', (asm) => asm.loadMap(R.R1, 17), '18110000110000000000000000000000'],
    ['r1 = 0x0000000200000007', (asm) => asm.setWide(R.R1, 0x2_0000_0007n), '18010000070000000000000002000000'],
    ['r1 = 2^64 - 1', (asm) => asm.setWide(R.R1, 0xffff_ffff_ffff_ffffn), '18010000ffffffff00000000ffffffff'],
    ['call get_current_pid_tgid', (asm) => asm.call(HELPER.pidTgid), '850000000e000000'],
    ['return 1', (asm) => asm.exit(1), 'b7000000010000009500000000000000'],
  ])('%s', (_, build, bytes) => {
    expect(hex(build)).toBe(bytes);
  });

  it('resolves jumps forward and backward, counted from the next instruction', () => {
    const bytes = hex((asm) =>
      asm
        .label('again')
        .ifEqualValue(R.R1, 2, 'out')
        .ifNotEqualValue(R.R1, 3, 'again')
        .ifEqual(R.R1, R.R2, 'out')
        .ifNotEqual(R.R1, R.R2, 'out')
        .ifGreater(R.R1, R.R2, 'again')
        .jump('out')
        .label('out')
        .exit(0),
    );
    expect(bytes.match(/.{16}/g)).toEqual([
      '1501050002000000',
      '5501feff03000000',
      '1d21030000000000',
      '5d21020000000000',
      '2d21fbff00000000',
      '0500000000000000',
      'b700000000000000',
      '9500000000000000',
    ]);
  });

  it('counts both slots of a map in a jump', () => {
    expect(hex((asm) => asm.jump('out').loadMap(R.R1, 1).label('out').exit(0)).slice(0, 16)).toBe('0500020000000000');
  });

  it('refuses a label that isn’t set', () => {
    expect(() => new EbpfAssembler().jump('nowhere').assemble()).toThrow('nowhere');
  });
});

const OFFSETS = { leader: 0x9a8, comm: 0xc20 };

describe.each([
  ['the name of the main thread', OFFSETS, null],
  ['the name of the calling thread', null, null],
  ['a mark for a cgroup and those below it', OFFSETS, { id: 77n, level: 2 }],
  ['a mark for a cgroup alone', null, { id: 77n, level: null }],
])('socketPrograms with %s', (_, leader, mark) => {
  const programs = socketPrograms(3, 4, leader, mark);

  it('have names that the kernel allows, one per attach point', () => {
    for (const { name } of programs) expect(name).toMatch(/^[a-z0-9_]{1,15}$/);
    expect(new Set(programs.map(({ attach }) => attach)).size).toBe(programs.length);
  });

  it('end, stay within the stack, and let every packet pass', () => {
    expect(Math.max(STORAGE_BYTES, REPORT_BYTES)).toBeLessThanOrEqual(512);
    for (const { code } of programs) {
      expect(code.subarray(-16).toString('hex')).toBe('b7000000010000009500000000000000');
      const exits = Array.from({ length: code.length / 8 }, (_, i) => code[i * 8]).filter((opcode) => opcode === 0x95);
      expect(exits.length).toBe(1);
    }
  });

  it('ask for a cgroup only if there is one to mark', () => {
    const calls = programs.flatMap(({ code }) =>
      Array.from({ length: code.length / 8 }, (_, i) => code.subarray(i * 8, i * 8 + 8))
        .filter((word) => word[0] === 0x85)
        .map((word) => word.readInt32LE(4)),
    );
    expect(calls.includes(HELPER.ancestorCgroup)).toBe(mark !== null && mark.level !== null);
    expect(calls.includes(HELPER.cgroup)).toBe(mark !== null && mark.level === null);
  });

  it('keep storage and reports in whole words, as they are copied eight bytes at a time', () => {
    expect([STORAGE_BYTES % 8, REPORT_BYTES % 8]).toEqual([0, 0]);
  });

  it('read a frame at the offsets of the kernel types, stay within the stack, and return nothing', () => {
    const places = { sk: 0x18, protocol: 0x2b0, network_header: 0x2b4, tail: 0x2b8, head: 0x2c0 } as Record<string, number>;
    const types = { offset: (_: string, member: string) => places[member] ?? 0x10 } as unknown as KernelTypes;
    const code = frameProgram(3, 4, types, mark);
    const words = Array.from({ length: code.length / 8 }, (_, i) => code.subarray(i * 8, i * 8 + 8));
    const loads = words.filter((word) => [0x61, 0x69, 0x79].includes(word[0] as number)).map((word) => word.readInt16LE(2));
    expect(Object.values(places).filter((offset) => !loads.includes(offset))).toEqual([]);
    expect(Math.min(...loads, ...words.filter((word) => word[0] === 0x7b).map((word) => word.readInt16LE(2)))).toBeGreaterThan(
      -512,
    );
    expect(code.subarray(-16).toString('hex')).toBe('b7000000000000009500000000000000');
  });
});

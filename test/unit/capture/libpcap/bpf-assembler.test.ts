import { describe, expect, it } from 'vitest';
import { BpfAssembler, chainPrograms, readProgram, writeProgram } from '../../../../src/capture/libpcap/bpf-assembler.ts';
import { runBpf } from '../../../support/bpf-machine.ts';

const frame = (...bytes: number[]) => Uint8Array.from(bytes);

describe('BpfAssembler', () => {
  it('jumps to labels, forward', () => {
    const bpf = new BpfAssembler();
    bpf.load8(0);
    bpf.ifEqual(1, 'one', 'other');
    bpf.label('other');
    bpf.accept(2);
    bpf.label('one');
    bpf.accept(1);
    const program = bpf.assemble();
    expect([frame(1), frame(7)].map((each) => runBpf(program, each))).toEqual([1, 2]);
    expect(program[1]).toEqual({ code: 0x15, jt: 1, jf: 0, k: 1 });
  });

  it('refuses labels that are unknown, behind, or too far for a conditional jump', () => {
    const unknown = new BpfAssembler();
    unknown.jump('nowhere');
    expect(() => unknown.assemble()).toThrow('nowhere');
    const behind = new BpfAssembler();
    behind.label('start');
    behind.jump('start');
    expect(() => behind.assemble()).toThrow('start');
    for (const [between, fits] of [
      [255, true],
      [256, false],
    ] as const) {
      const far = new BpfAssembler();
      far.ifEqual(1, 'end');
      for (let i = 0; i < between; i++) far.accept(1);
      far.label('end');
      far.accept(9);
      if (fits) expect(runBpf(far.assemble(), frame(0))).toBe(1);
      else expect(() => far.assemble()).toThrow('out of reach');
    }
  });

  it('writes what the kernel reads', () => {
    const bpf = new BpfAssembler();
    bpf.loadLength();
    bpf.ifAtLeast(0x01020304, 'end');
    bpf.label('end');
    bpf.accept(0xffffffff);
    const bytes = writeProgram(bpf.assemble());
    expect(bytes.toString('hex')).toBe('8000000000000000' + '3500000004030201' + '06000000ffffffff');
    expect(readProgram(bytes)).toEqual(bpf.assemble().map((each) => ({ ...each, k: each.k >>> 0 })));
    expect(readProgram(bytes.subarray(0, 20))).toHaveLength(2);
  });
});

describe('chainPrograms', () => {
  // `ether[0] == 1`, as libpcap compiles it: two returns, one of them a rejection.
  const first = [
    { code: 0x30, jt: 0, jf: 0, k: 0 },
    { code: 0x15, jt: 0, jf: 1, k: 1 },
    { code: 0x06, jt: 0, jf: 0, k: 262_144 },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
  ];
  const second = [
    { code: 0x80, jt: 0, jf: 0, k: 0 },
    { code: 0x35, jt: 0, jf: 1, k: 2 },
    { code: 0x06, jt: 0, jf: 0, k: 160 },
    { code: 0x06, jt: 0, jf: 0, k: 90 },
  ];

  it('runs the second on what the first accepts', () => {
    const program = chainPrograms(first, second);
    expect([frame(1, 5), frame(1), frame(2, 5), frame()].map((each) => runBpf(program, each))).toEqual([160, 90, 0, 0]);
  });

  it('leaves its parts as they were', () => {
    const before = structuredClone([first, second]);
    chainPrograms(first, second);
    expect([first, second]).toEqual(before);
  });
});

// An interpreter for classic BPF, as the kernel runs it (pcap/bpf.h): a load beyond the packet rejects it, jumps go forward only.

import type { Instruction } from '../../src/capture/libpcap/bpf-assembler.ts';

/** Cooked captures: libpcap moves loads behind the made-up header to the packet itself, and maps a few within it to what the kernel knows. */
interface Cooked {
  readonly header: number;
  /** Offsets within the header that may be loaded. */
  readonly known: readonly number[];
}
/** pcap-linux.c, fix_offset. */
export const COOKED: Readonly<Record<number, Cooked>> = {
  113: { header: 16, known: [0, 14] },
  276: { header: 20, known: [0, 4, 8, 10] },
};

const ADD = 0x00;
const SUB = 0x10;
const AND = 0x50;
const RSH = 0x70;

/**
 * Runs a program over a frame.
 *
 * @param cooked for LINUX_SLL and SLL2: the packet's length then is that behind the header
 * @returns bytes to keep, 0 where the packet is rejected
 * @throws for an instruction that is unknown, a jump out of the program, or a load libpcap would refuse to install
 */
export function runBpf(program: readonly Instruction[], frame: Uint8Array, cooked: Cooked | null = null): number {
  let a = 0;
  let x = 0;
  const memory = new Int32Array(16);
  const length = frame.length - (cooked?.header ?? 0);
  const beyond = (at: number, bytes: number): boolean => {
    if (cooked !== null && at < cooked.header && !cooked.known.includes(at))
      throw new Error(`no load at ${at} in a cooked header`);
    return at < 0 || at + bytes > frame.length;
  };
  for (let pc = 0; ; pc++) {
    const instruction = program[pc];
    if (instruction === undefined) throw new Error(`ran out of the program at ${pc}`);
    const { code, jt, jf, k } = instruction;
    switch (code) {
      case 0x80: // ld len
        a = length;
        break;
      case 0x28: // ldh [k]
      case 0x48: {
        // ldh [x + k]
        const at = code === 0x28 ? k : (x + k) >>> 0;
        if (beyond(at, 2)) return 0;
        a = ((frame[at] as number) << 8) | (frame[at + 1] as number);
        break;
      }
      case 0x00: // ld #k
        a = k;
        break;
      case 0x20: // ld [k]
      case 0x40: {
        // ld [x + k]
        const at = code === 0x20 ? k : (x + k) >>> 0;
        if (beyond(at, 4)) return 0;
        a = new DataView(frame.buffer, frame.byteOffset).getUint32(at);
        break;
      }
      case 0x30: // ldb [k]
      case 0x50: {
        // ldb [x + k]
        const at = code === 0x30 ? k : (x + k) >>> 0;
        if (beyond(at, 1)) return 0;
        a = frame[at] as number;
        break;
      }
      case 0xb1: // ldx 4 * ([k] & 0xf)
        if (beyond(k, 1)) return 0;
        x = ((frame[k] as number) & 15) * 4;
        break;
      case 0x01: // ldx #k
        x = k;
        break;
      case 0x02: // st M[k]
        memory[k] = a;
        break;
      case 0x60: // ld M[k]
        a = (memory[k] as number) >>> 0;
        break;
      case 0x07: // tax
        x = a;
        break;
      case 0x05: // ja
        pc += k;
        break;
      case 0x15: // jeq
        pc += a === k ? jt : jf;
        break;
      case 0x25: // jgt
        pc += a > k ? jt : jf;
        break;
      case 0x35: // jge
        pc += a >= k ? jt : jf;
        break;
      case 0x3d: // jge x
        pc += a >= x ? jt : jf;
        break;
      case 0x45: // jset
        pc += (a & k) !== 0 ? jt : jf;
        break;
      case 0x06: // ret #k
        return k;
      default:
        a = arithmetic(code, a, (code & 0x08) !== 0 ? x : k);
    }
  }
}

function arithmetic(code: number, a: number, b: number): number {
  if ((code & 0x07) !== 0x04) throw new Error(`unknown instruction 0x${code.toString(16)}`);
  switch (code & 0xf0) {
    case ADD:
      return (a + b) >>> 0;
    case SUB:
      return (a - b) >>> 0;
    case AND:
      return (a & b) >>> 0;
    case RSH:
      return a >>> b;
    default:
      throw new Error(`unknown instruction 0x${code.toString(16)}`);
  }
}

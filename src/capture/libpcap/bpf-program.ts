// Runs classic BPF programs that libpcap compiled, with the semantics of its bpf_filter. `run` allocates nothing.

/** An instruction takes four words: code, jt, jf, k. */
const WORDS = 4;
const INSTRUCTION_BYTES = 8;
const MEMORY_WORDS = 16;
/** Most instructions per frame. `protochain` loops, and advances at least eight bytes each time. */
const MAX_STEPS = 65_536;

/** A compiled filter program. */
export class BpfProgram {
  readonly #words: Uint32Array;
  readonly #memory = new Uint32Array(MEMORY_WORDS);

  /** @param code an array of struct bpf_insn, little-endian */
  constructor(code: Buffer) {
    const count = Math.floor(code.length / INSTRUCTION_BYTES);
    this.#words = new Uint32Array(count * WORDS);
    for (let i = 0; i < count; i++) {
      const at = i * INSTRUCTION_BYTES;
      const instruction = [code.readUInt16LE(at), code.readUInt8(at + 2), code.readUInt8(at + 3), code.readUInt32LE(at + 4)];
      this.#words.set(instruction, i * WORDS);
    }
  }

  /**
   * Runs the program on the frame at `start`.
   *
   * @param captured captured bytes of the frame; a load beyond them ends the program with 0
   * @param wire the frame's length on the wire
   * @returns bytes to keep; 0 if the frame doesn't match or the program is invalid
   */
  run(bytes: Uint8Array, start: number, captured: number, wire: number): number {
    const words = this.#words;
    const memory = this.#memory;
    let a = 0;
    let x = 0;
    let at = 0;
    for (let steps = 0; steps < MAX_STEPS && at + WORDS <= words.length; steps++) {
      const k = words[at + 3] as number;
      let jump = 0;
      // Literal numbers (pcap/bpf.h) let the engine make a jump table.
      switch (words[at]) {
        case 0x28: // ldh [k]
          if (k + 2 > captured) return 0;
          a = ((bytes[start + k] as number) << 8) | (bytes[start + k + 1] as number);
          break;
        case 0x15: // jeq #k
          jump = words[at + (a === k ? 1 : 2)] as number;
          break;
        case 0x30: // ldb [k]
          if (k >= captured) return 0;
          a = bytes[start + k] as number;
          break;
        case 0x20: // ld [k]
          if (k + 4 > captured) return 0;
          a = u32be(bytes, start + k);
          break;
        case 0x40: // ld [x + k]
          if (x + k + 4 > captured) return 0;
          a = u32be(bytes, start + x + k);
          break;
        case 0x48: // ldh [x + k]
          if (x + k + 2 > captured) return 0;
          a = ((bytes[start + x + k] as number) << 8) | (bytes[start + x + k + 1] as number);
          break;
        case 0x50: // ldb [x + k]
          if (x + k >= captured) return 0;
          a = bytes[start + x + k] as number;
          break;
        case 0xb1: // ldx 4 * ([k] & 0xf)
          if (k >= captured) return 0;
          x = ((bytes[start + k] as number) & 0xf) << 2;
          break;
        case 0x80: // ld len
          a = wire;
          break;
        case 0x81: // ldx len
          x = wire;
          break;
        case 0x00: // ld #k
          a = k;
          break;
        case 0x01: // ldx #k
          x = k;
          break;
        case 0x60: // ld M[k]
          a = memory[k & 0xf] as number;
          break;
        case 0x61: // ldx M[k]
          x = memory[k & 0xf] as number;
          break;
        case 0x02: // st M[k]
          memory[k & 0xf] = a;
          break;
        case 0x03: // stx M[k]
          memory[k & 0xf] = x;
          break;
        case 0x05: // ja
          jump = k | 0; // may be negative
          break;
        case 0x1d: // jeq x
          jump = words[at + (a === x ? 1 : 2)] as number;
          break;
        case 0x25: // jgt #k
          jump = words[at + (a > k ? 1 : 2)] as number;
          break;
        case 0x2d: // jgt x
          jump = words[at + (a > x ? 1 : 2)] as number;
          break;
        case 0x35: // jge #k
          jump = words[at + (a >= k ? 1 : 2)] as number;
          break;
        case 0x3d: // jge x
          jump = words[at + (a >= x ? 1 : 2)] as number;
          break;
        case 0x45: // jset #k
          jump = words[at + ((a & k) !== 0 ? 1 : 2)] as number;
          break;
        case 0x4d: // jset x
          jump = words[at + ((a & x) !== 0 ? 1 : 2)] as number;
          break;
        case 0x06: // ret #k
          return k;
        case 0x16: // ret a
          return a;
        case 0x07: // tax
          x = a;
          break;
        case 0x87: // txa
          a = x;
          break;
        default: {
          const code = words[at] as number;
          const operand = (code & 0x08) === 0 ? k : x;
          if (operand === 0 && isDivision(code)) return 0;
          const result = arithmetic(code, a, operand);
          if (result < 0) return 0; // invalid opcode
          a = result;
        }
      }
      at += WORDS * (1 + jump);
      if (at < 0) return 0;
    }
    return 0;
  }
}

function u32be(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

function isDivision(code: number): boolean {
  return (code & 0xf0) === 0x30 || (code & 0xf0) === 0x90;
}

/** @returns -1 for an invalid opcode */
function arithmetic(code: number, a: number, operand: number): number {
  switch (code) {
    case 0x04: // add #k
    case 0x0c: // add x
      return (a + operand) >>> 0;
    case 0x14: // sub #k
    case 0x1c: // sub x
      return (a - operand) >>> 0;
    case 0x24: // mul #k
    case 0x2c: // mul x
      return Math.imul(a, operand) >>> 0;
    case 0x34: // div #k
    case 0x3c: // div x
      return Math.floor(a / operand);
    case 0x94: // mod #k
    case 0x9c: // mod x
      return a % operand;
    case 0x44: // or #k
    case 0x4c: // or x
      return (a | operand) >>> 0;
    case 0x54: // and #k
    case 0x5c: // and x
      return (a & operand) >>> 0;
    case 0xa4: // xor #k
    case 0xac: // xor x
      return (a ^ operand) >>> 0;
    case 0x64: // lsh #k
    case 0x6c: // lsh x
      return operand > 31 ? 0 : (a << operand) >>> 0;
    case 0x74: // rsh #k
    case 0x7c: // rsh x
      return operand > 31 ? 0 : a >>> operand;
    case 0x84: // neg
      return -a >>> 0;
    default:
      return -1;
  }
}

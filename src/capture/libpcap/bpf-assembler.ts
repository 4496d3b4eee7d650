// Assembles classic BPF programs with labels. It has only the instructions that snap-program.ts uses.

/** Opcodes (pcap/bpf.h). */
const OP = {
  LD_LEN: 0x80,
  LDH_ABS: 0x28,
  LDB_ABS: 0x30,
  LDH_IND: 0x48,
  LDB_IND: 0x50,
  LD_IND: 0x40,
  LD_IMM: 0x00,
  LDX_MSH: 0xb1,
  LDX_IMM: 0x01,
  JA: 0x05,
  JEQ: 0x15,
  JGE: 0x35,
  JSET: 0x45,
  JGE_X: 0x3d,
  ST_0: 0x02,
  LD_MEM_0: 0x60,
  ADD_X: 0x0c,
  SUB_X: 0x1c,
  AND: 0x54,
  RSH: 0x74,
  TAX: 0x07,
  RET: 0x06,
} as const;

/** One instruction as the kernel takes it: struct bpf_insn { u16 code; u8 jt; u8 jf; u32 k }. */
export interface Instruction {
  readonly code: number;
  jt: number;
  jf: number;
  k: number;
}

/** A label to jump to; `null` falls through. */
type Target = string | null;

/**
 * Builds a program. Conditional jumps reach 255 instructions (`jt` and `jf` are bytes); `assemble` throws for longer ones.
 */
export class BpfAssembler {
  readonly #code: { code: number; k: number; yes: Target; no: Target }[] = [];
  readonly #labels = new Map<string, number>();

  label(name: string): void {
    this.#labels.set(name, this.#code.length);
  }

  /** A = length of the packet on the wire. */
  loadLength(): void {
    this.#emit(OP.LD_LEN, 0);
  }

  /** A = 16 or 8 bits at an absolute offset. A load beyond the end rejects the packet, so check the length first. */
  load16(offset: number): void {
    this.#emit(OP.LDH_ABS, offset);
  }

  load8(offset: number): void {
    this.#emit(OP.LDB_ABS, offset);
  }

  /** A = 16 or 8 bits at X + offset. */
  load16X(offset: number): void {
    this.#emit(OP.LDH_IND, offset);
  }

  load8X(offset: number): void {
    this.#emit(OP.LDB_IND, offset);
  }

  /** A = 32 bits at X + offset. */
  load32X(offset: number): void {
    this.#emit(OP.LD_IND, offset);
  }

  /** A = value. */
  load(value: number): void {
    this.#emit(OP.LD_IMM, value);
  }

  /** X = 4 * (low nibble of the byte at offset): the length of an IPv4 header. */
  headerLengthToX(offset: number): void {
    this.#emit(OP.LDX_MSH, offset);
  }

  /** M[0] = A. */
  remember(): void {
    this.#emit(OP.ST_0, 0);
  }

  /** A = M[0]. */
  recall(): void {
    this.#emit(OP.LD_MEM_0, 0);
  }

  /** X = value. */
  setX(value: number): void {
    this.#emit(OP.LDX_IMM, value);
  }

  aToX(): void {
    this.#emit(OP.TAX, 0);
  }

  addX(): void {
    this.#emit(OP.ADD_X, 0);
  }

  subtractX(): void {
    this.#emit(OP.SUB_X, 0);
  }

  and(mask: number): void {
    this.#emit(OP.AND, mask);
  }

  shiftRight(bits: number): void {
    this.#emit(OP.RSH, bits);
  }

  ifEqual(value: number, yes: Target, no: Target = null): void {
    this.#emit(OP.JEQ, value >>> 0, yes, no);
  }

  ifAtLeast(value: number, yes: Target, no: Target = null): void {
    this.#emit(OP.JGE, value, yes, no);
  }

  ifAtLeastX(yes: Target, no: Target = null): void {
    this.#emit(OP.JGE_X, 0, yes, no);
  }

  ifAnyBit(mask: number, yes: Target, no: Target = null): void {
    this.#emit(OP.JSET, mask, yes, no);
  }

  jump(label: string): void {
    this.#emit(OP.JA, 0, label);
  }

  accept(bytes: number): void {
    this.#emit(OP.RET, bytes);
  }

  /** The finished program. Throws for an unknown label or a jump that is too far or backwards, which is a bug. */
  assemble(): Instruction[] {
    return this.#code.map(({ code, k, yes, no }, index) => {
      if (code === OP.JA) return { code, jt: 0, jf: 0, k: this.#distance(index, yes, 0xffff) };
      return { code, jt: this.#distance(index, yes, 255), jf: this.#distance(index, no, 255), k };
    });
  }

  #emit(code: number, k: number, yes: Target = null, no: Target = null): void {
    this.#code.push({ code, k, yes, no });
  }

  #distance(from: number, target: Target, farthest: number): number {
    if (target === null) return 0;
    const to = this.#labels.get(target);
    if (to === undefined || to <= from || to - from - 1 > farthest) throw new Error(`bpf: label ${target} is out of reach`);
    return to - from - 1;
  }
}

/** Bytes of one instruction. */
const INSTRUCTION_BYTES = 8;
const RET_CONSTANT = 0x06;

/** Parses the instructions that libpcap's compiler left in memory (little-endian). */
export function readProgram(bytes: Buffer): Instruction[] {
  const program: Instruction[] = [];
  for (let at = 0; at + INSTRUCTION_BYTES <= bytes.length; at += INSTRUCTION_BYTES) {
    program.push({
      code: bytes.readUInt16LE(at),
      jt: bytes.readUInt8(at + 2),
      jf: bytes.readUInt8(at + 3),
      k: bytes.readUInt32LE(at + 4),
    });
  }
  return program;
}

/** Encodes instructions for the kernel. */
export function writeProgram(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * INSTRUCTION_BYTES);
  for (const [i, { code, jt, jf, k }] of program.entries()) {
    bytes.writeUInt16LE(code, i * INSTRUCTION_BYTES);
    bytes.writeUInt8(jt, i * INSTRUCTION_BYTES + 2);
    bytes.writeUInt8(jf, i * INSTRUCTION_BYTES + 3);
    bytes.writeUInt32LE(k >>> 0, i * INSTRUCTION_BYTES + 4);
  }
  return bytes;
}

/** Chains two programs: `second` decides about what `first` accepts. Each accepting `ret` of the first becomes a jump to the second. */
export function chainPrograms(first: readonly Instruction[], second: readonly Instruction[]): Instruction[] {
  const front = first.map((each, index) => {
    const accepts = (each.code & 0x1f) === RET_CONSTANT && each.k !== 0;
    return accepts ? { code: OP.JA, jt: 0, jf: 0, k: first.length - index - 1 } : { ...each };
  });
  return [...front, ...second];
}

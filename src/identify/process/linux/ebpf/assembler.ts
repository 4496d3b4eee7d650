// Assembles eBPF with labels (Linux Documentation/bpf/standardization/instruction-set.rst). It has only the instructions that socket-programs.ts uses.

const BYTES = 8;

/** Registers: R0 result, R1 to R5 arguments, R6 to R9 preserved across calls, R10 frame pointer. */
export const R = { R0: 0, R1: 1, R2: 2, R3: 3, R4: 4, R5: 5, R6: 6, R7: 7, R8: 8, R9: 9, R10: 10 } as const;

/** Kernel functions by number (include/uapi/linux/bpf.h). */
export const HELPER = {
  monotonicTime: 5,
  pidTgid: 14,
  uidGid: 15,
  comm: 16,
  currentTask: 35,
  cgroup: 80,
  storageGet: 107,
  readKernel: 113,
  netnsCookie: 122,
  ancestorCgroup: 123,
  ringbufOutput: 130,
} as const;

const WIDTH = { 8: 0x10, 16: 0x08, 32: 0x00, 64: 0x18 } as const;
type Bits = keyof typeof WIDTH;

/** Builds one program. `assemble` resolves jumps to labels, forward or backward. */
export class EbpfAssembler {
  readonly #code: { code: number; dst: number; src: number; off: number; imm: number; target: string | null }[] = [];
  readonly #labels = new Map<string, number>();

  label(name: string): this {
    this.#labels.set(name, this.#code.length);
    return this;
  }

  /** dst = src */
  move(dst: number, src: number): this {
    return this.#emit(0xbf, dst, src, 0, 0);
  }

  /** dst = value */
  set(dst: number, value: number): this {
    return this.#emit(0xb7, dst, 0, 0, value);
  }

  /** dst += value */
  addValue(dst: number, value: number): this {
    return this.#emit(0x07, dst, 0, 0, value);
  }

  /** dst += src */
  add(dst: number, src: number): this {
    return this.#emit(0x0f, dst, src, 0, 0);
  }

  /** dst ^= src, 32 bits */
  xor32(dst: number, src: number): this {
    return this.#emit(0xac, dst, src, 0, 0);
  }

  /** dst *= value, 32 bits */
  multiply32(dst: number, value: number): this {
    return this.#emit(0x24, dst, 0, 0, value | 0);
  }

  /** dst |= value, 32 bits */
  or32(dst: number, value: number): this {
    return this.#emit(0x44, dst, 0, 0, value);
  }

  /** dst >>= bits, 32 bits, unsigned */
  shiftRight32(dst: number, bits: number): this {
    return this.#emit(0x74, dst, 0, 0, bits);
  }

  /** dst >>= bits, 64 bits, unsigned */
  shiftRight(dst: number, bits: number): this {
    return this.#emit(0x77, dst, 0, 0, bits);
  }

  /** dst <<= bits, 64 bits */
  shiftLeft(dst: number, bits: number): this {
    return this.#emit(0x67, dst, 0, 0, bits);
  }

  /** dst = memory[src + offset] */
  load(bits: Bits, dst: number, src: number, offset: number): this {
    return this.#emit(0x61 | WIDTH[bits], dst, src, offset, 0);
  }

  /** memory[dst + offset] = src */
  store(bits: Bits, dst: number, offset: number, src: number): this {
    return this.#emit(0x63 | WIDTH[bits], dst, src, offset, 0);
  }

  /** memory[dst + offset] = value */
  storeValue(bits: Bits, dst: number, offset: number, value: number): this {
    return this.#emit(0x62 | WIDTH[bits], dst, 0, offset, value);
  }

  /** dst = value, 64 bits. Takes two instruction slots. */
  setWide(dst: number, value: bigint): this {
    this.#emit(0x18, dst, 0, 0, Number(BigInt.asIntN(32, value)));
    return this.#emit(0, 0, 0, 0, Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** dst = the map of a file descriptor. Takes two instruction slots. */
  loadMap(dst: number, fd: number): this {
    this.#emit(0x18, dst, 1, 0, fd);
    return this.#emit(0, 0, 0, 0, 0);
  }

  call(helper: number): this {
    return this.#emit(0x85, 0, 0, 0, helper);
  }

  jump(label: string): this {
    return this.#emit(0x05, 0, 0, 0, 0, label);
  }

  ifEqualValue(reg: number, value: number, label: string): this {
    return this.#emit(0x15, reg, 0, 0, value, label);
  }

  ifNotEqualValue(reg: number, value: number, label: string): this {
    return this.#emit(0x55, reg, 0, 0, value, label);
  }

  ifEqual(a: number, b: number, label: string): this {
    return this.#emit(0x1d, a, b, 0, 0, label);
  }

  ifNotEqual(a: number, b: number, label: string): this {
    return this.#emit(0x5d, a, b, 0, 0, label);
  }

  /** if (a > b) unsigned */
  ifGreater(a: number, b: number, label: string): this {
    return this.#emit(0x2d, a, b, 0, 0, label);
  }

  /** Returns `value` from the program. */
  exit(value: number): this {
    this.set(R.R0, value);
    return this.#emit(0x95, 0, 0, 0, 0);
  }

  /** struct bpf_insn { u8 code; u8 dst:4, src:4; s16 off; s32 imm } each. Throws for an unknown label, which is a bug. */
  assemble(): Buffer {
    const bytes = Buffer.alloc(this.#code.length * BYTES);
    for (const [i, { code, dst, src, off, imm, target }] of this.#code.entries()) {
      let distance = off;
      if (target !== null) {
        const to = this.#labels.get(target);
        if (to === undefined) throw new Error(`ebpf: no label ${target}`);
        distance = to - i - 1;
      }
      bytes.writeUInt8(code, i * BYTES);
      bytes.writeUInt8((src << 4) | dst, i * BYTES + 1);
      bytes.writeInt16LE(distance, i * BYTES + 2);
      bytes.writeInt32LE(imm, i * BYTES + 4);
    }
    return bytes;
  }

  #emit(code: number, dst: number, src: number, off: number, imm: number, target: string | null = null): this {
    this.#code.push({ code, dst, src, off, imm, target });
    return this;
  }
}

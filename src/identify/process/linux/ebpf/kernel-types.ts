// Reads the running kernel's type information (BTF, Documentation/bpf/btf.rst) once: ids of functions and tracepoints, offsets of members.

const HEADER_BYTES = 24;
const MAGIC = 0xeb9f;
const KIND = { STRUCT: 4, UNION: 5, TYPEDEF: 8, FUNC: 12 } as const;
/** 32-bit words after a type's first three, by kind: a fixed number, and a number for each member. */
const FIXED_WORDS = Uint8Array.from(
  { length: 32 },
  (_, kind) => [0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1][kind] ?? 0,
);
const MEMBER_WORDS = Uint8Array.from(
  { length: 32 },
  (_, kind) => [0, 0, 0, 0, 3, 3, 2, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 3][kind] ?? 0,
);
/** Nesting limit for unnamed structs and unions; deeper than any we look for. */
const MAX_DEPTH = 8;

/** Looks names up. Throws if a name is missing or the data isn't valid BTF. */
export class KernelTypes {
  readonly #words: Int32Array;
  readonly #strings: Buffer;
  /** Index in `words` at which each type id begins; id 0 is void. */
  readonly #starts: Int32Array;
  readonly #count: number;
  readonly #found = new Map<string, number>();

  /** @param bytes of /sys/kernel/btf/vmlinux */
  constructor(bytes: Buffer) {
    if (bytes.length < HEADER_BYTES || bytes.readUInt16LE(0) !== MAGIC) throw new Error('this kernel has no type information');
    const [from, typesAt, typesBytes, stringsAt, stringsBytes] = [4, 8, 12, 16, 20].map((at) => bytes.readUInt32LE(at)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    this.#strings = bytes.subarray(from + stringsAt, from + stringsAt + stringsBytes);
    this.#words = wordsOf(bytes.subarray(from + typesAt, from + typesAt + typesBytes));
    this.#starts = new Int32Array(this.#words.length / 3 + 2);
    this.#count = this.#index();
  }

  /**
   * Notes where each type begins. A kernel has 150,000, and this runs once, before the first frame: it is over before it would be compiled. So it
   * calls nothing and touches no fields.
   *
   * @returns number of types
   */
  #index(): number {
    const words = this.#words;
    const starts = this.#starts;
    const fixed = FIXED_WORDS;
    const each = MEMBER_WORDS;
    const end = words.length - 2;
    let count = 1;
    for (let at = 0; at < end; count++) {
      starts[count] = at;
      const info = words[at + 1] as number;
      const kind = (info >>> 24) & 0x1f;
      at += 3 + (fixed[kind] as number) + (each[kind] as number) * (info & 0xffff);
    }
    return count;
  }

  /** BTF id of a function to attach to. */
  functionId(name: string): number {
    return this.#find(name, KIND.FUNC);
  }

  /** BTF id of a tracepoint to attach to. */
  tracepoint(name: string): number {
    return this.#find(`btf_trace_${name}`, KIND.TYPEDEF);
  }

  /** Offset of a member in bytes, including members of nested unnamed structs and unions. */
  offset(struct: string, member: string): number {
    const offset = this.#memberOffset(this.#starts[this.#find(struct, KIND.STRUCT)] as number, this.#nameOf(member), MAX_DEPTH);
    if (offset < 0) throw new Error(`no ${struct}.${member} in this kernel`);
    return offset;
  }

  #find(name: string, kind: number): number {
    const found = this.#found.get(name);
    if (found !== undefined) return found;
    const wanted = this.#nameOf(name);
    // Other words may look like the name; only where a type begins is it one.
    for (let at = this.#words.indexOf(wanted); at >= 0; at = this.#words.indexOf(wanted, at + 1)) {
      if (this.#kind(at) !== kind) continue;
      const id = this.#idAt(at);
      if (id < 0) continue;
      this.#found.set(name, id);
      return id;
    }
    throw new Error(`no ${name} in this kernel`);
  }

  /** Id of the type that begins at a word; -1 if none does. */
  #idAt(at: number): number {
    let low = 1;
    let high = this.#count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const start = this.#starts[middle] as number;
      if (start === at) return middle;
      if (start < at) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Offset of a name in the string section. */
  #nameOf(name: string): number {
    const at = this.#strings.indexOf(`\0${name}\0`, 0, 'latin1');
    if (at < 0) throw new Error(`no ${name} in this kernel`);
    return at + 1;
  }

  #kind(at: number): number {
    return ((this.#words[at + 1] as number) >>> 24) & 0x1f;
  }

  #members(at: number): number {
    return (this.#words[at + 1] as number) & 0xffff;
  }

  /** @returns -1 if the struct has no such member */
  #memberOffset(at: number, name: number, deepest: number): number {
    const words = this.#words;
    // Where a struct has bit fields, the upper byte of an offset is a width.
    const mask = (words[at + 1] as number) < 0 ? 0xff_ffff : -1;
    for (let left = this.#members(at), member = at + 3; left > 0; left--, member += 3) {
      const offset = ((words[member + 2] as number) & mask) >>> 3;
      if (words[member] === name) return offset;
      if (words[member] !== 0 || deepest === 0) continue;
      const inner = this.#starts[words[member + 1] as number] ?? 0;
      if (this.#kind(inner) !== KIND.STRUCT && this.#kind(inner) !== KIND.UNION) continue;
      const within = this.#memberOffset(inner, name, deepest - 1);
      if (within >= 0) return offset + within;
    }
    return -1;
  }
}

/** Bytes as words, where they lie if they are aligned. */
function wordsOf(bytes: Buffer): Int32Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Int32Array(buffer, byteOffset, length >> 2);
}

// Reads and hashes network bytes. Nothing here checks bounds: callers prove the length first. And typed arrays that grow.

/** The byte at `at`. */
export function u8(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

/** Big-endian 16 bits. */
export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Big-endian 32 bits as a signed integer: the form in which addresses and sequence numbers are kept. */
export function i32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** Big-endian 32 bits, unsigned. */
export function u32(bytes: Uint8Array, at: number): number {
  return i32(bytes, at) >>> 0;
}

/** Little-endian 16 bits. */
export function u16le(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

/** Little-endian 32 bits as a signed integer. */
export function i32le(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Little-endian 64 bits as a number: exact up to 2^53. */
export function u64le(bytes: Uint8Array, at: number): number {
  return u32le(bytes, at) + u32le(bytes, at + 4) * 0x1_0000_0000;
}

/** Little-endian 32 bits, unsigned. */
export function u32le(bytes: Uint8Array, at: number): number {
  return i32le(bytes, at) >>> 0;
}

/** Hash of a few bytes: not for input that may be chosen to collide. */
export function hashBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = to - from;
  for (let i = from; i < to; i++) {
    hash = Math.imul(hash ^ u8(bytes, i), 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** A longer copy; new elements are `fill`. */
export function widened<Kind extends Int32Array | Float64Array | Uint8Array>(array: Kind, length: number, fill = 0): Kind {
  const wide = new (array.constructor as new (length: number) => Kind)(length);
  wide.set(array);
  if (fill !== 0) wide.fill(fill, array.length);
  return wide;
}

/** One piece of memory as words and as doubles, zero at first. */
export interface Arena {
  readonly ints: Int32Array;
  readonly doubles: Float64Array;
}

/** An arena of `bytes`, a multiple of 8, that begins with what `old` holds. */
export function arenaOf(bytes: number, old: Arena | null = null): Arena {
  const buffer = new ArrayBuffer(bytes);
  const ints = new Int32Array(buffer);
  if (old !== null) ints.set(old.ints);
  return { ints, doubles: new Float64Array(buffer) };
}

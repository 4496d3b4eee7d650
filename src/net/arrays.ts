// Typed arrays that grow: a longer copy, the old one left to the collector.

/** A longer copy; new elements are `fill`. */
export function widened(array: Int32Array, length: number, fill = 0): Int32Array<ArrayBuffer> {
  const wide = new Int32Array(length);
  wide.set(array);
  if (fill !== 0) wide.fill(fill, array.length);
  return wide;
}

/** One piece of memory seen as words and as doubles; zero where it was never written. */
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

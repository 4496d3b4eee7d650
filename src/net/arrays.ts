// Typed arrays that grow: a longer copy, the old one left to the collector.

/** A longer copy; new elements are `fill`. */
export function widened(array: Int32Array, length: number, fill = 0): Int32Array<ArrayBuffer> {
  const wide = new Int32Array(length);
  wide.set(array);
  if (fill !== 0) wide.fill(fill, array.length);
  return wide;
}

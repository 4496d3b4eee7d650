// Reads a Snappy block strictly (github.com/google/snappy, format_description.txt): anything odd throws.

/** What a block holds. @throws Error if it is no valid block */
export function unsnappy(block: Uint8Array): Uint8Array {
  let at = 0;
  const byte = (): number => {
    const value = block[at++];
    if (value === undefined) throw new Error('the block ends early');
    return value;
  };
  const little = (bytes: number): number => {
    let value = 0;
    for (let i = 0; i < bytes; i++) value += byte() * 256 ** i;
    return value;
  };
  let length = 0;
  for (let shift = 0, more = true; more; shift += 7) {
    const value = byte();
    length += (value & 127) * 2 ** shift;
    more = value >= 128;
  }
  const out = new Uint8Array(length);
  let end = 0;
  while (at < block.length) {
    const tag = byte();
    if ((tag & 3) === 0) {
      const size = (tag >> 2 < 60 ? tag >> 2 : little((tag >> 2) - 59)) + 1;
      if (end + size > length || at + size > block.length) throw new Error('a literal is too long');
      out.set(block.subarray(at, at + size), end);
      at += size;
      end += size;
      continue;
    }
    const isShort = (tag & 3) === 1;
    const size = isShort ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const distance = isShort ? ((tag >> 5) << 8) + byte() : little((tag & 3) === 2 ? 2 : 4);
    if (distance === 0 || distance > end || end + size > length) throw new Error('a copy leads nowhere');
    for (let i = 0; i < size; i++) out[end + i] = out[end + i - distance] as number;
    end += size;
  }
  if (end !== length) throw new Error('the block is shorter than it says');
  return out;
}

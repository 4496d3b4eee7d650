// How much a value of an MMDB file holds, told without building it: whoever made the file may have made it to fill the memory.
// Format: https://maxmind.github.io/MaxMind-DB/, version 2.0, "Data Field Format".

import { u8, u16, u32 } from '../../net/bytes.ts';

/** Records in use hold about 200 values, names in eight languages among them. */
const MOST_VALUES = 4096;
const MOST_BYTES = 65_536;
const DEEPEST = 16;

const POINTER = 1;
const MAP = 7;
const ARRAY = 11;
const BOOLEAN = 14;
const LAST_TYPE = 15;
/** What is added to a pointer, by its size (spec, "pointer"). */
const POINTER_BASE = [0, 2048, 526_336, 0] as const;

/**
 * True when the value at `at`, with all that it points to, is well formed, lies within `bytes`, and holds no more than a record may.
 *
 * @param base where pointers count from
 */
export function isBounded(bytes: Uint8Array, base: number, at: number): boolean {
  let values = 0;
  let size = 0;

  /** @returns where the value ends, -1 where it must not be read */
  const walk = (from: number, depth: number, pointed: boolean): number => {
    if (++values > MOST_VALUES || depth > DEEPEST || from + 5 > bytes.length) return -1; // 5: the longest control there is
    const control = u8(bytes, from);
    let type = control >>> 5;
    let next = from + 1;
    if (type === POINTER) {
      const length = (control >>> 3) & 3;
      const high = length === 3 ? 0 : (control & 7) << (8 * (length + 1));
      let low = 0;
      for (let i = 0; i <= length; i++) low = low * 256 + u8(bytes, next + i);
      const target = base + (POINTER_BASE[length] as number) + high + low;
      return pointed || walk(target, depth + 1, true) < 0 ? -1 : next + length + 1;
    }
    if (type === 0) type = 7 + u8(bytes, next++);
    if (type <= POINTER || type > LAST_TYPE || type === 12 || type === 13) return -1;
    let length = control & 31;
    if (length === 29) length = 29 + u8(bytes, next++);
    else if (length === 30) {
      length = 285 + u16(bytes, next);
      next += 2;
    } else if (length === 31) {
      if (next + 4 > bytes.length) return -1;
      length = 65_821 + (u32(bytes, next) >>> 8);
      next += 3;
    }
    if (type === BOOLEAN) return next;
    if (type !== MAP && type !== ARRAY) {
      size += length;
      return size > MOST_BYTES || next + length > bytes.length ? -1 : next + length;
    }
    for (let i = type === MAP ? 2 * length : length; i > 0; i--) {
      next = walk(next, depth + 1, false);
      if (next < 0) return -1;
    }
    return next;
  };

  return at >= 0 && walk(at, 0, false) >= 0;
}

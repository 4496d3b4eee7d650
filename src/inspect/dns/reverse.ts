// Converts reverse names (in-addr.arpa: RFC 1035 section 3.5; ip6.arpa: RFC 3596 section 2.5) to address words.

import { V4_MAPPED } from '../../net/address.ts';
import { type WireName, wireLabels } from './name.ts';

const V4_SUFFIX = wireLabels('in-addr.arpa');
const V6_SUFFIX = wireLabels('ip6.arpa');
const NIBBLES = 32;

/** Reads the address in a reverse name. @returns false for any other name; the words are then undefined */
export function reverseAddress(name: WireName, words: Int32Array, at: number): boolean {
  if (name.endsWith(V4_SUFFIX)) return readV4(name, words, at);
  return name.length === 2 * NIBBLES + V6_SUFFIX.length && name.endsWith(V6_SUFFIX) && readV6(name, words, at);
}

function readV4(name: WireName, words: Int32Array, at: number): boolean {
  const { bytes } = name;
  const end = name.length - V4_SUFFIX.length;
  let word = 0;
  let i = 0;
  for (let shift = 0; shift < 32; shift += 8) {
    const size = i < end ? (bytes[i] as number) : 0;
    if (size < 1 || size > 3) return false;
    let value = 0;
    for (let k = 1; k <= size; k++) {
      const digit = (bytes[i + k] as number) - 0x30;
      if (digit < 0 || digit > 9) return false;
      value = value * 10 + digit;
    }
    if (value > 255) return false;
    word |= value << shift;
    i += size + 1;
  }
  if (i !== end) return false;
  words[at] = 0;
  words[at + 1] = 0;
  words[at + 2] = V4_MAPPED;
  words[at + 3] = word;
  return true;
}

function readV6(name: WireName, words: Int32Array, at: number): boolean {
  for (let word = 3; word >= 0; word--) {
    let value = 0;
    for (let nibble = 0; nibble < 8; nibble++) {
      const i = 2 * (8 * (3 - word) + nibble);
      const digit = hexDigit(name.bytes[i + 1] as number);
      if (name.bytes[i] !== 1 || digit < 0) return false;
      value |= digit << (4 * nibble);
    }
    words[at + word] = value;
  }
  return true;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
}

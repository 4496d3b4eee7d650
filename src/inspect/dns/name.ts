// Domain names on the wire (RFC 1035 sections 3.1 and 4.1.4): labels and pointers to earlier labels. Every read ends, whatever the bytes.

import { u8, u16 } from '../../net/bytes.ts';

/** Longest name, its root label among it. */
const LONGEST = 255;
const POINTER = 0xc0;
const POINTER_TARGET = 0x3fff;

/** A name taken out of a message: labels with their lengths in front, lower case, without pointers and without the root. */
export class WireName {
  readonly bytes = new Uint8Array(256);
  length = 0;

  /** True when both are the same name. */
  equals(other: WireName): boolean {
    const { length, bytes } = this;
    if (length !== other.length) return false;
    for (let i = 0; i < length; i++) if (bytes[i] !== other.bytes[i]) return false;
    return true;
  }

  /** True when the name ends with these bytes: labels in wire form, lower case. */
  endsWith(suffix: Uint8Array): boolean {
    const from = this.length - suffix.length;
    if (from < 0) return false;
    for (let i = 0; i < suffix.length; i++) if (this.bytes[from + i] !== suffix[i]) return false;
    return true;
  }
}

/**
 * Reads the name at `at`. A pointer must lead to before everything read so far: a loop is impossible.
 *
 * @param start where the message begins, to which pointers are relative
 * @returns offset behind the name where it stands, -1 when it is broken
 */
export function readName(message: Uint8Array, start: number, at: number, end: number, into: WireName): number {
  const { bytes } = into;
  let length = 0;
  let after = -1;
  let lowest = at;
  let i = at;
  for (;;) {
    if (i >= end) return -1;
    const size = u8(message, i);
    if (size === 0) break;
    if (size < 64) {
      if (i + size >= end || length + size + 2 > LONGEST) return -1;
      bytes[length++] = size;
      for (const last = i + size; i < last; ) {
        const byte = u8(message, ++i);
        bytes[length++] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
      }
      i++;
    } else {
      if (size < POINTER || i + 1 >= end) return -1;
      if (after < 0) after = i + 2;
      i = start + (u16(message, i) & POINTER_TARGET);
      if (i >= lowest) return -1;
      lowest = i;
    }
  }
  into.length = length;
  return after < 0 ? i + 1 : after;
}

/** Offset behind the name at `at` without looking where its pointer leads; -1 when it is broken. */
export function skipName(message: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end) {
    const size = u8(message, i);
    if (size === 0) return i + 1;
    if (size >= POINTER) return i + 2 <= end ? i + 2 : -1;
    if (size >= 64) return -1;
    i += size + 1;
    if (i - at > LONGEST) return -1;
  }
  return -1;
}

/** Where the name at `at` points if it is nothing but a pointer, as an offset from `start`; -1 otherwise. The caller proved the name. */
export function pointerOf(message: Uint8Array, at: number): number {
  return u8(message, at) >= POINTER ? u16(message, at) & POINTER_TARGET : -1;
}

/** Labels of a dotted name in wire form, without the root: for names known to the program. */
export function wireLabels(dotted: string): Uint8Array {
  return Uint8Array.from(dotted.split('.').flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]));
}

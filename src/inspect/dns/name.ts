// Reads domain names on the wire (RFC 1035 sections 3.1 and 4.1.4): labels, and pointers to earlier labels. Every read terminates on any bytes.

import { u8, u16 } from '../../net/bytes.ts';

/** Longest name, including the root label. */
const LONGEST = 255;
const POINTER = 0xc0;
const POINTER_TARGET = 0x3fff;

/** A name copied from a message: length-prefixed labels in lower case, without pointers and the root. */
export class WireName {
  readonly bytes = new Uint8Array(256);
  length = 0;

  /** Whether both are the same name. */
  equals(other: WireName): boolean {
    const { length, bytes } = this;
    if (length !== other.length) return false;
    for (let i = 0; i < length; i++) if (bytes[i] !== other.bytes[i]) return false;
    return true;
  }

  /** Whether the name ends with these labels in wire form, lower case. */
  endsWith(suffix: Uint8Array): boolean {
    const from = this.length - suffix.length;
    if (from < 0) return false;
    for (let i = 0; i < suffix.length; i++) if (this.bytes[from + i] !== suffix[i]) return false;
    return true;
  }
}

/**
 * Reads the name at `at`. Each pointer must point before everything read so far, which rules out loops.
 *
 * @param start start of the message, to which pointers are relative
 * @returns offset after the name; -1 if it is broken
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

/** Offset after the name at `at`, without following its pointer; -1 if it is broken. */
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

/** Target of the name at `at` if it is just a pointer, relative to the start of the message; else -1. The caller has checked the name. */
export function pointerOf(message: Uint8Array, at: number): number {
  return u8(message, at) >= POINTER ? u16(message, at) & POINTER_TARGET : -1;
}

/** Converts a dotted name of the program's own to labels in wire form, without the root. */
export function wireLabels(dotted: string): Uint8Array {
  return Uint8Array.from(dotted.split('.').flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]));
}

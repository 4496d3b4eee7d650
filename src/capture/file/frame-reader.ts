// What the readers of capture formats have in common. Types and limits only.

import type { PacketBatch } from '../batch.ts';

/** Turns bytes of a capture, cut anywhere, into frames. */
export interface FrameReader {
  /**
   * Appends the frames that lie complete in `batch.bytes[from..to)`, as many as the batch can still take.
   *
   * @returns where the first byte lies that was not used; the caller keeps it and all behind it, and gives them again with more
   */
  fill(batch: PacketBatch, from: number, to: number): number;
  /** Records and blocks that could not be read as frames. */
  readonly malformed: number;
  /** Why nothing behind this point can be read; null while all is well. */
  readonly broken: string | null;
  /** True inside a block that is being passed over: an end here is a cut file. */
  readonly midway: boolean;
  /** Bytes of a frame that the capture kept at the most, as its header says. */
  readonly snapLength: number;
  /** Frames with a time that can't be true: they have the time of the frame before them. */
  readonly mistimed: number;
  /** Frames that came before any time was known; they have time 0. */
  readonly untimed: number;
  /** Frames that the capture lacks, as far as it says so; null where the format has no word for it. */
  readonly drops: { readonly bySystem: number | null; readonly byInterface: number | null } | null;
}

/** Bytes of one frame at the most: libpcap's MAXIMUM_SNAPLEN. */
export const MAX_CAPTURED_BYTES = 262_144;
/** Bytes that a frame may claim to have had on the wire; merged segments (BIG TCP) stay far below. */
export const MAX_WIRE_BYTES = 16 * 1024 * 1024;
/** Latest time that a frame may carry, epoch milliseconds: the end of the year 9999, the last that RFC 3339 can write. */
export const MAX_TIME_MS = 253_402_300_799_999;

/** Snap length as shown: 0 and absurd values mean that whole frames were kept. */
export function shownSnapLength(written: number): number {
  return written === 0 || written > MAX_CAPTURED_BYTES ? MAX_CAPTURED_BYTES : written;
}

// The interface and limits that all readers of capture formats share.

import type { PacketBatch } from '../batch.ts';
import type { RecordedFlow } from '../source.ts';

/** Turns the bytes of a capture, in pieces of any size, into frames. */
export interface FrameReader {
  /**
   * Appends the complete frames in `batch.bytes[from..to)`, as many as fit into the batch.
   *
   * @returns offset of the first unused byte; the caller passes the bytes from there again, with more
   */
  fill(batch: PacketBatch, from: number, to: number): number;
  /** What was told of the other ends of the frames in the batch; absent if the format can't. */
  readonly recorded?: readonly RecordedFlow[];
  /** Number of unreadable records and blocks. */
  readonly malformed: number;
  /** Why the rest can't be read; null if it can. */
  readonly broken: string | null;
  /** True inside a skipped block: if the file ends here, it is truncated. */
  readonly midway: boolean;
  /** Most bytes that the capture kept of a frame, according to its header. */
  readonly snapLength: number;
  /** Frames with an impossible time. They get the previous frame's. */
  readonly mistimed: number;
  /** Frames before any known time. They have time 0. */
  readonly untimed: number;
  /** Frames dropped while capturing, if the file says; null if the format can't. */
  readonly drops: { readonly bySystem: number | null; readonly byInterface: number | null } | null;
}

/** Largest frame: libpcap's MAXIMUM_SNAPLEN. */
export const MAX_CAPTURED_BYTES = 262_144;
/** Largest credible wire length of a frame. Merged segments (BIG TCP) stay far below. */
export const MAX_WIRE_BYTES = 16 * 1024 * 1024;
/** Latest credible time of a frame, epoch ms: the end of the year 9999, the last that RFC 3339 can express. */
export const MAX_TIME_MS = 253_402_300_799_999;

/** Snap length to show: 0 and absurd values mean that whole frames were kept. */
export function shownSnapLength(written: number): number {
  return written === 0 || written > MAX_CAPTURED_BYTES ? MAX_CAPTURED_BYTES : written;
}

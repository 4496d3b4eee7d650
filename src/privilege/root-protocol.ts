// What the program and its root child say to each other: commands of one byte, answers in frames of bounded length. No argument ever goes
// to the child: what it may run was fixed when it was started, as root.

/** Commands, one byte each. Any other byte ends the child. */
export const COMMAND = { CAPTURE: 0x43, ASK: 0x49, STOP: 0x53, KILL: 0x4b, LIST: 0x4c } as const;

/** What a frame holds. The ends are text: `code N`, `signal NAME`, `error CODE`, for the list also `cut time`, `cut size`. */
export const FRAME = { CAPTURED: 1, SAID: 2, CAPTURE_END: 3, LISTED: 4, LIST_END: 5 } as const;

/** kind u8, three zeros, length of what follows u32 little-endian. */
const FRAME_HEADER = 8;
/** Bytes behind a header, at the most. */
export const LONGEST_FRAME = 64 * 1024;

/** A program with its arguments, and what the child does with it. */
export interface RootPrograms {
  readonly tcpdump: { readonly path: string; readonly args: readonly string[] };
  readonly lsof: {
    readonly path: string;
    readonly args: readonly string[];
    readonly timeoutMs: number;
    readonly maxBytes: number;
  };
  /** What lists interfaces and removes the pktap interfaces of `owner`, the process that this child is for. */
  readonly ifconfig: { readonly path: string; readonly owner: number; readonly timeoutMs: number };
  /** The signal that makes tcpdump tell its counters. */
  readonly question: NodeJS.Signals;
  readonly env: Readonly<Record<string, string>>;
}

/** Frames of a chunk, cut to the longest. */
export function framesOf(kind: number, bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += LONGEST_FRAME) {
    const part = bytes.subarray(at, at + LONGEST_FRAME);
    const header = Buffer.alloc(FRAME_HEADER);
    header.writeUInt8(kind, 0);
    header.writeUInt32LE(part.length, 4);
    frames.push(header, part);
  }
  return frames;
}

/** Takes frames out of a stream of bytes; holds one frame at the most. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** @returns false where the bytes are no frames: nothing that follows means anything */
  take(chunk: Buffer, each: (kind: number, payload: Buffer) => void): boolean {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= FRAME_HEADER) {
      const kind = bytes.readUInt8(0);
      const length = bytes.readUInt32LE(4);
      if (kind < FRAME.CAPTURED || kind > FRAME.LIST_END || length > LONGEST_FRAME || bytes.readUIntLE(1, 3) !== 0) return false;
      if (bytes.length < FRAME_HEADER + length) break;
      each(kind, bytes.subarray(FRAME_HEADER, FRAME_HEADER + length));
      bytes = bytes.subarray(FRAME_HEADER + length);
    }
    this.#rest = Buffer.from(bytes);
    return true;
  }
}

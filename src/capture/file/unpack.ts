// Unpacks gzip and zstd as far as they are readable. From truncated or damaged data, or data with trailing garbage, it gives everything before
// the fault and says so. Node's own gunzip would drop what it has unpacked when a checksum is wrong.

import { Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { reasonOf } from '../../model/errors.ts';

export type Packing = 'gzip' | 'zstd';

/** The result of unpacking; complete once the unpacked stream has ended. */
export interface Outcome {
  /** Why unpacking stopped early; null if it didn't. */
  failure: string | null;
  /** What is wrong although everything was unpacked; empty if nothing is. */
  remark: string;
}

/** Output buffer of the decompressor, bytes. */
const CHUNK_BYTES = 256 * 1024;
const CUT = 'unexpected end of file';
/** RFC 1952 section 2.3. */
const GZIP = { HEADER_BYTES: 10, FLAGS_AT: 3, TRAILER_BYTES: 8, CHECKED: 0x02, EXTRA: 0x04, NAME: 0x08, COMMENT: 0x10 } as const;
const LONGEST_NAME = 65_536;
/** A zstd frame ends with its checksum (RFC 8878 section 3.1.1). We write it separately, so a wrong one doesn't discard data before it. */
const CHECKSUM_BYTES = 4;

/** Bytes that begin neither a zstd frame nor a skippable frame. */
const NO_FRAME = Buffer.alloc(8, 0xff);

type Decoder = Transform & { readonly bytesWritten: number };
type MakeDecoder = (options: { chunkSize: number }) => Decoder;
/** Absent before Node 22.15 and 23.8. */
const zstdDecoder = (zlib as { createZstdDecompress?: MakeDecoder }).createZstdDecompress;

/** Whether this version of Node can unpack the format. */
export function isUnpackable(packing: Packing): boolean {
  return packing === 'gzip' || zstdDecoder !== undefined;
}

/** The packing of a stream that begins with these bytes; null if it isn't packed. */
export function packingOf(bytes: Uint8Array, length: number): Packing | null {
  if (length >= 3 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 0x08) return 'gzip';
  if (length < 4) return null;
  const magic = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  return magic === 0xfd2fb528 || magic >>> 4 === 0x184d2a5 ? 'zstd' : null;
}

/** Unpacks a stream. Destroying the result destroys the packed stream too. */
export function unpacked(packed: Readable, packing: Packing): { readonly stream: Readable; readonly outcome: Outcome } {
  const outcome: Outcome = { failure: null, remark: '' };
  const pieces = unpack(packed, packing, outcome);
  const stream = new Readable({
    highWaterMark: CHUNK_BYTES,
    read() {
      pieces.next().then(
        ({ done, value }) => this.push(done === true ? null : value),
        (thrown: unknown) => this.destroy(thrown as Error),
      );
    },
    destroy(error, done) {
      packed.destroy();
      done(error);
    },
  });
  return { stream, outcome };
}

/** Yields the contents of one member or frame after another. */
async function* unpack(packed: Readable, packing: Packing, outcome: Outcome): AsyncGenerator<Buffer> {
  const input = new Input(packed, packing === 'zstd' ? CHECKSUM_BYTES : 0);
  try {
    for (let members = 0; outcome.failure === null; members++) {
      const magic = await input.take(4);
      if (magic.length === 0) return;
      input.giveBack(magic);
      if (packingOf(magic, magic.length) !== packing) {
        // Tapes and block devices pad with zeros.
        if (members > 0 && (await input.onlyZeros())) return;
        outcome.remark ||= trailing(packing);
        return;
      }
      if (packing === 'gzip') yield* gzipMember(input, outcome);
      else yield* decoded((zstdDecoder as MakeDecoder)({ chunkSize: CHUNK_BYTES }), packing, input, outcome);
    }
  } catch (thrown) {
    outcome.failure = reasonOf(thrown);
  }
}

function trailing(packing: Packing): string {
  return `ignoring what follows the ${packing} data`;
}

async function* gzipMember(input: Input, outcome: Outcome): AsyncGenerator<Buffer> {
  if (!(await skipHeader(input))) {
    outcome.failure = CUT;
    return;
  }
  let checksum = 0;
  let bytes = 0;
  for await (const piece of decoded(zlib.createInflateRaw({ chunkSize: CHUNK_BYTES }) as Decoder, 'gzip', input, outcome)) {
    checksum = zlib.crc32(piece, checksum);
    bytes = (bytes + piece.length) >>> 0;
    yield piece;
  }
  if (outcome.failure !== null) return;
  const trailer = await input.take(GZIP.TRAILER_BYTES);
  if (trailer.length < GZIP.TRAILER_BYTES) outcome.failure = CUT;
  else if (trailer.readUInt32LE(0) !== checksum || trailer.readUInt32LE(4) !== bytes) {
    outcome.remark = 'the gzip checksum is wrong, so its contents may be damaged';
  }
}

/** Skips a member's header. @returns false if it is truncated or too long */
async function skipHeader(input: Input): Promise<boolean> {
  const header = await input.take(GZIP.HEADER_BYTES);
  if (header.length < GZIP.HEADER_BYTES) return false;
  const flags = header[GZIP.FLAGS_AT] as number;
  if ((flags & GZIP.EXTRA) !== 0) {
    const length = await input.take(2);
    if (length.length < 2) return false;
    const extra = length.readUInt16LE(0);
    if ((await input.take(extra)).length < extra) return false;
  }
  for (const text of [GZIP.NAME, GZIP.COMMENT]) {
    if ((flags & text) !== 0 && !(await input.skipText(LONGEST_NAME))) return false;
  }
  return (flags & GZIP.CHECKED) === 0 || (await input.take(2)).length === 2;
}

/** Runs a decoder over the input until its data end, then returns the unused input. */
async function* decoded(decoder: Decoder, packing: Packing, input: Input, outcome: Outcome): AsyncGenerator<Buffer> {
  let ended = false;
  let closing = false;
  let idle = true;
  let given = 0;
  let last: Buffer = Buffer.alloc(0);
  const errors: NodeJS.ErrnoException[] = [];
  let isSignalled = false;
  let wake = () => {};
  const signal = () => {
    isSignalled = true;
    wake();
  };
  const end = () => {
    ended = true;
    signal();
  };
  decoder.on('readable', signal);
  decoder.once('end', end);
  decoder.on('error', (error: NodeJS.ErrnoException) => {
    errors.push(error);
    end();
  });
  try {
    for (;;) {
      const piece = decoder.read() as Buffer | null;
      if (piece !== null) {
        if (!closing || packing === 'gzip') yield piece; // output after closing doesn't come from the file
        continue;
      }
      // If it leaves part of a chunk, its data ended before that.
      if (ended || (idle && given > decoder.bytesWritten)) break;
      if (idle) {
        idle = false;
        const chunk = await input.next();
        if (chunk === null) {
          closing = true;
          // zstd doesn't report a truncated frame. But after a complete one it refuses bytes that begin no frame.
          if (packing === 'zstd') decoder.end(NO_FRAME);
          else decoder.end();
        } else {
          last = chunk;
          given += chunk.length;
          decoder.write(chunk, () => {
            idle = true;
            signal();
          });
        }
      }
      if (!isSignalled) await new Promise<void>((resolve) => (wake = resolve));
      isSignalled = false;
    }
    const [error] = errors;
    if (closing) {
      const isWhole = packing === 'zstd' ? error?.code === 'ZSTD_error_prefix_unknown' : error === undefined;
      if (!isWhole) outcome.failure = CUT;
    } else if (error === undefined) input.giveBack(last.subarray(last.length - (given - decoder.bytesWritten)));
    else if (error.code === 'ZSTD_error_prefix_unknown') outcome.remark ||= trailing(packing);
    else if (error.code === 'ZSTD_error_checksum_wrong' && (await input.next()) === null) {
      outcome.remark = 'the zstd checksum is wrong, so its contents may be damaged';
    } else outcome.failure = reasonOf(error);
  } finally {
    decoder.destroy();
  }
}

/** Reads a stream in pieces, and allows pushing bytes back. */
class Input {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #tail: number;
  #front: Buffer = Buffer.alloc(0);
  #held: Buffer = Buffer.alloc(0);
  #ended = false;

  /** @param tail number of last bytes to deliver as a piece of their own */
  constructor(stream: Readable, tail: number) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#tail = tail;
  }

  /** The next bytes, any number; null at the end. */
  async next(): Promise<Buffer | null> {
    if (this.#front.length > 0) {
      const front = this.#front;
      this.#front = Buffer.alloc(0);
      return front;
    }
    while (!this.#ended) {
      const { done, value } = await this.#chunks.next();
      if (done === true) this.#ended = true;
      else if (this.#tail === 0) {
        if (value.length > 0) return value;
      } else {
        const all = Buffer.concat([this.#held, value]);
        const split = Math.max(0, all.length - this.#tail);
        this.#held = all.subarray(split);
        if (split > 0) return all.subarray(0, split);
      }
    }
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    return held.length > 0 ? held : null;
  }

  /** `length` bytes; fewer at the end. */
  async take(length: number): Promise<Buffer> {
    let taken: Buffer = Buffer.alloc(0);
    while (taken.length < length) {
      const chunk = await this.next();
      if (chunk === null) break;
      taken = taken.length === 0 ? chunk : Buffer.concat([taken, chunk]);
    }
    this.giveBack(taken.subarray(length));
    return taken.subarray(0, length);
  }

  giveBack(bytes: Buffer): void {
    const front = this.#front;
    if (bytes.length === 0) return;
    if (front.length === 0) this.#front = bytes;
    else if (bytes.buffer === front.buffer && bytes.byteOffset + bytes.length === front.byteOffset) {
      this.#front = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length + front.length);
    } else this.#front = Buffer.concat([bytes, front]);
  }

  /** Skips zero-terminated text. @returns false if there is no zero within `longest` bytes */
  async skipText(longest: number): Promise<boolean> {
    for (let skipped = 0; skipped <= longest; ) {
      const chunk = await this.next();
      if (chunk === null) return false;
      const end = chunk.indexOf(0);
      if (end >= 0) {
        this.giveBack(chunk.subarray(end + 1));
        return true;
      }
      skipped += chunk.length;
    }
    return false;
  }

  /** Reads to the end. @returns whether all bytes are zero */
  async onlyZeros(): Promise<boolean> {
    for (;;) {
      const chunk = await this.next();
      if (chunk === null) return true;
      if (chunk.some((byte) => byte !== 0)) return false;
    }
  }
}

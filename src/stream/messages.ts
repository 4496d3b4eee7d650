// What goes over the line: a greeting in text, which the shell's own noise may precede, then messages. Each is packed with what was sent before it as
// its dictionary, so that it can be unpacked by itself, to a stated size at most.
//
//     greeting   NETMON-STREAM {"versions":[1,1],"program":"0.1.0","machine":"4c1f"} and a newline
//     message    type 1 byte | length of what follows 4 bytes, little-endian | deflate without header (RFC 1951)
//
// The other way go orders, a line of JSON each; the first says which version is spoken.

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { sanitize } from '../net/text.ts';
import { StreamFault } from './bytes.ts';
import { list, moment, number, optional, parsed, record, text } from './shape.ts';

/** Versions of the stream that this program speaks: the least and the most. */
export const VERSIONS = [1, 1] as const;
/** What a greeting begins with. */
const MAGIC = 'NETMON-STREAM ';
/** What may come before it, and how long it may be, bytes. */
const MOST_NOISE = 64 * 1024;
const LONGEST_GREETING = 1024;
/** Bytes of a message as sent, and as unpacked. */
export const LONGEST_PACKED = 1 << 20;
export const LONGEST_MESSAGE = 4 << 20;
const HEADER = 5;
/** What a dictionary may have (RFC 1951 section 2). */
const WINDOW = 32 * 1024;

/** What a message is. */
export const MESSAGE = { SCHEMA: 1, FRAME: 2, REPLY: 3, MATCHED: 4 } as const;

/** The first line of a stream. */
export interface Greeting {
  readonly versions: readonly number[];
  /** Version of the program. */
  readonly program: string;
  /** The same over all lines to one machine, and over those to others another; null where nobody knows. */
  readonly machine: string | null;
}

const greetingShape = record<Greeting>({ versions: list(number, 2), program: text, machine: optional(text) });

/** The greeting of this program. */
export function greeting(program: string, machine: string | null): string {
  return `${MAGIC}${JSON.stringify({ versions: VERSIONS, program, machine } satisfies Greeting)}\n`;
}

/** The version that both speak, the highest; null if there is none. */
export function commonVersion({ versions }: Pick<Greeting, 'versions'>): number | null {
  const [least = 0, most = 0] = versions;
  const common = Math.min(most, VERSIONS[1]);
  return common >= Math.max(least, VERSIONS[0]) ? common : null;
}

/** What a machine sends of the flows that match: of which filter, and the rows, as a frame of them alone. */
export interface MatchedFrame {
  /** Of the order. */
  readonly id: number;
  /** Before this time, by the machine's clock, only flows that were still known count, epoch ms; null if nothing is missing. */
  readonly completeSince: number | null;
  readonly frame: Buffer;
}

const MATCHED_HEADER = 16;

/** The payload of a message. */
export function matchedPayload({ id, completeSince, frame }: MatchedFrame): Buffer {
  const header = Buffer.alloc(MATCHED_HEADER);
  header.writeDoubleLE(id, 0);
  header.writeDoubleLE(completeSince ?? Number.NaN, 8);
  return Buffer.concat([header, frame]);
}

/** What is in the payload. @throws StreamFault */
export function matchedIn(payload: Buffer): MatchedFrame {
  if (payload.length < MATCHED_HEADER) throw new StreamFault('matches are too short');
  const since = payload.readDoubleLE(8);
  return {
    id: payload.readDoubleLE(0),
    completeSince: Number.isNaN(since) ? null : moment(since, { shift: 0, prefix: '' }),
    frame: payload.subarray(MATCHED_HEADER),
  };
}

/** The end of what was sent: the dictionary of the next message. */
class Window {
  bytes: Buffer = Buffer.alloc(0);

  add(sent: Buffer): void {
    this.bytes = Buffer.from((sent.length >= WINDOW ? sent : Buffer.concat([this.bytes, sent])).subarray(-WINDOW));
  }
}

/** Packs messages. */
export class MessageWriter {
  readonly #window = new Window();

  message(type: number, payload: Buffer): Buffer {
    const { bytes } = this.#window;
    const packed = deflateRawSync(payload, bytes.length === 0 ? {} : { dictionary: bytes });
    this.#window.add(payload);
    const header = Buffer.alloc(HEADER);
    header.writeUInt8(type, 0);
    header.writeUInt32LE(packed.length, 1);
    return Buffer.concat([header, packed]);
  }
}

/** Takes a stream apart. Holds one message at most. */
export class MessageReader {
  readonly #window = new Window();
  #rest: Buffer = Buffer.alloc(0);
  #greeting: Greeting | null = null;
  #noise = 0;

  /** null until it came. */
  get greeting(): Greeting | null {
    return this.#greeting;
  }

  /** @throws StreamFault if what comes is no stream; nothing that follows can be read */
  take(chunk: Buffer, each: (type: number, payload: Buffer) => void): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (this.#greeting === null && !this.#greet()) return;
    while (this.#rest.length >= HEADER) {
      const length = this.#rest.readUInt32LE(1);
      if (length > LONGEST_PACKED) throw new StreamFault('a message is too long');
      const end = HEADER + length;
      if (this.#rest.length < end) return;
      const type = this.#rest.readUInt8(0);
      const payload = this.#unpacked(this.#rest.subarray(HEADER, end));
      this.#rest = Buffer.from(this.#rest.subarray(end));
      this.#window.add(payload);
      each(type, payload);
    }
  }

  #greet(): boolean {
    for (;;) {
      const end = this.#rest.indexOf(10);
      if (end < 0) {
        if (this.#rest.length + this.#noise > MOST_NOISE) throw new StreamFault('it never greets');
        return false;
      }
      const line = this.#rest.subarray(0, Math.min(end, LONGEST_GREETING)).toString('utf8');
      this.#rest = this.#rest.subarray(end + 1);
      const at = line.indexOf(MAGIC);
      if (at >= 0) {
        this.#greeting = parsed(line.slice(at + MAGIC.length), greetingShape, { shift: 0, prefix: '' });
        return true;
      }
      this.#noise += end + 1;
      if (this.#noise > MOST_NOISE) throw new StreamFault('it never greets');
    }
  }

  #unpacked(packed: Buffer): Buffer {
    const { bytes } = this.#window;
    try {
      return inflateRawSync(packed, {
        maxOutputLength: LONGEST_MESSAGE,
        ...(bytes.length === 0 ? {} : { dictionary: bytes }),
      });
    } catch (thrown) {
      throw new StreamFault(`a message can't be unpacked: ${sanitize(String((thrown as NodeJS.ErrnoException).code))}`);
    }
  }
}

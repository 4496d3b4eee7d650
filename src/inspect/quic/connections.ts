// Tells a second connection between the same two ends from the first one's further packets, by the connection IDs of long headers. Keeps
// what it needs of each flow beside the flow's number; decrypts only what no ID explains.

import { u8, widened } from '../../net/bytes.ts';
import type { LongHeader } from './header.ts';

/**
 * `ints`, 3 words a flow:
 *
 *     0 hash of the ID that its client chose for the server, 0 unknown, ANY when the next one is to be taken | 1 of the ID that the server chose
 *     2 Initials that no ID explained and that could not be opened
 */
const WORDS = 3;
const SERVER = 1;
const FAILED = 2;
const ANY = 1;
/** Initials that could not be opened after which no more are tried: bytes that only look like one. */
const MAX_FAILED = 4;

/** Connection IDs of flows. */
export class QuicConnections {
  #ints = new Int32Array(0);
  readonly #most: number;

  /** @param most flows that may be kept */
  constructor(most = 1 << 20) {
    this.#most = most;
  }

  /** The flow's connection is the one that this header opens. */
  begin(flow: number, bytes: Uint8Array, header: LongHeader): void {
    const at = flow * WORDS;
    if (flow >= this.#most) return;
    if (at >= this.#ints.length) this.#ints = widened(this.#ints, Math.max(at + WORDS, this.#ints.length * 2));
    this.#ints[at] = destinationOf(bytes, header);
    this.#ints[at + SERVER] = 0;
    this.#ints[at + FAILED] = 0;
  }

  forget(flow: number): void {
    const at = flow * WORDS;
    if (at < this.#ints.length) this.#ints.fill(0, at, at + WORDS);
  }

  /** The server answered with an ID of its own, by which the client calls it from now on (RFC 9000 section 7.2). */
  answered(flow: number, bytes: Uint8Array, header: LongHeader): void {
    const at = flow * WORDS;
    if (at < this.#ints.length) this.#ints[at + SERVER] = sourceOf(bytes, header);
  }

  /** The server wants another first packet: Retry, or another version (RFC 9000 sections 6.2, 17.2.5). What comes next is no second connection. */
  restarted(flow: number): void {
    const at = flow * WORDS;
    if (at < this.#ints.length) this.#ints[at] = ANY;
  }

  /** True when a client's Initial is not explained by what is known of the flow; whether it can be opened by itself decides. */
  isStrange(flow: number, bytes: Uint8Array, header: LongHeader): boolean {
    const at = flow * WORDS;
    if (at >= this.#ints.length) return true;
    const id = destinationOf(bytes, header);
    if (this.#ints[at] === ANY) this.#ints[at] = id;
    return id !== this.#ints[at] && id !== this.#ints[at + SERVER] && (this.#ints[at + FAILED] as number) < MAX_FAILED;
  }

  /** It could not be opened: it belongs to the flow's connection, whose server's answer was not seen. */
  explain(flow: number, bytes: Uint8Array, header: LongHeader): void {
    const at = flow * WORDS;
    if (at >= this.#ints.length) return;
    this.#ints[at + SERVER] = destinationOf(bytes, header);
    this.#ints[at + FAILED] = (this.#ints[at + FAILED] as number) + 1;
  }
}

function destinationOf(bytes: Uint8Array, { destinationFrom, destinationLength }: LongHeader): number {
  return hashOf(bytes, destinationFrom, destinationFrom + destinationLength);
}

/** The source's ID stands behind the destination's, with its length in front. */
function sourceOf(bytes: Uint8Array, { destinationFrom, destinationLength, after }: LongHeader): number {
  return hashOf(bytes, destinationFrom + destinationLength + 1, after);
}

/** Never 0 or ANY. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = to - from;
  for (let i = from; i < to; i++) {
    hash = Math.imul(hash ^ u8(bytes, i), 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return hash | 2;
}

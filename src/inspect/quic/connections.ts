// Distinguishes a second connection between the same ends from more packets of the first, by the connection IDs in long headers. It keeps a few
// words per flow and decrypts only packets with an unknown ID.

import { hashBytes, widened } from '../../net/bytes.ts';
import type { LongHeader } from './header.ts';

/**
 * Layout of `ints`, 3 words per flow:
 *
 *     0 hash of the ID that the client chose for the server, 0 if unknown, ANY to accept the next one | 1 hash of the server's own ID
 *     2 number of Initials with an unknown ID that could not be decrypted
 */
const WORDS = 3;
const SERVER = 1;
const FAILED = 2;
const ANY = 1;
/** After this many failures we stop trying: the bytes only look like Initials. */
const MAX_FAILED = 4;

/** Connection IDs of flows. */
export class QuicConnections {
  #ints = new Int32Array(0);
  readonly #maxFlows: number;

  /** @param maxFlows flow numbers from this on are ignored */
  constructor(maxFlows = 1 << 20) {
    this.#maxFlows = maxFlows;
  }

  /** Notes the connection that this header opens as the flow's. */
  begin(flow: number, bytes: Uint8Array, header: LongHeader): void {
    const at = flow * WORDS;
    if (flow >= this.#maxFlows) return;
    if (at >= this.#ints.length) this.#ints = widened(this.#ints, Math.max(at + WORDS, this.#ints.length * 2));
    this.#ints[at] = destinationOf(bytes, header);
    this.#ints[at + SERVER] = 0;
    this.#ints[at + FAILED] = 0;
  }

  forget(flow: number): void {
    const at = flow * WORDS;
    if (at < this.#ints.length) this.#ints.fill(0, at, at + WORDS);
  }

  /** Notes the server's own ID, which the client uses from now on (RFC 9000 section 7.2). */
  answered(flow: number, bytes: Uint8Array, header: LongHeader): void {
    const at = flow * WORDS;
    if (at < this.#ints.length) this.#ints[at + SERVER] = sourceOf(bytes, header);
  }

  /** Notes Retry or version negotiation (RFC 9000 sections 6.2, 17.2.5): the client's next first packet doesn't open a second connection. */
  restarted(flow: number): void {
    const at = flow * WORDS;
    if (at < this.#ints.length) this.#ints[at] = ANY;
  }

  /** Whether a client's Initial has an ID unknown to the flow. If it then decrypts with that ID, it opens a new connection. */
  isStrange(flow: number, bytes: Uint8Array, header: LongHeader): boolean {
    const at = flow * WORDS;
    if (at >= this.#ints.length) return true;
    const id = destinationOf(bytes, header);
    if (this.#ints[at] === ANY) this.#ints[at] = id;
    return id !== this.#ints[at] && id !== this.#ints[at + SERVER] && (this.#ints[at + FAILED] as number) < MAX_FAILED;
  }

  /** Notes an Initial that didn't decrypt: it belongs to the flow's connection, and we missed the server's answer. */
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

/** Hash of the source's ID, which follows the destination's and its own length byte. */
function sourceOf(bytes: Uint8Array, { destinationFrom, destinationLength, after }: LongHeader): number {
  return hashOf(bytes, destinationFrom + destinationLength + 1, after);
}

/** Never 0 or ANY. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  return hashBytes(bytes, from, to) | 2;
}

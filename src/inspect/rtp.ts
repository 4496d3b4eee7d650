// RTP has no signature: a flow is taken for it when its datagrams count on and name one source. A few flows at a time are watched.

import { i32, u8, u16 } from '../net/bytes.ts';

const SLOTS = 256;
/** Datagrams in a row that must count on: a chance of one in 2^50 for each after the first. */
const IN_A_ROW = 3;
const LARGEST_STEP = 8;

/**
 * Flows that may be RTP; a later one takes the place of an earlier one in its slot.
 *
 *     flow, source (SSRC) and sequence of the last datagram, type of payload, datagrams in a row
 */
export class RtpCandidates {
  readonly #flow = new Int32Array(SLOTS).fill(-1);
  readonly #source = new Int32Array(SLOTS);
  readonly #sequence = new Int32Array(SLOTS);
  readonly #type = new Int32Array(SLOTS);
  readonly #row = new Int32Array(SLOTS);

  /** Notes a datagram that can be RTP (`canBeRtp`). @returns true when the flow is taken for it */
  note(flow: number, bytes: Uint8Array, at: number): boolean {
    const slot = flow & (SLOTS - 1);
    const type = u8(bytes, at + 1) & 0x7f;
    const sequence = u16(bytes, at + 2);
    const source = i32(bytes, at + 8);
    const step = (sequence - (this.#sequence[slot] as number)) & 0xffff;
    const goesOn = this.#flow[slot] === flow && this.#source[slot] === source && this.#type[slot] === type;
    if (goesOn && (step === 0 || step > LARGEST_STEP)) return false;
    this.#flow[slot] = flow;
    this.#source[slot] = source;
    this.#type[slot] = type;
    this.#sequence[slot] = sequence;
    this.#row[slot] = goesOn ? (this.#row[slot] as number) + 1 : 1;
    return (this.#row[slot] as number) >= IN_A_ROW;
  }
}

// Handles fragments that arrive before the first one of their datagram, which alone has the ports. Their bytes count in a flow without ports and move to
// the right flow when the first fragment arrives. Bounded: a newer datagram replaces an older one.

import type { Packet } from '../decode/packet.ts';
import { sameAddress } from '../net/address.ts';
import * as L from './layout.ts';

/** Copies, as in decode/ipv4.ts. */
const { COUNTERS, FIRST_SEEN, INTS, LOCAL, PROTOCOL_INTERFACE, REMOTE, SERIAL } = L;
const { RX_BYTES, RX_PACKETS, TX_BYTES, TX_PACKETS } = L;

/** Most datagrams that wait at once. */
const PLACES = 256;
/**
 * Layout of `entries`, 8 doubles per datagram:
 *
 *     0 row in which its fragments were counted, plus 1; 0 is empty | 1 serial of that row's flow | 2 IP identification | 3 1 if the local end sent it
 *     4 tick | 5 packets | 6 network-layer bytes | 7 free
 */
const ENTRY = 8;

/** Datagrams whose first fragment is missing. */
export class Orphans {
  readonly #entries = new Float64Array(PLACES * ENTRY);
  readonly #firstSeen = new Float64Array(PLACES);

  /** Notes a fragment without ports that has just been counted in `row`. */
  note(ints: Int32Array, counters: Float64Array, row: number, packet: Packet, sent: boolean, tick: number): void {
    const entries = this.#entries;
    const place = placeOf(packet);
    const at = place * ENTRY;
    const serial = counters[row * COUNTERS + SERIAL] as number;
    if (!this.#isOf(at, ints, counters, packet, tick) || entries[at] !== row + 1 || entries[at + 3] !== Number(sent)) {
      entries[at] = row + 1;
      entries[at + 1] = serial;
      entries[at + 2] = packet.identification;
      entries[at + 3] = sent ? 1 : 0;
      entries[at + 4] = tick;
      entries[at + 5] = 0;
      entries[at + 6] = 0;
      this.#firstSeen[place] = packet.time;
    }
    entries[at + 5] = (entries[at + 5] as number) + 1;
    entries[at + 6] = (entries[at + 6] as number) + packet.networkBytes;
  }

  /**
   * Moves what arrived before this first fragment from the flow without ports to `row`, the fragment's flow. What was booked in an earlier tick stays,
   * because reported bytes are never taken back.
   *
   * @param sent whether the local end of `row` sent it
   * @returns the row that it came from; -1 if nothing arrived before
   */
  adopt(ints: Int32Array, counters: Float64Array, row: number, packet: Packet, sent: boolean, tick: number): number {
    const entries = this.#entries;
    const place = placeOf(packet);
    const at = place * ENTRY;
    if (!this.#isOf(at, ints, counters, packet, tick)) return -1;
    const from = (entries[at] as number) - 1;
    entries[at] = 0;
    const isSameLink =
      ((ints[from * INTS + PROTOCOL_INTERFACE] as number) ^ (ints[row * INTS + PROTOCOL_INTERFACE] as number)) >>> 16 === 0;
    if (from === row || !isSameLink) return -1;
    const packets = entries[at + 5] as number;
    const bytes = entries[at + 6] as number;
    add(counters, from, entries[at + 3] === 1, -packets, -bytes);
    add(counters, row, sent, packets, bytes);
    const first = row * COUNTERS + FIRST_SEEN;
    counters[first] = Math.min(counters[first] as number, this.#firstSeen[place] as number);
    return from;
  }

  /** Whether the entry is for the packet's datagram and this tick, and its row still holds the same flow. */
  #isOf(at: number, ints: Int32Array, counters: Float64Array, packet: Packet, tick: number): boolean {
    const entries = this.#entries;
    const row = (entries[at] as number) - 1;
    if (row < 0 || entries[at + 2] !== packet.identification || entries[at + 4] !== tick) return false;
    if (counters[row * COUNTERS + SERIAL] !== entries[at + 1] || ints[row * INTS + L.STATE] === L.FREE_STATE) return false;
    const source = row * INTS + (entries[at + 3] === 1 ? LOCAL : REMOTE);
    const destination = row * INTS + (entries[at + 3] === 1 ? REMOTE : LOCAL);
    return sameAddress(ints, source, packet.words, 0) && sameAddress(ints, destination, packet.words, 4);
  }
}

function add(counters: Float64Array, row: number, sent: boolean, packets: number, bytes: number): void {
  const at = row * COUNTERS;
  const bytesAt = at + (sent ? TX_BYTES : RX_BYTES);
  const packetsAt = at + (sent ? TX_PACKETS : RX_PACKETS);
  counters[bytesAt] = (counters[bytesAt] as number) + bytes;
  counters[packetsAt] = (counters[packetsAt] as number) + packets;
}

function placeOf(packet: Packet): number {
  const { identification, words } = packet;
  const mixed = identification ^ (identification >>> 16) ^ (words[3] as number) ^ ((words[7] as number) << 3);
  return (mixed ^ (mixed >>> 8)) & (PLACES - 1);
}

// Writes the row of a new flow: its ends as this machine sees them, and the initial value of everything else.

import type { Packet } from '../decode/packet.ts';
import { NO_OWNER } from '../model/terms.ts';
import type { Placement } from './direction.ts';
import * as L from './layout.ts';
import { NOT_LOOKED_UP } from './ownership.ts';

/** Copies, as in decode/ipv4.ts. */
const { INTS, COUNTERS, LOCAL, REMOTE, PORTS, PROTOCOL_INTERFACE, HASH, STATE, PROCESS, PEER_PROCESS, OWNERSHIP } = L;
const { RX_BYTES, FIRST_SEEN, SERIAL, TX_NEXT, TIMED_AT, FRESH, GAP_FROM, GAP_TO, KEPT_AT } = L;

/**
 * Begins the flow that `packet` opens, in a row that was never used or was removed.
 *
 * Writes word by word: one `fill` takes longer than all of this.
 *
 * @param placement which end of the packet is the local one
 * @param serial the flow's number
 */
export function beginFlow(
  ints: Int32Array,
  counters: Float64Array,
  row: number,
  packet: Packet,
  placement: Placement,
  protocolInterface: number,
  hash: number,
  serial: number,
): void {
  const { words, sourcePort, destinationPort } = packet;
  const base = row * INTS;
  const local = placement.sourceIsLocal ? 0 : 4;
  const remote = 4 - local;
  for (let i = 0; i < 4; i++) {
    ints[base + LOCAL + i] = words[local + i] as number;
    ints[base + REMOTE + i] = words[remote + i] as number;
  }
  ints[base + PORTS] = placement.sourceIsLocal ? (sourcePort << 16) | destinationPort : (destinationPort << 16) | sourcePort;
  ints[base + PROTOCOL_INTERFACE] = protocolInterface;
  ints[base + HASH] = hash;
  ints[base + STATE] = (placement.direction << 16) | (packet.tunnel << 8);
  ints[base + PROCESS] = NO_OWNER;
  ints[base + PEER_PROCESS] = NO_OWNER;
  ints[base + OWNERSHIP] = NOT_LOOKED_UP;
  const at = row * COUNTERS;
  for (let i = RX_BYTES; i <= KEPT_AT; i++) counters[at + i] = 0;
  counters[at + FIRST_SEEN] = packet.time;
  counters[at + SERIAL] = serial;
  for (let i = TX_NEXT; i < TX_NEXT + 4; i++) ints[base + i] = 0;
  for (let i = TIMED_AT; i < FRESH; i++) ints[base + i] = 0;
  ints[base + GAP_FROM] = 0;
  ints[base + GAP_TO] = 0;
}

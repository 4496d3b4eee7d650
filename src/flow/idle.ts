// When a flow is over without having said so: idle times by protocol and state, and which one goes where there are too many.

import { PROTOCOL } from '../net/numbers.ts';
import * as L from './layout.ts';

/** Copies, as in decode/ipv4.ts. */
const { COUNTERS, FLOW_STATE, FREE_STATE, INTS, LAST_SEEN, PROTOCOL_INTERFACE, RX_PACKETS, STATE, TX_PACKETS } = L;

/** Rows that an eviction looks at. 32 took a quarter of the time of a scan, and spared busy flows hardly better (98 lost of 75,000, here 126). */
export const EVICTION_TRIES = 8;

/** Idle time after which a flow is over, ms. TCP: RFC 5382 section 5 would keep 2 h; a monitor's row is over sooner. */
export const IDLE_MS = {
  tcp: 15 * 60_000,
  tcpOpening: 30_000,
  udp: 2 * 60_000,
  udpAnsweredOnce: 30_000,
  other: 60_000,
  closed: 15_000,
} as const;

/** Idle time of a row, ms. @param ints, counters the flow table's arenas */
export function idleLimit(ints: Int32Array, counters: Float64Array, row: number): number {
  const protocol = (ints[row * INTS + PROTOCOL_INTERFACE] as number) & 0xffff;
  const state = (ints[row * INTS + STATE] as number) >>> 24;
  if (state >= FLOW_STATE.CLOSED) return IDLE_MS.closed;
  if (protocol === PROTOCOL.TCP)
    return state === FLOW_STATE.SYN_SENT || state === FLOW_STATE.SYN_RECEIVED ? IDLE_MS.tcpOpening : IDLE_MS.tcp;
  if (protocol !== PROTOCOL.UDP && protocol !== PROTOCOL.UDPLITE) return IDLE_MS.other;
  const at = row * COUNTERS;
  return (counters[at + RX_PACKETS] as number) + (counters[at + TX_PACKETS] as number) <= 2
    ? IDLE_MS.udpAnsweredOnce
    : IDLE_MS.udp;
}

/**
 * The least recently seen of EVICTION_TRIES rows from `hand` on; a closed flow counts as not seen for long. Under a hand that goes round
 * this is cheap, and close to least recently used.
 *
 * @param ints, counters the flow table's arena
 * @param mask rows of the table - 1
 */
export function leastRecent(ints: Int32Array, counters: Float64Array, hand: number, mask: number): number {
  let victim = hand;
  let oldest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < EVICTION_TRIES; i++) {
    const row = (hand + i) & mask;
    const word = ints[row * INTS + STATE] as number;
    if (word === FREE_STATE) continue;
    const closed = word >>> 24 >= FLOW_STATE.CLOSED ? IDLE_MS.tcp : 0;
    const seen = (counters[row * COUNTERS + LAST_SEEN] as number) - closed;
    if (seen < oldest) {
      oldest = seen;
      victim = row;
    }
  }
  return victim;
}

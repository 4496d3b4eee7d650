// When a flow is over without having said so: idle times by protocol and state.

import { PROTOCOL } from '../net/numbers.ts';
import { COUNTERS, FLOW_STATE, INTS, PROTOCOL_INTERFACE, RX_PACKETS, STATE, TX_PACKETS } from './layout.ts';

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

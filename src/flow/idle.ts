// Idle times by protocol and state, for flows that end silently, and the choice of rows to evict from a full table.

import { PROTOCOL } from '../net/numbers.ts';
import * as L from './layout.ts';
import { FLOW_STATE } from './tcp.ts';

/** Copies, as in decode/ipv4.ts. */
const { COUNTERS, INTS, LAST_SEEN, PROTOCOL_INTERFACE, PROTOCOL_MASK, RX_PACKETS, STATE, TX_PACKETS } = L;

/**
 * An eviction looks at WINDOW rows and evicts one in SHARE. Evicting one in eight took twice as long and hardly spared intermittent flows better (7,349 of
 * 75,155 packets came after their flow's row was gone; here 7,860).
 */
const WINDOW = 64;
const SHARE = 4;

/** Idle time after which a flow is over, ms. RFC 5382 section 5 keeps TCP for 2 h; a monitor needs its rows sooner. */
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
  const protocol = (ints[row * INTS + PROTOCOL_INTERFACE] as number) & PROTOCOL_MASK;
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

/** Chooses rows to evict: a clock hand moves over the table and takes the least recently seen rows under it. Cheap, and close to true LRU. */
export class LeastRecent {
  /** The chosen rows, least recent first. */
  readonly rows = new Int32Array(WINDOW / SHARE);
  readonly #seen = new Float64Array(WINDOW / SHARE);
  readonly #window = new Float64Array(WINDOW);
  #hand = 0;

  /**
   * Chooses among the next rows of a full table. A closed flow counts as idle for long.
   *
   * @param ints, counters the flow table's arena
   * @param size rows of the table, a power of two
   * @returns how many were chosen
   */
  choose(ints: Int32Array, counters: Float64Array, size: number): number {
    const width = Math.min(WINDOW, size);
    const most = Math.max(1, width / SHARE);
    const window = this.#window;
    const first = this.#hand;
    // A separate loop, so the memory reads of all rows overlap.
    for (let i = 0; i < width; i++) {
      const row = first + i;
      const closed = (ints[row * INTS + STATE] as number) >>> 24 >= FLOW_STATE.CLOSED ? IDLE_MS.tcp : 0;
      window[i] = (counters[row * COUNTERS + LAST_SEEN] as number) - closed;
    }
    this.#hand = (first + width) & (size - 1);
    let count = 0;
    for (let i = 0; i < width; i++) {
      const seen = window[i] as number;
      if (count < most) count++;
      else if (seen >= (this.#seen[most - 1] as number)) continue;
      this.#insert(first + i, seen, count - 1);
    }
    return count;
  }

  /** Inserts a row in order; drops the last of `last` + 1. */
  #insert(row: number, seen: number, last: number): void {
    const { rows } = this;
    const times = this.#seen;
    let at = last;
    for (; at > 0 && (times[at - 1] as number) > seen; at--) {
      times[at] = times[at - 1] as number;
      rows[at] = rows[at - 1] as number;
    }
    times[at] = seen;
    rows[at] = row;
  }
}

// The memory layout of flows: one arena, three cache lines per row, of which a packet touches the first two. For this folder only; everything else reads
// rows through the flow table.

/** Bytes of a row. */
export const ROW_BYTES = 192;

/**
 * `ints`, the arena as 48 words per row. The first line has the flow's identity and state:
 *
 *     0..3 local address | 4..7 remote address | 8 local port << 16 | remote port | 9 interface << 16 | protocol
 *     10 hash, in a free row the next free row | 11 FLOW_STATE << 24 | direction << 16 | tunnel << 8 | bits; -1 in a free row
 *     12 process | 13 peer process | 14 tick of the last touch | 15 attribution << 16 | reason, 0xffff if there is an owner
 *
 * Words 16..25 are counters, 26..27 are for kept packets, 28..31 are for every TCP segment; few packets need anything from 32 on.
 */
export const INTS = ROW_BYTES / 4;
export const LOCAL = 0;
export const REMOTE = 4;
export const PORTS = 8;
export const PROTOCOL_INTERFACE = 9;
/** The protocol's half of PROTOCOL_INTERFACE. */
export const PROTOCOL_MASK = 0xffff;
export const HASH = 10;
export const STATE = 11;
export const PROCESS = 12;
export const PEER_PROCESS = 13;
export const TOUCHED = 14;
export const OWNERSHIP = 15;
/** 1 while the row is listed as new. */
export const FRESH = 44;

/** STATE of a free row. */
export const FREE_STATE = -1;
/** Bits of STATE. */
export const STATE_BIT = {
  /** The flow's inspection is over. */
  READ: 1,
  /** Another connection began between its ends. The row stays for a while, but the index no longer has it. */
  RETIRED: 2,
  /** Its end was reported as an event. */
  END_REPORTED: 4,
  /** A transit flow whose TX was received over its interface and whose RX was sent. */
  REVERSED: 8,
  /** A transit flow whose frames only passed the interface: this machine neither sent nor received them. */
  PASSING: 16,
} as const;

/** `counters`, the arena as 24 doubles per row: totals since the flow began, in network-layer bytes; times in epoch ms. */
export const COUNTERS = ROW_BYTES / 8;
export const RX_BYTES = 8;
export const TX_BYTES = 9;
export const RX_PACKETS = 10;
export const TX_PACKETS = 11;
export const LAST_SEEN = 12;
/** Position of the flow's newest frame among those kept (packets/packet-ring.ts); 0 without one. */
export const KEPT_AT = 13;
export const FIRST_SEEN = 16;
/** Serial number of the flow, from 1; distinguishes flows that used the same row. */
export const SERIAL = 17;

/**
 * The words of `ints` for tracking TCP. For SCTP, 30 and 42 say who opened the association with which tag; other protocols don't use them. Compare
 * sequence numbers by difference. Times are microseconds modulo 2^32.
 *
 *     28 next sequence sent | 29 next sequence received | 30 seen bits | 31 timed sequence
 *     36 when it was sent; with SAMPLED, the round trip in us | 37 SYN sent or seen at | 38 smoothed RTT in us, 0 unknown | 39 retransmits sent | 40 retransmits received
 *     41 handshake RTT in us | 42 initial sequence of the opener | 43 timed timestamp value
 *     45 start of the last gap in received data | 46 its end | 47 when it was seen
 */
export const TX_NEXT = 28;
export const RX_NEXT = 29;
export const SEEN = 30;
export const TIMED_SEQUENCE = 31;
export const TIMED_AT = 36;
export const SYN_AT = 37;
export const RTT = 38;
export const TX_RETRANSMITS = 39;
export const RX_RETRANSMITS = 40;
export const HANDSHAKE_RTT = 41;
export const INITIAL_SEQUENCE = 42;
export const TIMED_TIMESTAMP = 43;
export const GAP_FROM = 45;
export const GAP_TO = 46;
export const GAP_AT = 47;

/** Bits of SEEN. */
export const SEEN_BIT = {
  TX_DATA: 1,
  RX_DATA: 2,
  SYN: 4,
  SYN_ACK: 8,
  TX_FIN: 16,
  RX_FIN: 32,
  TIMING: 64,
  OPENER_IS_LOCAL: 128,
  TIMING_TIMESTAMP: 256,
  /** The remote end reset the connection before either end had finished. */
  RX_RESET: 512,
  /** The last segment measured a round trip. */
  SAMPLED: 1024,
} as const;

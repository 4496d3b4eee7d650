// The memory layout of a flow: three arenas of typed arrays, one cache line each for what a packet touches. Constants only.

/**
 * `ints`, 16 words a row (one cache line):
 *
 *     0..3 local address | 4..7 remote address | 8 local port << 16 | remote port | 9 interface << 16 | protocol
 *     10 hash | 11 state << 24 | direction << 16 | tunnel << 8 | bits | 12 process | 13 peer process
 *     14 tick in which it was last touched | 15 attribution << 16 | reason
 */
export const INTS = 16;
export const LOCAL = 0;
export const REMOTE = 4;
export const PORTS = 8;
export const PROTOCOL_INTERFACE = 9;
export const HASH = 10;
export const STATE = 11;
export const PROCESS = 12;
export const PEER_PROCESS = 13;
export const TOUCHED = 14;
export const OWNERSHIP = 15;

/** `counters`, 8 doubles a row (one cache line): totals since the flow began; network-layer bytes, but FRAME_BYTES. Times in epoch ms. */
export const COUNTERS = 8;
export const RX_BYTES = 0;
export const TX_BYTES = 1;
export const RX_PACKETS = 2;
export const TX_PACKETS = 3;
export const FRAME_BYTES = 4;
export const FIRST_SEEN = 5;
export const LAST_SEEN = 6;
/** Counts flows from 1; what tells apart two flows that used the same row. */
export const SERIAL = 7;

/**
 * `tcp`, 12 words a row; meaningless for other protocols. Sequence numbers compare by difference; times are microseconds modulo 2^32.
 *
 *     0 next sequence sent | 1 next sequence received | 2 timed sequence | 3 when it was sent | 4 SYN sent or seen at
 *     5 smoothed RTT in us, 0 unknown | 6 retransmits sent | 7 retransmits received | 8 seen bits | 9 handshake RTT in us
 *     10 initial sequence of the opener | 11 timed timestamp value
 */
export const TCP_WORDS = 12;
export const TX_NEXT = 0;
export const RX_NEXT = 1;
export const TIMED_SEQUENCE = 2;
export const TIMED_AT = 3;
export const SYN_AT = 4;
export const RTT = 5;
export const TX_RETRANSMITS = 6;
export const RX_RETRANSMITS = 7;
export const SEEN = 8;
export const HANDSHAKE_RTT = 9;
export const INITIAL_SEQUENCE = 10;
export const TIMED_TIMESTAMP = 11;

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
} as const;

/** State of a flow, in STATE >> 24. For UDP and the rest: `new` until both sides spoke, then `established`. */
export const FLOW_STATES = ['new', 'syn-sent', 'syn-received', 'established', 'closing', 'closed', 'reset'] as const;
export const FLOW_STATE = { NEW: 0, SYN_SENT: 1, SYN_RECEIVED: 2, ESTABLISHED: 3, CLOSING: 4, CLOSED: 5, RESET: 6 } as const;

// Tracks TCP as an observer: state, round-trip time, retransmits. Works on one row of the flow table.

import type { Packet } from '../decode/packet.ts';
import { TCP_FLAG } from '../net/numbers.ts';
import * as L from './layout.ts';

/** State of a flow. For UDP and other protocols: `new` until both ends have sent, then `established`. */
export const FLOW_STATES = ['new', 'syn-sent', 'syn-received', 'established', 'closing', 'closed', 'reset'] as const;
/** Indices into FLOW_STATES. */
export const FLOW_STATE = { NEW: 0, SYN_SENT: 1, SYN_RECEIVED: 2, ESTABLISHED: 3, CLOSING: 4, CLOSED: 5, RESET: 6 } as const;
/** Stages of a connection that the local end opened; NONE for one that it didn't open, or gave up. */
export const OPENING = { NONE: 0, WAITING: 1, ANSWERED: 2, REFUSED: 3 } as const;

/** Copies, as in decode/ipv4.ts. */
const { HANDSHAKE_RTT, INITIAL_SEQUENCE, RTT, RX_NEXT, RX_RETRANSMITS, SEEN, SEEN_BIT, SYN_AT } = L;
const { GAP_AT, GAP_FROM, GAP_TO, TIMED_AT, TIMED_SEQUENCE, TIMED_TIMESTAMP, TX_NEXT, TX_RETRANSMITS } = L;
const LONGEST_RTT_US = 60_000_000;
/** Longest delay through reordering, if no handshake gave the round-trip time. */
const REORDERED_US = 3000;

/**
 * Follows one segment.
 *
 * It measures the round-trip time between this machine and the remote end: from the handshake, then from the acknowledgement or timestamp echo of
 * segments that this side sent (RFC 7323 section 4; never from a retransmitted segment, RFC 6298 section 3).
 *
 * @param tcp the arena's words
 * @param at first word of the row
 * @param sent whether the local end sent the segment
 * @param now microseconds modulo 2^32
 * @param state the flow's FLOW_STATE before the segment
 * @returns the flow's state after it
 */
export function followTcp(tcp: Int32Array, at: number, packet: Packet, sent: boolean, now: number, state: number): number {
  const flags = packet.tcpFlags;
  let seen = tcp[at + SEEN] as number;
  let next = state;
  if ((flags & (TCP_FLAG.SYN | TCP_FLAG.FIN | TCP_FLAG.RST)) !== 0) {
    if ((flags & TCP_FLAG.RST) !== 0) {
      if (!sent && state < FLOW_STATE.CLOSING) tcp[at + SEEN] = seen | SEEN_BIT.RX_RESET;
      return state === FLOW_STATE.CLOSED ? state : FLOW_STATE.RESET;
    }
    if ((flags & TCP_FLAG.SYN) !== 0) {
      next = followHandshake(tcp, at, packet, sent, now, state);
      seen = tcp[at + SEEN] as number;
    }
    if ((flags & TCP_FLAG.FIN) !== 0) {
      seen |= sent ? SEEN_BIT.TX_FIN : SEEN_BIT.RX_FIN;
      next = FLOW_STATE.CLOSING;
    }
  } else if (state < FLOW_STATE.ESTABLISHED) {
    if (
      state === FLOW_STATE.SYN_RECEIVED &&
      (seen & SEEN_BIT.SYN_ACK) !== 0 &&
      (seen & SEEN_BIT.OPENER_IS_LOCAL) === 0 &&
      !sent
    ) {
      // The opener's ACK of our SYN+ACK completes the handshake: one round trip to the remote end.
      const rtt = (now - (tcp[at + SYN_AT] as number)) | 0;
      if (tcp[at + SYN_AT] !== 0 && rtt > 0 && rtt < LONGEST_RTT_US) {
        tcp[at + HANDSHAKE_RTT] = rtt;
        tcp[at + RTT] = rtt;
        if ((seen & SEEN_BIT.TIMING) === 0) seen = sampled(tcp, at, rtt, seen);
      }
    }
    // Joined in the middle, or the handshake's last ACK.
    if (state !== FLOW_STATE.SYN_SENT || packet.payloadBytes > 0) next = FLOW_STATE.ESTABLISHED;
  }

  const length = packet.payloadBytes + ((flags & (TCP_FLAG.SYN | TCP_FLAG.FIN)) !== 0 ? 1 : 0);
  const end = (packet.sequence + length) | 0;
  if (sent) {
    if ((seen & SEEN_BIT.TX_DATA) === 0) {
      seen |= SEEN_BIT.TX_DATA;
      tcp[at + TX_NEXT] = end;
    } else if (((end - (tcp[at + TX_NEXT] as number)) | 0) > 0) {
      tcp[at + TX_NEXT] = end;
      if (packet.payloadBytes > 0 && (seen & SEEN_BIT.TIMING) === 0) {
        seen |= SEEN_BIT.TIMING;
        tcp[at + TIMED_SEQUENCE] = end;
        tcp[at + TIMED_AT] = now;
        if (packet.hasTimestamps) {
          seen |= SEEN_BIT.TIMING_TIMESTAMP;
          tcp[at + TIMED_TIMESTAMP] = packet.timestampValue;
        } else seen &= ~SEEN_BIT.TIMING_TIMESTAMP;
      }
    } else if (isRetransmit(packet, (tcp[at + TX_NEXT] as number) - packet.sequence)) {
      tcp[at + TX_RETRANSMITS] = (tcp[at + TX_RETRANSMITS] as number) + 1;
      seen &= ~SEEN_BIT.TIMING;
    }
  } else {
    if ((seen & SEEN_BIT.RX_DATA) === 0) {
      seen |= SEEN_BIT.RX_DATA;
      tcp[at + RX_NEXT] = end;
    } else if (((end - (tcp[at + RX_NEXT] as number)) | 0) > 0) {
      if (((packet.sequence - (tcp[at + RX_NEXT] as number)) | 0) > 0) {
        tcp[at + GAP_FROM] = tcp[at + RX_NEXT] as number;
        tcp[at + GAP_TO] = packet.sequence;
        tcp[at + GAP_AT] = now;
      }
      tcp[at + RX_NEXT] = end;
    } else if (isRetransmit(packet, (tcp[at + RX_NEXT] as number) - packet.sequence) && !wasOvertaken(tcp, at, packet, now))
      tcp[at + RX_RETRANSMITS] = (tcp[at + RX_RETRANSMITS] as number) + 1;
    if ((seen & SEEN_BIT.TIMING) !== 0 && (flags & TCP_FLAG.ACK) !== 0) seen = timeAcknowledgement(tcp, at, packet, now, seen);
  }
  tcp[at + SEEN] = seen;
  if (state >= FLOW_STATE.CLOSED) return state; // stragglers reopen nothing
  const bothFinished = (seen & (SEEN_BIT.TX_FIN | SEEN_BIT.RX_FIN)) === (SEEN_BIT.TX_FIN | SEEN_BIT.RX_FIN);
  if (bothFinished) return FLOW_STATE.CLOSED;
  return (seen & (SEEN_BIT.TX_FIN | SEEN_BIT.RX_FIN)) !== 0 ? FLOW_STATE.CLOSING : next;
}

function followHandshake(tcp: Int32Array, at: number, packet: Packet, sent: boolean, now: number, state: number): number {
  const seen = tcp[at + SEEN] as number;
  if ((packet.tcpFlags & TCP_FLAG.ACK) === 0) {
    if ((seen & SEEN_BIT.SYN) === 0) {
      tcp[at + SYN_AT] = now;
      noteOpening(tcp, at, packet, sent);
    } else tcp[at + SYN_AT] = 0; // a second SYN: the answer may be to either one
    return Math.max(state, FLOW_STATE.SYN_SENT);
  }
  if ((seen & SEEN_BIT.SYN_ACK) === 0) {
    tcp[at + SEEN] = seen | SEEN_BIT.SYN_ACK;
    if (sent) tcp[at + SYN_AT] = now;
    else {
      const rtt = (now - (tcp[at + SYN_AT] as number)) | 0;
      if ((seen & SEEN_BIT.SYN) !== 0 && tcp[at + SYN_AT] !== 0 && rtt > 0 && rtt < LONGEST_RTT_US) {
        tcp[at + HANDSHAKE_RTT] = rtt;
        tcp[at + RTT] = rtt;
        if ((seen & SEEN_BIT.TIMING) === 0) tcp[at + SEEN] = sampled(tcp, at, rtt, seen | SEEN_BIT.SYN_ACK);
      }
    }
  } else if (sent) tcp[at + SYN_AT] = 0; // as with a second SYN
  return Math.max(state, FLOW_STATE.SYN_RECEIVED);
}

/** Whether a segment below the highest sequence is a retransmit and not a keep-alive (no byte, or one just below; RFC 9293 section 3.8.4). */
function isRetransmit(packet: Packet, below: number): boolean {
  return packet.payloadBytes > 1 || (packet.payloadBytes === 1 && (below | 0) !== 1);
}

/** Whether a segment fills the last gap too soon to be a retransmit, which would take a round trip. */
function wasOvertaken(tcp: Int32Array, at: number, packet: Packet, now: number): boolean {
  const from = tcp[at + GAP_FROM] as number;
  const to = tcp[at + GAP_TO] as number;
  if (from === to || ((packet.sequence - from) | 0) < 0 || ((packet.sequence + packet.payloadBytes - to) | 0) > 0) return false;
  const later = (now - (tcp[at + GAP_AT] as number)) | 0;
  const roundTrip = tcp[at + HANDSHAKE_RTT] as number;
  return later >= 0 && later < (roundTrip === 0 ? REORDERED_US : roundTrip);
}

function timeAcknowledgement(tcp: Int32Array, at: number, packet: Packet, now: number, seen: number): number {
  if (((packet.acknowledgement - (tcp[at + TIMED_SEQUENCE] as number)) | 0) < 0) return seen;
  // With timestamps, an acknowledgement that echoes an older timestamp answers an older segment.
  if (
    (seen & SEEN_BIT.TIMING_TIMESTAMP) !== 0 &&
    packet.hasTimestamps &&
    ((packet.timestampEcho - (tcp[at + TIMED_TIMESTAMP] as number)) | 0) < 0
  )
    return seen;
  const rtt = (now - (tcp[at + TIMED_AT] as number)) | 0;
  if (rtt > 0 && rtt < LONGEST_RTT_US) {
    const smoothed = tcp[at + RTT] as number;
    tcp[at + RTT] = smoothed === 0 ? rtt : smoothed + ((rtt - smoothed) >> 3); // RFC 6298 section 2
    return sampled(tcp, at, rtt, seen & ~SEEN_BIT.TIMING);
  }
  return seen & ~SEEN_BIT.TIMING;
}

/** Leaves a round trip where the flow table takes it. No segment may be timed meanwhile. @returns the new SEEN */
function sampled(tcp: Int32Array, at: number, rtt: number, seen: number): number {
  tcp[at + TIMED_AT] = rtt;
  return seen | SEEN_BIT.SAMPLED;
}

/** Notes which end opened a connection, and the SYN's sequence number, or the tag of SCTP's INIT. */
export function noteOpening(tcp: Int32Array, at: number, packet: Packet, sent: boolean): void {
  tcp[at + INITIAL_SEQUENCE] = packet.sequence;
  tcp[at + SEEN] = (tcp[at + SEEN] as number) | SEEN_BIT.SYN | (sent ? SEEN_BIT.OPENER_IS_LOCAL : 0);
}

/**
 * Whether a SYN on an existing flow opens a new connection on the same tuple (RFC 9293 section 3.6.1, tuple reuse). Also for SCTP's INIT.
 *
 * @param sent whether the flow's local end sent it
 */
export function reopens(tcp: Int32Array, at: number, packet: Packet, sent: boolean, state: number): boolean {
  if (state >= FLOW_STATE.CLOSING) return true;
  const seen = tcp[at + SEEN] as number;
  // A simultaneous open (RFC 9293 section 3.5) is one connection.
  if (state < FLOW_STATE.ESTABLISHED && sent !== ((seen & SEEN_BIT.OPENER_IS_LOCAL) !== 0)) return false;
  // A SYN that isn't a retransmit of the first: the old connection was lost silently.
  return ((seen & SEEN_BIT.SYN) !== 0 || state === FLOW_STATE.ESTABLISHED) && tcp[at + INITIAL_SEQUENCE] !== packet.sequence;
}

/** What became of a connection that the local end opened: OPENING. @param seen SEEN of its row */
export function openingOf(seen: number, state: number): number {
  if ((seen & (SEEN_BIT.SYN | SEEN_BIT.OPENER_IS_LOCAL)) !== (SEEN_BIT.SYN | SEEN_BIT.OPENER_IS_LOCAL)) return OPENING.NONE;
  if ((seen & SEEN_BIT.SYN_ACK) !== 0) return OPENING.ANSWERED;
  if (state === FLOW_STATE.SYN_SENT) return OPENING.WAITING;
  return state === FLOW_STATE.RESET && (seen & SEEN_BIT.RX_RESET) !== 0 ? OPENING.REFUSED : OPENING.NONE;
}

/** Whether the remote end opened the connection and this end only reset it. */
export function isRefusal(tcp: Int32Array, at: number, state: number): boolean {
  const handshake = (tcp[at + SEEN] as number) & (SEEN_BIT.SYN | SEEN_BIT.SYN_ACK | SEEN_BIT.OPENER_IS_LOCAL);
  return state === FLOW_STATE.RESET && handshake === SEEN_BIT.SYN;
}

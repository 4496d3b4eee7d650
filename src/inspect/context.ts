// State that all protocol readers share: where they report, what is known about each flow, and buffers for messages that span packets.

import type { Packet } from '../decode/packet.ts';
import { hashBytes, widened } from '../net/bytes.ts';
import { TCP_FLAG } from '../net/numbers.ts';
import type { Exchanges } from './dns/exchanges.ts';
import { hostName } from './host-name.ts';
import { type Pending, PendingPool, type Wait } from './pending.ts';
import type { TalkFindings } from './talk.ts';
import { tlsApplication } from './tls/applications.ts';
import { ClientHello } from './tls/client-hello.ts';
import { KnownHellos } from './tls/known-hellos.ts';
import { ServerHello } from './tls/server-hello.ts';

/** Bounds of the inspector's work and memory. */
export interface InspectLimits {
  /** Most flows in the middle of a message at once. Each takes 18 KiB. */
  readonly pendingFlows: number;
  /** Milliseconds after which such a flow is given up at its next packet. */
  readonly waitMs: number;
  /** Packets with payload within which the application must be recognised. */
  readonly undecidedPackets: number;
  /** The same for a flow that began with STUN, which continues until somebody answers the call. */
  readonly connectingPackets: number;
  /** Most packets that a message may span. */
  readonly messagePackets: number;
}

/** The bounds of a live run. */
export const DEFAULT_LIMITS: InspectLimits = {
  pendingFlows: 128,
  waitMs: 10_000,
  undecidedPackets: 12,
  connectingPackets: 64,
  messagePackets: 48,
};

/** Longest message: a ClientHello of 16 KiB in records of any size. */
const MESSAGE_BYTES = 18_432;
const FIRST_FLOWS = 1024;
const PHASE = 0x7f;
const CONNECTING = 0x80;
const SEEN_SHIFT = 8;
const SEEN_MAX = 0xff;
const REPORTED = 1 << 16;
const PENDING_SHIFT = 17;

/** Phases of a flow. */
export const PHASE_OF = {
  NEW: 0,
  WATCHED: 1,
  WAITING: 2,
  DNS: 3,
  MDNS: 4,
  LLMNR: 5,
  NETBIOS: 6,
  DHCP: 7,
  DONE: 8,
  /** A client's hello was read, and the server's is awaited. */
  OFFERED: 9,
  /** Both were. The handshake is over once the opener, or its other end, or both, change to the new keys. */
  AWAITS_OPENER: 10,
  AWAITS_OTHER: 11,
  AWAITS_BOTH: 12,
  /** A request was read, and its answer is awaited; in the second case another protocol may follow that. */
  REQUESTED: 13,
  TUNNEL_REQUESTED: 14,
} as const;
export type Phase = (typeof PHASE_OF)[keyof typeof PHASE_OF];

/**
 * Holds one word of state per flow, with the index of its pending message plus 1:
 *
 *     31           17      16      15    8       7      6     0
 *     [ pending + 1 ][ reported ][ packets ][ connecting ][ phase ]
 */
export class Context {
  readonly findings: Findings;
  readonly limits: InspectLimits;
  readonly pool: PendingPool;
  /** Questions of DNS, and their answers. */
  readonly exchanges: Exchanges;
  /** Hears how flows are spoken; null if nobody asks. */
  readonly talk: TalkFindings | null;
  readonly hello = new ClientHello();
  readonly serverHello = new ServerHello();
  readonly known = new KnownHellos();
  /** Time of the current packet, epoch ms. */
  time = 0;
  /** Scratch for a handshake stripped of its record headers. */
  readonly handshake = new Uint8Array(MESSAGE_BYTES);
  readonly #evict: (pending: Pending) => void;
  #states = new Int32Array(FIRST_FLOWS);

  /** @param evict reports what a flow has before its buffer goes to another */
  constructor(
    findings: Findings,
    talk: TalkFindings | null,
    exchanges: Exchanges,
    limits: InspectLimits,
    evict: (pending: Pending) => void,
  ) {
    this.exchanges = exchanges;
    this.#evict = evict;
    this.findings = findings;
    this.talk = talk;
    this.limits = limits;
    this.pool = new PendingPool(Math.max(1, Math.min(limits.pendingFlows, 16_000)), MESSAGE_BYTES);
  }

  /** Makes room for the flow's word. */
  reserve(flow: number): void {
    if (flow >= this.#states.length) this.#states = widened(this.#states, Math.max(flow + 1, this.#states.length * 2));
  }

  /** Whether there is room for the flow's word; without, it was never looked at. */
  isReserved(flow: number): boolean {
    return flow < this.#states.length;
  }

  phase(flow: number): Phase {
    return ((this.#states[flow] as number) & PHASE) as Phase;
  }

  setPhase(flow: number, phase: Phase): void {
    this.#states[flow] = ((this.#states[flow] as number) & ~PHASE) | phase;
  }

  /** Counts a packet of the flow. @returns how many there were before */
  count(flow: number): number {
    const state = this.#states[flow] as number;
    const seen = (state >>> SEEN_SHIFT) & SEEN_MAX;
    if (seen < SEEN_MAX) this.#states[flow] = state + (1 << SEEN_SHIFT);
    return seen;
  }

  /** Ends the inspection of the flow. @returns false, which readers return in turn */
  done(flow: number): false {
    this.setPhase(flow, PHASE_OF.DONE);
    return false;
  }

  /** Takes note that this packet said nothing. @returns whether to look at the next one */
  undecided(flow: number): boolean {
    const seen = ((this.#states[flow] as number) >>> SEEN_SHIFT) & SEEN_MAX;
    if (seen >= (this.isConnecting(flow) ? this.limits.connectingPackets : this.limits.undecidedPackets)) return this.done(flow);
    this.setPhase(flow, PHASE_OF.WATCHED);
    return true;
  }

  forget(flow: number): void {
    if (flow >= this.#states.length) return;
    const pending = this.pending(flow);
    if (pending !== null) this.pool.release(pending);
    this.#states[flow] = 0;
  }

  pending(flow: number): Pending | null {
    const index = (this.#states[flow] as number) >>> PENDING_SHIFT;
    return index === 0 ? null : this.pool.at(index - 1);
  }

  /** Gives the flow a buffer for a message that begins at the packet's sequence number. */
  open(flow: number, wait: Wait, packet: Packet, fromOpener: boolean, time: number): Pending {
    let pending = this.pool.take();
    if (pending === null) {
      const oldest = this.pool.oldest();
      this.#evict(oldest);
      if (oldest.flow >= 0) this.close(oldest);
      pending = this.pool.take() as Pending;
    }
    pending.flow = flow;
    pending.wait = wait;
    pending.fromOpener = fromOpener;
    pending.base = payloadSequence(packet);
    pending.since = time;
    pending.packets = 0;
    pending.port = fromOpener ? packet.destinationPort : packet.sourcePort;
    this.#states[flow] =
      ((this.#states[flow] as number) & ((1 << PENDING_SHIFT) - 1) & ~PHASE) |
      ((pending.index + 1) << PENDING_SHIFT) |
      PHASE_OF.WAITING;
    return pending;
  }

  /** Releases the buffer. The flow is done unless the caller sets another phase. */
  close(pending: Pending): void {
    const { flow } = pending;
    this.pool.release(pending);
    this.#states[flow] = ((this.#states[flow] as number) & ((1 << PENDING_SHIFT) - 1) & ~PHASE) | PHASE_OF.DONE;
  }

  /** Counts a packet. @returns whether the message took too long or too many packets */
  isLate(pending: Pending, time: number): boolean {
    return ++pending.packets > this.limits.messagePackets || time - pending.since > this.limits.waitMs;
  }

  /** Reports the flow's application, the first time only: what a protocol carries doesn't change the protocol. */
  reportApplication(flow: number, application: string): void {
    const state = this.#states[flow] as number;
    if ((state & REPORTED) !== 0) return;
    this.#states[flow] = state | REPORTED;
    this.findings.application(flow, application);
  }

  /** Reports that the flow began with STUN. A later report replaces this, because the same flow may carry other protocols (RFC 7983). */
  reportConnecting(flow: number): void {
    const state = this.#states[flow] as number;
    if ((state & (REPORTED | CONNECTING)) !== 0) return;
    this.#states[flow] = state | CONNECTING;
    this.findings.application(flow, 'stun');
  }

  /** Whether the flow began with STUN. */
  isConnecting(flow: number): boolean {
    return ((this.#states[flow] as number) & CONNECTING) !== 0;
  }

  /** Reports the contents of `hello`. @param fallback the application if neither the hello nor the port says more */
  reportHello(flow: number, bytes: Uint8Array, source: 'tls' | 'quic', port: number, fallback: string): void {
    const { hello } = this;
    if (hello.nameFrom >= 0) {
      const name = hostName(bytes, hello.nameFrom, hello.nameTo);
      if (name !== null) this.findings.serverName(flow, source, name, hello.ech);
    }
    this.reportApplication(flow, (source === 'tls' ? tlsApplication(bytes, hello, port) : null) ?? fallback);
    if (this.talk === null) return;
    const over = source === 'quic' ? 'quic' : hello.isDatagram ? 'udp' : 'tcp';
    const session = sessionOf(bytes, hello.sessionFrom, hello.sessionTo);
    this.talk.offered(flow, this.known.offer(over, bytes, hello), session, this.time);
  }
}

/** Number for a session; 0 for none. */
export function sessionOf(bytes: Uint8Array, from: number, to: number): number {
  return to > from ? hashBytes(bytes, from, to) | 1 : 0;
}

// What inspection learns about flows and addresses. Inspect calls this interface; identify/name implements it.

/** The protocol that named an address. */
export type AnswerKind = 'dns' | 'mdns' | 'llmnr' | 'netbios' | 'dhcp';

/** The ends of a flow inside a tunnel: two addresses of four words each, and ports. */
export interface InnerEnds {
  readonly protocol: number;
  readonly words: Int32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/**
 * Receives findings on the packet clock, once per fact, so implementations must be cheap and bounded. `flow` is the number that the caller
 * gave the inspector.
 *
 * Names are lower case and printable, without a final dot; they are checked to be host names.
 */
export interface Findings {
  /** The name that the flow's opener asked for: TLS and QUIC SNI, HTTP Host or authority. `ech` if it is only the outer name of an encrypted hello. */
  serverName(flow: number, source: 'tls' | 'quic' | 'http', name: string, ech: boolean): void;
  /** The flow's application by content: https, quic, dns, ssh ... */
  application(flow: number, application: string): void;
  /**
   * An answer that gives `name` this address, seen in `flow`.
   *
   * @param words four words of an address at `at` (net/address); valid during the call only
   * @param ttl seconds
   */
  answer(flow: number, kind: AnswerKind, name: string, words: Int32Array, at: number, ttl: number): void;
  /**
   * A name that a flow asks DNS for: labels in wire form, lower case, without the root. The answer may repeat it. Absent if not needed.
   *
   * @param labels valid during the call only
   */
  asked?(flow: number, labels: Uint8Array, length: number): void;
  /**
   * A flow inside a tunnel's flow. Called once for the first inner flow, and once more for one that asked for a name. Absent if not needed.
   *
   * @param inner ends in the direction of one of its packets; valid during the call only
   */
  inside?(flow: number, inner: InnerEnds, name: string | null): void;
  /** The name of an address in the answer to a reverse lookup on the wire. */
  pointer(flow: number, name: string, words: Int32Array, at: number, ttl: number): void;
}

const { SYN } = TCP_FLAG;

/** Sequence number of the payload's first byte, as a signed 32-bit number. A SYN takes one itself, before any payload (RFC 7413 section 4.2). */
export function payloadSequence(packet: Packet): number {
  return (packet.tcpFlags & SYN) !== 0 ? (packet.sequence + 1) | 0 : packet.sequence;
}

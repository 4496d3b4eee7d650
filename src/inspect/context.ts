// What the readers of all protocols share: whom they tell, what is known of each flow so far, and room for what spans packets.

import type { Packet } from '../decode/packet.ts';
import { widened } from '../net/bytes.ts';
import { TCP_FLAG } from '../net/numbers.ts';
import { hostName } from './host-name.ts';
import { type Pending, PendingPool, type Wait } from './pending.ts';
import { tlsApplication } from './tls/applications.ts';
import { ClientHello } from './tls/client-hello.ts';

/** Bounds of the inspector's work and memory. */
export interface InspectLimits {
  /** Flows that may be in the middle of a message at once; each takes 18 KiB when it is. */
  readonly rooms: number;
  /** Milliseconds after which such a flow makes room for another, or is given up at its next packet. */
  readonly waitMs: number;
  /** Packets with payload in which something has to be recognised. */
  readonly undecidedPackets: number;
  /** The same for a flow that began with STUN, which goes on for as long as nobody picks up. */
  readonly connectingPackets: number;
  /** Packets that a message may be spread over. */
  readonly messagePackets: number;
}

/** The bounds of a live run. */
export const DEFAULT_LIMITS: InspectLimits = {
  rooms: 128,
  waitMs: 10_000,
  undecidedPackets: 12,
  connectingPackets: 64,
  messagePackets: 48,
};

/** Longest message kept: a ClientHello of 16 KiB in records of any size. */
const ROOM_BYTES = 18_432;
const FIRST_FLOWS = 1024;
const PHASE = 0x7f;
const CONNECTING = 0x80;
const SEEN_SHIFT = 8;
const SEEN_MAX = 0xff;
const TOLD = 1 << 16;
const ROOM_SHIFT = 17;

/** Phases of a flow; 0 is a new one. */
export const PHASE_OF = { NEW: 0, WATCHED: 1, WAITING: 2, DNS: 3, MDNS: 4, LLMNR: 5, NETBIOS: 6, DHCP: 7, DONE: 8 } as const;
export type Phase = (typeof PHASE_OF)[keyof typeof PHASE_OF];

/**
 * State of flows, one word each.
 *
 *     31        17     16     15    8       7      6     0
 *     [ room + 1 ][ told ][ packets ][ connecting ][ phase ]
 */
export class Context {
  readonly findings: Findings;
  readonly limits: InspectLimits;
  readonly pool: PendingPool;
  readonly hello = new ClientHello();
  /** Scratch for a handshake without its record headers. */
  readonly handshake = new Uint8Array(ROOM_BYTES);
  /** Ends a flow whose room is taken away. Set once by the inspector. */
  giveUp: (room: Pending) => void = () => {};
  #states = new Int32Array(FIRST_FLOWS);

  constructor(findings: Findings, limits: InspectLimits) {
    this.findings = findings;
    this.limits = limits;
    this.pool = new PendingPool(Math.max(1, Math.min(limits.rooms, 16_000)), ROOM_BYTES);
  }

  /** Makes sure that there is a word for the flow. */
  reserve(flow: number): void {
    if (flow >= this.#states.length) this.#states = widened(this.#states, Math.max(flow + 1, this.#states.length * 2));
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

  /** Nothing more is wanted of this flow. @returns false, so that a reader can end with it */
  done(flow: number): false {
    this.setPhase(flow, PHASE_OF.DONE);
    return false;
  }

  /** Nothing was recognised in this packet. @returns whether the next one is worth a look */
  undecided(flow: number): boolean {
    const seen = ((this.#states[flow] as number) >>> SEEN_SHIFT) & SEEN_MAX;
    if (seen >= (this.isConnecting(flow) ? this.limits.connectingPackets : this.limits.undecidedPackets)) return this.done(flow);
    this.setPhase(flow, PHASE_OF.WATCHED);
    return true;
  }

  forget(flow: number): void {
    if (flow >= this.#states.length) return;
    const room = this.room(flow);
    if (room !== null) this.pool.release(room);
    this.#states[flow] = 0;
  }

  room(flow: number): Pending | null {
    const index = (this.#states[flow] as number) >>> ROOM_SHIFT;
    return index === 0 ? null : this.pool.room(index - 1);
  }

  /** Gives the flow a room whose message begins at the packet's sequence number. */
  open(flow: number, wait: Wait, packet: Packet, fromOpener: boolean, time: number): Pending {
    let room = this.pool.take();
    if (room === null) {
      const oldest = this.pool.oldest();
      this.giveUp(oldest);
      if (oldest.flow >= 0) this.close(oldest);
      room = this.pool.take() as Pending;
    }
    room.flow = flow;
    room.wait = wait;
    room.fromOpener = fromOpener;
    room.base = payloadSequence(packet);
    room.since = time;
    room.packets = 0;
    room.port = fromOpener ? packet.destinationPort : packet.sourcePort;
    this.#states[flow] =
      ((this.#states[flow] as number) & ((1 << ROOM_SHIFT) - 1) & ~PHASE) | ((room.index + 1) << ROOM_SHIFT) | PHASE_OF.WAITING;
    return room;
  }

  /** Takes the room from its flow, which is done unless the caller gives it another phase. */
  close(room: Pending): void {
    const { flow } = room;
    this.pool.release(room);
    this.#states[flow] = ((this.#states[flow] as number) & ((1 << ROOM_SHIFT) - 1) & ~PHASE) | PHASE_OF.DONE;
  }

  /** True when the flow waited too long or for too many packets. */
  isLate(room: Pending, time: number): boolean {
    return ++room.packets > this.limits.messagePackets || time - room.since > this.limits.waitMs;
  }

  /** Tells what the flow speaks, the first time only: what is inside of a protocol does not change what it is. */
  tellApplication(flow: number, application: string): void {
    const state = this.#states[flow] as number;
    if ((state & TOLD) !== 0) return;
    this.#states[flow] = state | TOLD;
    this.findings.application(flow, application);
  }

  /** Tells that the flow began with STUN. What it connects for may follow in the same flow (RFC 7983), and is told over this. */
  tellConnecting(flow: number): void {
    const state = this.#states[flow] as number;
    if ((state & (TOLD | CONNECTING)) !== 0) return;
    this.#states[flow] = state | CONNECTING;
    this.findings.application(flow, 'stun');
  }

  /** True for a flow that began with STUN. */
  isConnecting(flow: number): boolean {
    return ((this.#states[flow] as number) & CONNECTING) !== 0;
  }

  /** Tells what `hello` says. @param fallback what the flow speaks where neither the hello nor the port says more */
  tellHello(flow: number, bytes: Uint8Array, source: 'tls' | 'quic', port: number, fallback: string): void {
    const { hello } = this;
    if (hello.nameFrom >= 0) {
      const name = hostName(bytes, hello.nameFrom, hello.nameTo);
      if (name !== null) this.findings.serverName(flow, source, name, hello.ech);
    }
    this.tellApplication(flow, (source === 'tls' ? tlsApplication(bytes, hello, port) : null) ?? fallback);
  }
}

// What inspection finds out about flows and addresses. Inspect calls this interface; identify/name implements it.

/** How an address got its name on the wire. */
export type AnswerKind = 'dns' | 'mdns' | 'llmnr' | 'netbios' | 'dhcp';

/** The ends of a flow inside of a tunnel: two addresses of four words each, and ports. */
export interface InnerEnds {
  readonly protocol: number;
  readonly words: Int32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/**
 * Told on the packet clock, once per fact; implementations keep it cheap and bounded. `flow` is the number the inspector was given.
 *
 * Names are lower case, without a final dot, of printable characters, checked for the form of a host name where the protocol asks for one.
 */
export interface Findings {
  /** The name that the flow's opener asked for: TLS and QUIC SNI, HTTP Host or authority. `ech` where it is only the outer name of an encrypted hello. */
  serverName(flow: number, source: 'tls' | 'quic' | 'http', name: string, ech: boolean): void;
  /** What the flow speaks, by its content: https, quic, dns, ssh ... */
  application(flow: number, application: string): void;
  /**
   * An answer that gives `name` this address, seen in `flow`.
   *
   * @param words four words of an address at `at` (net/address); valid during the call only
   * @param ttl seconds
   */
  answer(flow: number, kind: AnswerKind, name: string, words: Int32Array, at: number, ttl: number): void;
  /**
   * A flow inside of a tunnel's flow; absent where nobody wants to know. Told once for the first one that is seen, once more for one that told the name it asked for.
   *
   * @param inner as one of its packets has them, valid during the call only
   */
  inside?(flow: number, inner: InnerEnds, name: string | null): void;
  /** The name of an address as a reverse look-up on the wire told it. */
  pointer(flow: number, name: string, words: Int32Array, at: number, ttl: number): void;
}

// Position of a segment's payload in its stream. A SYN takes a sequence number of its own, before its payload.

const { SYN } = TCP_FLAG;

/** Sequence number of the payload's first byte, signed 32 bits: one behind the segment's in a SYN that carries data (RFC 7413 section 4.2). */
export function payloadSequence(packet: Packet): number {
  return (packet.tcpFlags & SYN) !== 0 ? (packet.sequence + 1) | 0 : packet.sequence;
}

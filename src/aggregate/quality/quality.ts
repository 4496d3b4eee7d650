// Measures hosts and interfaces at each tick, from what the flows that moved tell: round trips, segments sent again, connections that were
// answered, refused, left unanswered or reset. It probes nothing, and a flow's owner or name is none of its business.

import { FLOW_DIRECTION } from '../../flow/direction.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import { OPENING } from '../../flow/tcp.ts';
import type { Ends, Quality } from '../../model/quality.ts';
import type { TickInterface } from '../../model/snapshot.ts';
import { areNeighbours, isV4, scopeOf } from '../../net/address.ts';
import { widened } from '../../net/bytes.ts';
import { PROTOCOL } from '../../net/numbers.ts';
import type { Booking } from '../booking.ts';
import { OTHER_HOSTS } from '../rows/host-table.ts';
import { COUNT, FigureTable, UNANSWERED_MS } from './figures.ts';

/** Hosts that are measured at once. One that has been silent for a minute gives way to another. */
const MAX_HOSTS = 2048;
/** Two for each interface that flows may name. */
const MAX_ENDS = 2048;

/** Headers of a segment with timestamps. */
const HEADER_V4 = 52;
const HEADER_V6 = 72;
/** Payload of a full segment over Ethernet with timestamps (RFC 7323 appendix A). */
const FULL_SEGMENT = 1448;
/** Payload below which packets are thought to be acknowledgements in part. */
const SMALL_SEGMENT = 50;

/** What has been counted of a connection's life. */
const TOLD = { OPENING: 1, RESET: 2 } as const;

/** One side of an interface: its own network, or what lies behind it. */
export interface End {
  readonly slot: number;
  /** Connections in a row that nobody answered; 0 from the moment anything is answered. */
  silent: number;
}

/** A host that is measured. */
export interface MeasuredHost {
  readonly host: number;
  readonly interface: number;
  readonly isNear: boolean;
}

/** Figures of hosts and of both ends of interfaces. */
export class QualityBooks {
  readonly #flows: FlowTable;
  readonly #booking: Booking;
  readonly #hosts = new FigureTable(MAX_HOSTS);
  readonly #ends = new FigureTable(MAX_ENDS);
  /** By host: its slot + 1, 0 for none. */
  #slots = new Int32Array(0);
  /** By slot: its host, 0 for none; interface << 1 | near, of the flow that told last. */
  readonly #hostOf = new Int32Array(MAX_HOSTS);
  readonly #placeOf = new Int32Array(MAX_HOSTS);
  /** By interface << 1 | near. */
  readonly #endOf: (End | undefined)[] = [];
  #interfaces: readonly TickInterface[] = [];
  /** By row: serial of the flow whose figures were counted; segments, sent and received again, TOLD. */
  #serials = new Float64Array(0);
  #segments = new Float64Array(0);
  #sentAgain = new Int32Array(0);
  #receivedAgain = new Int32Array(0);
  #told = new Uint8Array(0);
  readonly #moved = new Float64Array(4);

  constructor(flows: FlowTable, booking: Booking) {
    this.#flows = flows;
    this.#booking = booking;
  }

  /** Begins a tick. @param time of the tick, epoch ms */
  begin(time: number, interfaces: readonly TickInterface[]): void {
    this.#interfaces = interfaces;
    this.#hosts.setTime(time);
    this.#ends.setTime(time);
    this.#reserve();
  }

  /** Counts what a flow told since the last tick. Call it while its row can still be read, and is booked. */
  flowLeaves(row: number): void {
    this.#reserve();
    this.flowMoved(row);
    this.#serials[row] = 0;
  }

  /** Figures of a host; null if it isn't measured. */
  ofHost(host: number): Quality | null {
    const slot = (this.#slots[host] ?? 0) - 1;
    return slot < 0 ? null : this.#hosts.of(slot);
  }

  /** Figures of both ends of an interface. */
  ofInterface(index: number): Ends {
    const of = (isNear: number): Quality | null => {
      const end = this.#endOf[(index << 1) | isNear];
      return end === undefined ? null : this.#ends.of(end.slot);
    };
    return { near: of(1), far: of(0) };
  }

  /** Connections in a row that nobody beyond an interface's own network answered. */
  silentBeyond(index: number): number {
    return this.#endOf[index << 1]?.silent ?? 0;
  }

  /** Calls back with each host that has told something recently. */
  eachRecent(visit: (measured: MeasuredHost, quality: Quality) => void): void {
    for (let slot = 0; slot < this.#hosts.end; slot++) {
      const host = this.#hostOf[slot] as number;
      if (host === 0 || !this.#hosts.isRecent(slot)) continue;
      const place = this.#placeOf[slot] as number;
      visit({ host, interface: place >> 1, isNear: (place & 1) === 1 }, this.#hosts.of(slot));
    }
  }

  /** Forgets evicted hosts: their numbers may be other hosts' now. */
  forget(hosts: readonly number[]): void {
    for (const host of hosts) {
      const slot = (this.#slots[host] ?? 0) - 1;
      if (slot < 0) continue;
      this.#slots[host] = 0;
      this.#hostOf[slot] = 0;
      this.#hosts.release(slot);
    }
  }

  /** Ends the tick: takes the round trips of all flows that it had. */
  end(): void {
    const { rttRows, rttSerials, rtts, rttCount } = this.#flows;
    const { length } = rtts;
    for (let i = Math.max(0, rttCount - length); i < rttCount; i++) {
      const at = i % length;
      const row = rttRows[at] as number;
      if (!this.#flows.holds(row, rttSerials[at] as number) || !this.#isMeasured(row)) continue;
      const us = rtts[at] as number;
      const host = this.#hostSlot(row);
      if (host >= 0) this.#hosts.time(host, us);
      const end = this.#end(row);
      if (end === null) continue;
      this.#ends.time(end.slot, us);
      end.silent = 0;
    }
  }

  /** Counts what is new of a flow, once it is booked. */
  flowMoved(row: number): void {
    const flows = this.#flows;
    if (!this.#isMeasured(row)) return;
    const serial = flows.serial(row);
    if (this.#serials[row] !== serial) {
      this.#serials[row] = serial;
      this.#segments[row] = 0;
      this.#sentAgain[row] = 0;
      this.#receivedAgain[row] = 0;
      this.#told[row] = 0;
    }
    const opening = flows.opening(row);
    const isOpen = opening !== OPENING.WAITING && opening !== OPENING.REFUSED;
    const segments = isOpen ? this.#segmentsOf(row) : 0;
    const more = segments - (this.#segments[row] as number);
    if (more > 0) {
      this.#segments[row] = segments;
      this.#count(row, COUNT.SEGMENTS, more);
    }
    const sent = flows.txRetransmits(row);
    const received = flows.rxRetransmits(row);
    if (sent !== this.#sentAgain[row]) this.#count(row, COUNT.SENT_AGAIN, sent - (this.#sentAgain[row] as number));
    if (received !== this.#receivedAgain[row])
      this.#count(row, COUNT.RECEIVED_AGAIN, received - (this.#receivedAgain[row] as number));
    this.#sentAgain[row] = sent;
    this.#receivedAgain[row] = received;
    const told = this.#told[row] as number;
    if ((told & TOLD.OPENING) === 0) this.#settle(row, opening);
    if ((told & TOLD.RESET) !== 0 || !flows.isResetByRemote(row)) return;
    this.#told[row] = (this.#told[row] as number) | TOLD.RESET;
    if (opening !== OPENING.REFUSED) this.#count(row, COUNT.RESET, 1);
  }

  /** Segments with payload that a flow has had, both directions, reckoned from its bytes and packets. */
  #segmentsOf(row: number): number {
    const moved = this.#moved;
    this.#flows.readTraffic(row, moved);
    const header = isV4(this.#flows.words, this.#flows.remoteAt(row)) ? HEADER_V4 : HEADER_V6;
    return (
      segmentsIn(moved[0] as number, moved[2] as number, header) + segmentsIn(moved[1] as number, moved[3] as number, header)
    );
  }

  /** Counts how the opening of a connection ended, once that is known. @param opening OPENING */
  #settle(row: number, opening: number): void {
    const flows = this.#flows;
    if (opening === OPENING.NONE) return;
    if (opening === OPENING.WAITING && flows.lastSeen(row) - flows.firstSeen(row) < UNANSWERED_MS) return;
    this.#told[row] = (this.#told[row] as number) | TOLD.OPENING;
    const end = this.#end(row);
    if (opening === OPENING.WAITING) {
      this.#count(row, COUNT.UNANSWERED, 1);
      if (end !== null) end.silent++;
      return;
    }
    if (end !== null) end.silent = 0;
    this.#count(row, opening === OPENING.REFUSED ? COUNT.REFUSED : COUNT.ANSWERED, 1);
  }

  /**
   * True for a TCP flow of this machine over a link that counts: a copy of it on another interface doesn't, and loopback is none. A container's end is
   * often found to be here only after the handshake, so a flow within this machine is measured like any other.
   */
  #isMeasured(row: number): boolean {
    const flows = this.#flows;
    return (
      flows.protocol(row) === PROTOCOL.TCP &&
      flows.direction(row) !== FLOW_DIRECTION.TRANSIT &&
      this.#interfaces[flows.interface(row)]?.kind !== 'loopback' &&
      scopeOf(flows.words, flows.remoteAt(row)) !== 'loopback' &&
      this.#booking.counts(row)
    );
  }

  #count(row: number, column: number, by: number): void {
    const host = this.#hostSlot(row);
    if (host >= 0) this.#hosts.count(host, column, by);
    const end = this.#end(row);
    if (end !== null) this.#ends.count(end.slot, column, by);
  }

  /** @returns -1 if nothing is kept of the host */
  #hostSlot(row: number): number {
    const host = this.#booking.hostOf(row);
    if (host <= OTHER_HOSTS) return -1;
    if (host >= this.#slots.length) this.#slots = widened(this.#slots, Math.max(1024, host * 2));
    let slot = (this.#slots[host] as number) - 1;
    if (slot < 0) {
      slot = this.#hosts.claim();
      if (slot < 0) return -1;
      const former = this.#hostOf[slot] as number;
      if (former !== 0) this.#slots[former] = 0;
      this.#slots[host] = slot + 1;
      this.#hostOf[slot] = host;
    }
    this.#placeOf[slot] = this.#place(row);
    return slot;
  }

  #end(row: number): End | null {
    const place = this.#place(row);
    const known = this.#endOf[place];
    if (known !== undefined) return known;
    const slot = this.#ends.claim();
    if (slot < 0) return null;
    const end = { slot, silent: 0 };
    this.#endOf[place] = end;
    return end;
  }

  /** Interface << 1 | 1 if the remote end is in its own network. What is in a tunnel is as far as the tunnel's other end. */
  #place(row: number): number {
    const flows = this.#flows;
    const index = flows.interface(row);
    const remote = flows.remoteAt(row);
    const isNear =
      this.#interfaces[index]?.kind !== 'tunnel' &&
      (scopeOf(flows.words, remote) === 'link-local' || areNeighbours(flows.words, remote, flows.localAt(row)));
    return (index << 1) | (isNear ? 1 : 0);
  }

  #reserve(): void {
    const rows = this.#flows.capacity;
    if (this.#serials.length >= rows) return;
    this.#serials = widened(this.#serials, rows);
    this.#segments = widened(this.#segments, rows);
    this.#sentAgain = widened(this.#sentAgain, rows);
    this.#receivedAgain = widened(this.#receivedAgain, rows);
    this.#told = widened(this.#told, rows);
  }
}

/**
 * Segments with payload among the packets of one direction, a reckoning: the kernel hands over many segments as one packet where the card cuts and
 * joins them, and packets without payload are nothing that could be lost and sent again.
 */
function segmentsIn(bytes: number, packets: number, header: number): number {
  const payload = Math.max(0, bytes - packets * header);
  return Math.round(Math.max(Math.min(packets, payload / SMALL_SEGMENT), payload / FULL_SEGMENT));
}

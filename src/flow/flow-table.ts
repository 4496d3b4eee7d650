// The flow table: keeps every flow of a run in one row of a typed array. It counts packets into rows and is the only way to read or write them; nothing
// outside this folder knows the layout of a row. Touching a flow allocates nothing.

import type { Packet } from '../decode/packet.ts';
import { ATTRIBUTIONS, type Attribution, NO_OWNER, OWNER_REASONS, type OwnerReason } from '../model/terms.ts';
import { type Arena, arenaOf, widened } from '../net/bytes.ts';
import { DIRECTION, ECHO_PORT, PROTOCOL, TCP_FLAG } from '../net/numbers.ts';
import { FLOW_DIRECTION, isIcmp, type Localizer } from './direction.ts';
import { FlowIndex } from './flow-index.ts';
import { hashFlow } from './hash.ts';
import { idleLimit, LeastRecent } from './idle.ts';
import * as L from './layout.ts';
import { beginFlow } from './new-flow.ts';
import { Orphans } from './orphans.ts';
import { DISOWNED, NOT_LOOKED_UP, OWNED } from './ownership.ts';
import { FLOW_STATE, followTcp, isRefusal, noteOpening, openingOf, reopens } from './tcp.ts';

/** Copies, as in decode/ipv4.ts. */
const { INTS, COUNTERS, LOCAL, REMOTE, PORTS, PROTOCOL_INTERFACE, STATE, HASH, TOUCHED, FRESH, ROW_BYTES } = L;
const { PROCESS, PEER_PROCESS, OWNERSHIP, RTT, HANDSHAKE_RTT, SEEN, SEEN_BIT, TIMED_AT, TX_RETRANSMITS, RX_RETRANSMITS } = L;
const { RX_BYTES, TX_BYTES, RX_PACKETS, TX_PACKETS, FIRST_SEEN, LAST_SEEN, KEPT_AT, SERIAL } = L;
const { FREE_STATE: FREE, PROTOCOL_MASK } = L;
const { READ, RETIRED, END_REPORTED, REVERSED, PASSING: PASSES_BY } = L.STATE_BIT;
const { NEW, ESTABLISHED, CLOSED } = FLOW_STATE;
const { TCP, SCTP } = PROTOCOL;
const { IN, OUT, PASSING } = DIRECTION;
const { SYN, ACK } = TCP_FLAG;

/** Called just before a row is removed, to book its last counters, and before an end gets another owner. */
export interface FlowObserver {
  flowRemoved(row: number): void;
  /** An end of the flow gets another owner. What it moved so far stays with the old one. */
  ownerLeaves?(row: number, isPeer: boolean): void;
}

const CLOSED_UNSEEN = DISOWNED['closed before it could be looked up'];
const FIRST_ROWS = 1024;
/** Round trips kept between two ticks, the newest; a power of two. */
const SAMPLES = 1 << 14;
/** Beyond this the table grows to its limit at once: copying takes time and twice the memory, while unwritten pages take no memory. */
const LAST_COPY_ROWS = 16_384;
/** End of the list of free rows. */
const NO_ROW = -1;

/**
 * All flows of a run, at most `maxRows`. A full table evicts the least recently seen of a few rows, after its observers have booked them.
 *
 * Rows are in an arena (layout.ts), which moves when it grows. A row number is valid until the flow is removed; serial numbers distinguish the flows that
 * used a row.
 */
export class FlowTable {
  /** Rows touched since `beginTick`, each once. A row may have been removed since, or belong to another flow by now. */
  touched: Int32Array;
  touchedCount = 0;
  /** Rows in which flows were created since the last `clearNew`, each once. A row may be free or belong to another flow by now. */
  newRows: Int32Array;
  newCount = 0;
  count = 0;
  evicted = 0;
  /** Flows ever created. */
  created = 0;
  /** Created flows that turned out to be part of another flow before anything reported them. */
  voided = 0;
  /**
   * Round trips measured since `beginTick`, `rttCount` of them in all, the newest kept: number i is at i modulo their length. By place: the flow's
   * row, its serial number, microseconds.
   */
  readonly rttRows = new Int32Array(SAMPLES);
  readonly rttSerials = new Float64Array(SAMPLES);
  readonly rtts = new Int32Array(SAMPLES);
  rttCount = 0;
  /** Result of `warm`, stored only to keep the compiler from removing the reads. */
  warmed = 0;
  /** Rows used so far. All live rows are below it; free ones among them have -1 in STATE. */
  rows = 0;

  readonly #maxRows: number;
  readonly #localizer: Localizer;
  readonly #seed: number;
  readonly #index: FlowIndex;
  readonly #idle = new LeastRecent();
  readonly #orphans = new Orphans();
  readonly #observers: FlowObserver[] = [];
  #arena: Arena;
  #ints: Int32Array;
  #counters: Float64Array;
  /** First of the free rows; each has the next in HASH. */
  #free = NO_ROW;
  /** Row at which `expire` continues. */
  #expiredTo = 0;
  #tick = 1;

  /**
   * @param maxRows a power of two
   * @param seed of the hash; random in production, fixed in tests
   */
  constructor(localizer: Localizer, maxRows: number, seed: number) {
    this.#localizer = localizer;
    this.#maxRows = maxRows;
    this.#seed = seed | 0;
    const rows = Math.min(maxRows, FIRST_ROWS);
    this.#arena = arenaOf(rows * ROW_BYTES);
    this.#ints = this.#arena.ints;
    this.#counters = this.#arena.doubles;
    this.touched = new Int32Array(rows);
    this.newRows = new Int32Array(rows);
    this.#index = new FlowIndex(this.#ints);
  }

  /** Adds an observer for the life of the table. Observers are called in the order in which they were added. */
  observe(observer: FlowObserver): void {
    this.#observers.push(observer);
  }

  /** Rows available without growing. */
  get capacity(): number {
    return this.touched.length;
  }

  /** Starts a tick: `touched` lists the rows that move from now on. */
  beginTick(): void {
    this.#tick = (this.#tick + 1) | 0;
    this.touchedCount = 0;
    this.rttCount = 0;
  }

  clearNew(): void {
    for (let i = 0; i < this.newCount; i++) this.#ints[(this.newRows[i] as number) * INTS + FRESH] = 0;
    this.newCount = 0;
  }

  /** Hash of the packet's flow, for `touch`. @param iface index of the interface, below 65536 */
  hash(packet: Packet, iface: number): number {
    return hashFlow(packet.words, packet.sourcePort, packet.destinationPort, (iface << 16) | packet.protocol, this.#seed);
  }

  /**
   * Prefetches what `touch` will need. A packet of a flow that isn't in the cache mostly waits for memory. For many packets at once the CPU waits only
   * once.
   *
   * @param hashes of the packets to come, `count` of them
   */
  warm(hashes: Int32Array, count: number): void {
    this.warmed = this.#index.warm(hashes, count);
  }

  /**
   * Counts one packet into its flow, and creates the flow if it is new.
   *
   * @param packet with its time set
   * @param iface index of the interface, below 65536
   * @param direction DIRECTION as captured
   * @param hash result of `hash`, if already computed
   * @returns the flow's row
   */
  touch(packet: Packet, iface: number, direction: number, hash: number = this.hash(packet, iface)): number {
    const protocolInterface = (iface << 16) | packet.protocol;
    let row = this.#index.find(packet.words, packet.sourcePort, packet.destinationPort, protocolInterface, hash);
    let sent = this.#index.sent;
    if (row >= 0 && (packet.tcpFlags & (SYN | ACK)) === SYN) {
      if (reopens(this.#ints, row * INTS, packet, sent, (this.#ints[row * INTS + STATE] as number) >>> 24)) {
        this.retire(row);
        row = -1;
      }
    }
    if (row < 0) {
      row = this.#create(packet, protocolInterface, hash, direction);
      sent = this.#index.sent;
    }
    const ints = this.#ints;
    const base = row * INTS;
    if (ints[base + TOUCHED] !== this.#tick) {
      ints[base + TOUCHED] = this.#tick;
      this.touched[this.touchedCount++] = row;
    }
    const counters = this.#counters;
    const at = row * COUNTERS;
    if (sent) {
      counters[at + TX_BYTES] = (counters[at + TX_BYTES] as number) + packet.networkBytes;
      counters[at + TX_PACKETS] = (counters[at + TX_PACKETS] as number) + 1;
    } else {
      counters[at + RX_BYTES] = (counters[at + RX_BYTES] as number) + packet.networkBytes;
      counters[at + RX_PACKETS] = (counters[at + RX_PACKETS] as number) + 1;
    }
    counters[at + LAST_SEEN] = packet.time;
    const word = ints[base + STATE] as number;
    const state = word >>> 24;
    let next: number = state;
    if (packet.protocol === TCP) {
      if (packet.transportOffset >= 0 && !packet.laterFragment) {
        next = followTcp(ints, base, packet, sent, (packet.time * 1000) | 0, state);
        if (((ints[base + SEEN] as number) & SEEN_BIT.SAMPLED) !== 0) this.#sample(row);
      }
    } else if (state === NEW && counters[at + RX_PACKETS] !== 0 && counters[at + TX_PACKETS] !== 0) next = ESTABLISHED;
    if (next !== state) ints[base + STATE] = (word & 0xffffff) | (next << 24);
    if (packet.lacksFirst) this.#orphans.note(ints, counters, row, packet, sent, this.#tick);
    else if (packet.firstFragment) this.#adopt(row, packet, sent);
    return row;
  }

  /** Row of the flow between the two ends in `words` (two addresses, 8 words); -1 if there is none. Counts nothing. */
  lookup(words: Int32Array, sourcePort: number, destinationPort: number, protocol: number, iface: number): number {
    const what = (iface << 16) | protocol;
    const hash = hashFlow(words, sourcePort, destinationPort, what, this.#seed);
    return this.#index.find(words, sourcePort, destinationPort, what, hash);
  }

  /** Whether the flow's local end sent the packet of the last `touch`, or is the first end of the last `lookup`. */
  get lastSent(): boolean {
    return this.#index.sent;
  }

  /**
   * Direction in which the frame of the last `touch` counts for its interface. A transit flow has no local end, so its first frame decides for the
   * whole flow (see STATE_BIT).
   *
   * @param row a transit flow
   * @param way DIRECTION of the frame
   * @returns DIRECTION as booked
   */
  bookedDirection(row: number, way: number): number {
    const sent = this.#index.sent;
    const at = row * INTS + STATE;
    const counters = row * COUNTERS;
    if ((this.#counters[counters + RX_PACKETS] as number) + (this.#counters[counters + TX_PACKETS] as number) === 1) {
      if (way === PASSING) this.#ints[at] = (this.#ints[at] as number) | PASSES_BY;
      else if (way !== DIRECTION.UNKNOWN && (way === OUT) !== sent) this.#ints[at] = (this.#ints[at] as number) | REVERSED;
    }
    const word = this.#ints[at] as number;
    if ((word & PASSES_BY) !== 0) return PASSING;
    return sent === ((word & REVERSED) === 0) ? OUT : IN;
  }

  // Reading a row. The row must be live; nothing checks that.

  isLive(row: number): boolean {
    return row >= 0 && row < this.rows && this.#ints[row * INTS + STATE] !== FREE;
  }

  /** Whether the row still belongs to the flow with this serial number. */
  holds(row: number, serial: number): boolean {
    return this.isLive(row) && this.#counters[row * COUNTERS + SERIAL] === serial;
  }

  /** Serial number of the flow, from 1; distinguishes flows that used the same row. */
  serial(row: number): number {
    return this.#counters[row * COUNTERS + SERIAL] as number;
  }

  /** The array to read addresses from, four words each, at `localAt` and `remoteAt`. It is replaced when the table grows. */
  get words(): Int32Array {
    return this.#ints;
  }

  /** Offset in `words` of the local end's address. */
  localAt(row: number): number {
    return row * INTS + LOCAL;
  }

  /** Offset in `words` of the remote end's address. */
  remoteAt(row: number): number {
    return row * INTS + REMOTE;
  }

  localPort(row: number): number {
    return (this.#ints[row * INTS + PORTS] as number) >>> 16;
  }

  remotePort(row: number): number {
    return (this.#ints[row * INTS + PORTS] as number) & 0xffff;
  }

  /** IP protocol, or one of PROTOCOL (net/numbers). */
  protocol(row: number): number {
    return (this.#ints[row * INTS + PROTOCOL_INTERFACE] as number) & PROTOCOL_MASK;
  }

  /** Index of the interface. */
  interface(row: number): number {
    return (this.#ints[row * INTS + PROTOCOL_INTERFACE] as number) >>> 16;
  }

  /** FLOW_STATE. */
  state(row: number): number {
    return (this.#ints[row * INTS + STATE] as number) >>> 24;
  }

  /** Whether the flow ended or was reset. */
  isClosed(row: number): boolean {
    return this.state(row) >= CLOSED;
  }

  /** FLOW_DIRECTION. */
  direction(row: number): number {
    return ((this.#ints[row * INTS + STATE] as number) >>> 16) & 0xff;
  }

  /** Whether both ends are on this machine. */
  isLocal(row: number): boolean {
    return this.direction(row) === FLOW_DIRECTION.LOCAL;
  }

  /** TUNNEL (decode/packet) of the flow. */
  tunnel(row: number): number {
    return ((this.#ints[row * INTS + STATE] as number) >>> 8) & 0xff;
  }

  /** Whether the flow's inspection is over. */
  isRead(row: number): boolean {
    return this.#has(row, READ);
  }

  /** Whether the flow is live but another connection has its ends by now, so a process found by them isn't its owner. */
  isRetired(row: number): boolean {
    return this.#has(row, RETIRED);
  }

  /** Whether the flow's end was reported; see `setEndReported`. */
  isEndReported(row: number): boolean {
    return this.#has(row, END_REPORTED);
  }

  /** Whether this is a transit flow whose TX was received over its interface and whose RX was sent. */
  isReversed(row: number): boolean {
    return this.#has(row, REVERSED);
  }

  /** Whether this is a transit flow whose frames only passed the interface: this machine neither sent nor received them. */
  isPassing(row: number): boolean {
    return this.#has(row, PASSES_BY);
  }

  /** Network-layer bytes received since the flow began. */
  rxBytes(row: number): number {
    return this.#counters[row * COUNTERS + RX_BYTES] as number;
  }

  txBytes(row: number): number {
    return this.#counters[row * COUNTERS + TX_BYTES] as number;
  }

  rxPackets(row: number): number {
    return this.#counters[row * COUNTERS + RX_PACKETS] as number;
  }

  txPackets(row: number): number {
    return this.#counters[row * COUNTERS + TX_PACKETS] as number;
  }

  /** Reads RX and TX bytes, then RX and TX packets, all since the flow began. @param into four numbers from `at` */
  readTraffic(row: number, into: Float64Array, at = 0): void {
    const from = row * COUNTERS + RX_BYTES;
    for (let i = 0; i < 4; i++) into[at + i] = this.#counters[from + i] as number;
  }

  /** Epoch ms. */
  firstSeen(row: number): number {
    return this.#counters[row * COUNTERS + FIRST_SEEN] as number;
  }

  /** Epoch ms. */
  lastSeen(row: number): number {
    return this.#counters[row * COUNTERS + LAST_SEEN] as number;
  }

  /** True for a TCP flow whose handshake was seen, at least one half of it. */
  sawHandshake(row: number): boolean {
    return ((this.#ints[row * INTS + SEEN] as number) & (SEEN_BIT.SYN | SEEN_BIT.SYN_ACK)) !== 0;
  }

  /** Round trip of a TCP flow's handshake, µs; 0 is unknown. */
  handshakeRtt(row: number): number {
    return this.#ints[row * INTS + HANDSHAKE_RTT] as number;
  }

  /** Smoothed round-trip time of a TCP flow, µs; 0 is unknown. */
  rtt(row: number): number {
    return this.#ints[row * INTS + RTT] as number;
  }

  /** Retransmitted segments of a TCP flow, both directions. */
  retransmits(row: number): number {
    return this.txRetransmits(row) + this.rxRetransmits(row);
  }

  /** Segments that the local end sent again. */
  txRetransmits(row: number): number {
    return this.#ints[row * INTS + TX_RETRANSMITS] as number;
  }

  /** Segments that the remote end sent again. */
  rxRetransmits(row: number): number {
    return this.#ints[row * INTS + RX_RETRANSMITS] as number;
  }

  /** OPENING (tcp.ts) of a TCP flow. */
  opening(row: number): number {
    return openingOf(this.#ints[row * INTS + SEEN] as number, this.state(row));
  }

  /** Whether the remote end reset a TCP connection before either end had finished. */
  isResetByRemote(row: number): boolean {
    return ((this.#ints[row * INTS + SEEN] as number) & SEEN_BIT.RX_RESET) !== 0;
  }

  /** Whether the local end sends ICMP requests, as ping does. The kernel itself never does. */
  asksEcho(row: number): boolean {
    if (!isIcmp(this.protocol(row)) || this.remotePort(row) !== ECHO_PORT) return false;
    return this.localPort(row) !== ECHO_PORT || this.direction(row) !== FLOW_DIRECTION.INBOUND;
  }

  /** Whether this is ICMP that no local process started: errors, discovery, and replies to others. */
  isIcmpOfKernel(row: number): boolean {
    return isIcmp(this.protocol(row)) && !this.asksEcho(row);
  }

  /** Whether the local end sent nothing, or only reset a connection that the remote end began; for flows without a socket. */
  isRefused(row: number): boolean {
    if (this.txPackets(row) === 0) return true;
    return this.protocol(row) === TCP && isRefusal(this.#ints, row * INTS, this.state(row));
  }

  #has(row: number, bit: number): boolean {
    return ((this.#ints[row * INTS + STATE] as number) & bit) !== 0;
  }

  // Writing what other parts learn about a flow.

  /** Notes that the flow's inspection is over. */
  setRead(row: number): void {
    this.#set(row, READ);
  }

  /** Notes that the flow's end was reported, so its removal won't be. */
  setEndReported(row: number): void {
    this.#set(row, END_REPORTED);
  }

  /** Position of the flow's newest frame among those kept; 0 without one. */
  keptAt(row: number): number {
    return this.#counters[row * COUNTERS + KEPT_AT] as number;
  }

  setKeptAt(row: number, position: number): void {
    this.#counters[row * COUNTERS + KEPT_AT] = position;
  }

  /** Sets the FLOW_STATE of a flow whose segments aren't captured. */
  setState(row: number, state: number): void {
    const at = row * INTS + STATE;
    this.#ints[at] = ((this.#ints[at] as number) & 0xff_ffff) | (state << 24);
    this.mark(row);
  }

  /** Places the flow that the next frame begins. */
  expect(direction: number, sourceIsLocal: boolean): void {
    this.#localizer.expect({ direction, sourceIsLocal });
  }

  /** Makes a flow local: its remote end turned out to be a process on this machine, in another network namespace. */
  joinEnds(row: number): void {
    this.#setDirection(row, FLOW_DIRECTION.LOCAL);
  }

  /** Corrects the packet counts of a flow whose packets weren't seen. */
  addPackets(row: number, rx: number, tx: number): void {
    const at = row * COUNTERS;
    this.#counters[at + RX_PACKETS] = (this.#counters[at + RX_PACKETS] as number) + rx;
    this.#counters[at + TX_PACKETS] = (this.#counters[at + TX_PACKETS] as number) + tx;
  }

  #set(row: number, bit: number): void {
    const at = row * INTS + STATE;
    this.#ints[at] = (this.#ints[at] as number) | bit;
  }

  #setDirection(row: number, direction: number): void {
    const at = row * INTS + STATE;
    this.#ints[at] = ((this.#ints[at] as number) & ~0xff_0000) | (direction << 16);
  }

  // Owners.

  /** Process that owns the local end, or NO_OWNER. */
  owner(row: number): number {
    return this.#ints[row * INTS + PROCESS] as number;
  }

  /** Process that owns the remote end of a local flow, or NO_OWNER. */
  peer(row: number): number {
    return this.#ints[row * INTS + PEER_PROCESS] as number;
  }

  /** How the owner is known. */
  attribution(row: number): Attribution {
    return ATTRIBUTIONS[(this.#ints[row * INTS + OWNERSHIP] as number) >>> 16] as Attribution;
  }

  /** Why the flow has no owner; null if it has one. */
  reason(row: number): OwnerReason | null {
    return OWNER_REASONS[this.reasonIndex(row)] ?? null;
  }

  /** Index of the reason in OWNER_REASONS; beyond its end if the flow has an owner. */
  reasonIndex(row: number): number {
    return (this.#ints[row * INTS + OWNERSHIP] as number) & 0xffff;
  }

  /** Whether the search for the owner is still running. */
  awaitsOwner(row: number): boolean {
    return this.#ints[row * INTS + OWNERSHIP] === NOT_LOOKED_UP && this.#ints[row * INTS + PROCESS] === NO_OWNER;
  }

  /** Sets the owner of the local end. @param match how it is known */
  own(row: number, process: number, match: Attribution): void {
    this.#setOwner(row, process, OWNED[match]);
  }

  /** Sets the owner of a local flow's remote end. */
  ownPeer(row: number, process: number): void {
    this.#ints[row * INTS + PEER_PROCESS] = process;
    this.mark(row);
  }

  /** Sets the reason why the local end has no owner. */
  disown(row: number, reason: OwnerReason): void {
    this.#setOwner(row, NO_OWNER, DISOWNED[reason]);
  }

  /** Call before an end gets another owner, to leave what it moved so far with the current one. Otherwise that moves to the new owner. */
  settleOwner(row: number, isPeer: boolean): void {
    for (const observer of this.#observers) observer.ownerLeaves?.(row, isPeer);
  }

  #setOwner(row: number, process: number, ownership: number): void {
    const base = row * INTS;
    this.#ints[base + PROCESS] = process;
    this.#ints[base + OWNERSHIP] = ownership;
    this.mark(row);
  }

  // The life of a row.

  /**
   * Reclassifies flows in transit after the machine got a new address. If a flow's local end has it, the flow becomes outbound or local, and its owner is
   * looked up like a new flow's. If the remote end has it, the flow is removed, and its next packet begins another.
   */
  reclassify(): void {
    const localizer = this.#localizer;
    for (let row = 0; row < this.rows; row++) {
      const base = row * INTS;
      const word = this.#ints[base + STATE] as number;
      if (word === FREE || ((word >>> 16) & 0xff) !== FLOW_DIRECTION.TRANSIT || (word & RETIRED) !== 0) continue;
      const isHere = localizer.isLocal(this.#ints, base + LOCAL);
      const isThere = localizer.isLocal(this.#ints, base + REMOTE);
      if (!isHere && !isThere) continue;
      if (!isHere || (word & (REVERSED | PASSES_BY)) !== 0) {
        this.remove(row);
        continue;
      }
      const direction = isThere ? FLOW_DIRECTION.LOCAL : FLOW_DIRECTION.OUTBOUND;
      this.#setDirection(row, direction);
      if (this.#ints[base + PROCESS] === NO_OWNER) this.#ints[base + OWNERSHIP] = NOT_LOOKED_UP;
      this.#listNew(row);
      this.mark(row);
    }
  }

  /** Marks a row as changed in this tick, for changes without a packet. */
  mark(row: number): void {
    const base = row * INTS;
    if (this.#ints[base + TOUCHED] === this.#tick) return;
    this.#ints[base + TOUCHED] = this.#tick;
    this.touched[this.touchedCount++] = row;
  }

  /** Marks the flows of these processes as changed. */
  markFlowsOf(processes: ReadonlySet<number>): void {
    for (let row = 0; row < this.rows; row++) {
      if (!this.isLive(row)) continue;
      const base = row * INTS;
      if (processes.has(this.#ints[base + PROCESS] as number) || processes.has(this.#ints[base + PEER_PROCESS] as number))
        this.mark(row);
    }
  }

  /**
   * Removes flows that were idle for longer than their protocol allows, from where the last call stopped.
   *
   * @param now epoch ms
   * @param most flows removed in one go
   * @returns true if it stopped early
   */
  expire(now: number, most = Number.POSITIVE_INFINITY): boolean {
    let left = most;
    for (let row = this.#expiredTo; row < this.rows; row++) {
      const word = this.#ints[row * INTS + STATE] as number;
      if (word === FREE) continue;
      if (now - (this.#counters[row * COUNTERS + LAST_SEEN] as number) <= idleLimit(this.#ints, this.#counters, row)) continue;
      if (left-- === 0) {
        this.#expiredTo = row;
        return true;
      }
      this.remove(row);
    }
    this.#expiredTo = 0;
    return false;
  }

  /** Ends a flow because another connection begins between the same ends. Its row stays, closed, until it is idle or evicted. */
  retire(row: number): void {
    const ints = this.#ints;
    const base = row * INTS;
    this.#index.remove(ints[base + HASH] as number, row);
    const word = ints[base + STATE] as number;
    ints[base + STATE] = (word & 0xffffff) | RETIRED | (Math.max(word >>> 24, CLOSED) << 24);
    // From now on a socket with these ends belongs to the next flow. But a new flow's owner will still be looked up.
    if (ints[base + FRESH] === 0 && ints[base + PROCESS] === NO_OWNER && ints[base + OWNERSHIP] === NOT_LOOKED_UP)
      ints[base + OWNERSHIP] = CLOSED_UNSEEN;
    this.mark(row);
  }

  /** Removes a flow after its observers have booked it. */
  remove(row: number): void {
    for (const observer of this.#observers) observer.flowRemoved(row);
    this.#drop(row);
  }

  #drop(row: number): void {
    const base = row * INTS;
    if (!this.isRetired(row)) this.#index.remove(this.#ints[base + HASH] as number, row);
    this.#ints[base + STATE] = FREE;
    this.#ints[base + HASH] = this.#free;
    this.#free = row;
    this.count--;
  }

  /** At a datagram's first fragment: takes over fragments that arrived before it and were counted in a flow without ports. Drops that flow if it is empty. */
  #adopt(row: number, packet: Packet, sent: boolean): void {
    const from = this.#orphans.adopt(this.#ints, this.#counters, row, packet, sent, this.#tick);
    if (from < 0) return;
    const at = from * COUNTERS;
    if (this.#counters[at + RX_PACKETS] !== 0 || this.#counters[at + TX_PACKETS] !== 0) return;
    this.#drop(from);
    this.voided++;
  }

  #create(packet: Packet, protocolInterface: number, hash: number, direction: number): number {
    const row = this.#takeRow();
    const placement = this.#localizer.place(packet, direction);
    beginFlow(this.#ints, this.#counters, row, packet, placement, protocolInterface, hash, ++this.created);
    if (packet.protocol === SCTP && packet.tcpFlags === SYN) noteOpening(this.#ints, row * INTS, packet, placement.sourceIsLocal);
    this.#index.insert(hash, row);
    this.count++;
    this.#listNew(row);
    this.#index.sent = placement.sourceIsLocal;
    return row;
  }

  #sample(row: number): void {
    const base = row * INTS;
    const at = this.rttCount++ & (SAMPLES - 1);
    this.rttRows[at] = row;
    this.rttSerials[at] = this.#counters[row * COUNTERS + SERIAL] as number;
    this.rtts[at] = this.#ints[base + TIMED_AT] as number;
    this.#ints[base + SEEN] = (this.#ints[base + SEEN] as number) & ~SEEN_BIT.SAMPLED;
  }

  #listNew(row: number): void {
    const at = row * INTS + FRESH;
    if (this.#ints[at] !== 0) return;
    this.#ints[at] = 1;
    this.newRows[this.newCount++] = row;
  }

  #takeRow(): number {
    if (this.#free === NO_ROW) {
      if (this.rows < this.capacity) return this.rows++;
      if (this.rows < this.#maxRows) {
        this.#grow();
        return this.rows++;
      }
      this.#evict();
    }
    const row = this.#free;
    this.#free = this.#ints[row * INTS + HASH] as number;
    return row;
  }

  /** Evicts several rows at once: prefetches them together, then books and removes them. */
  #evict(): void {
    const idle = this.#idle;
    const count = idle.choose(this.#ints, this.#counters, this.#maxRows);
    this.warmed = this.#index.warmRows(idle.rows, count);
    for (let i = 0; i < count; i++) this.remove(idle.rows[i] as number);
    this.evicted += count;
  }

  #grow(): void {
    const rows = this.capacity < LAST_COPY_ROWS ? this.capacity * 2 : this.#maxRows;
    this.#arena = arenaOf(rows * ROW_BYTES, this.#arena);
    this.#ints = this.#arena.ints;
    this.#counters = this.#arena.doubles;
    this.touched = widened(this.touched, rows);
    this.newRows = widened(this.newRows, rows);
    this.#index.setArena(this.#ints);
  }
}

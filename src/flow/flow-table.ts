// The flow table: open addressing over typed arrays. Touching a flow allocates nothing; rows are numbers, read through the arenas.

import type { Packet } from '../decode/packet.ts';
import { sameAddress } from '../net/address.ts';
import { PROTOCOL, TCP_FLAG } from '../net/numbers.ts';
import { FLOW_DIRECTION, type Localizer } from './direction.ts';
import { hashFlow } from './hash.ts';
import * as L from './layout.ts';
import { followTcp, reopens } from './tcp.ts';

/** Idle time after which a flow is over, ms. TCP: RFC 5382 section 5 would keep 2 h; a monitor's row is over sooner. */
export const IDLE_MS = {
  tcp: 15 * 60_000,
  tcpOpening: 30_000,
  udp: 2 * 60_000,
  udpAnsweredOnce: 30_000,
  other: 60_000,
  closed: 15_000,
} as const;

/** Told just before a row is given up, so that its last counters can be booked. */
export interface FlowObserver {
  flowRemoved(row: number): void;
}

/** Column value of PROCESS and PEER_PROCESS before an owner is known. */
export const NO_OWNER = -1;

const EMPTY = -1;
const EVICTION_TRIES = 32;

/**
 * All flows of a run, at most `maxRows`; beyond that the least recently seen of a few is evicted, after its observer booked it.
 *
 * Index: open addressing, `slots` holds pairs [hash, row]; at most half full, removal shifts back, so no tombstones. Rows lie in the
 * arenas of layout.ts and grow by doubling. A row number is valid until the flow is removed; SERIAL tells its users apart.
 */
export class FlowTable {
  ints: Int32Array;
  counters: Float64Array;
  tcp: Int32Array;
  /** Rows touched since `beginTick`, each once; one that was removed since is not live, or is another flow by now. */
  touched: Int32Array;
  touchedCount = 0;
  /** Rows in which flows were created since the last `clearFresh`, each once; a row may be free or another flow by now. */
  fresh: Int32Array;
  freshCount = 0;
  count = 0;
  evicted = 0;
  /** Flows ever created. */
  created = 0;
  observer: FlowObserver | null = null;
  /** Rows given out so far: live rows are below it, free ones have state -1 in STATE. */
  rows = 0;

  readonly #maxRows: number;
  readonly #localizer: Localizer;
  readonly #seed: number;
  #slots: Int32Array;
  #mask: number;
  #isFresh: Uint8Array;
  #free: Int32Array;
  #freeCount = 0;
  #tick = 1;
  #hand = 0;

  /**
   * @param maxRows a power of two
   * @param seed of the hash; random in production, fixed in tests
   */
  constructor(localizer: Localizer, maxRows: number, seed: number) {
    this.#localizer = localizer;
    this.#maxRows = maxRows;
    this.#seed = seed | 0;
    const rows = Math.min(maxRows, 1024);
    this.ints = new Int32Array(rows * L.INTS);
    this.counters = new Float64Array(rows * L.COUNTERS);
    this.tcp = new Int32Array(rows * L.TCP_WORDS);
    this.touched = new Int32Array(rows);
    this.fresh = new Int32Array(rows);
    this.#isFresh = new Uint8Array(rows);
    this.#free = new Int32Array(rows);
    this.#slots = new Int32Array(rows * 4).fill(EMPTY);
    this.#mask = rows * 2 - 1;
  }

  /** Rows there is room for without growing. */
  get capacity(): number {
    return this.touched.length;
  }

  /** Starts a tick: from now on `touched` lists what moved since. */
  beginTick(): void {
    this.#tick = (this.#tick + 1) | 0;
    this.touchedCount = 0;
  }

  clearFresh(): void {
    for (let i = 0; i < this.freshCount; i++) this.#isFresh[this.fresh[i] as number] = 0;
    this.freshCount = 0;
  }

  /**
   * Counts one packet into its flow, which is created where it is new.
   *
   * @param time epoch ms
   * @param iface index of the interface, below 65536
   * @param direction DIRECTION as the capture told it
   * @returns the flow's row
   */
  touch(packet: Packet, time: number, iface: number, direction: number): number {
    const protocolInterface = (iface << 16) | packet.protocol;
    const hash = hashFlow(packet.words, packet.sourcePort, packet.destinationPort, protocolInterface, this.#seed);
    let row = this.#find(packet, protocolInterface, hash);
    let sent = this.#foundSent;
    if (row >= 0 && packet.protocol === PROTOCOL.TCP && (packet.tcpFlags & (TCP_FLAG.SYN | TCP_FLAG.ACK)) === TCP_FLAG.SYN) {
      if (reopens(this.tcp, row * L.TCP_WORDS, packet, sent, (this.ints[row * L.INTS + L.STATE] as number) >>> 24)) {
        this.remove(row);
        row = -1;
      }
    }
    if (row < 0) {
      row = this.#create(packet, protocolInterface, hash, time, direction);
      sent = this.#foundSent;
    }
    const ints = this.ints;
    const base = row * L.INTS;
    if (ints[base + L.TOUCHED] !== this.#tick) {
      ints[base + L.TOUCHED] = this.#tick;
      this.touched[this.touchedCount++] = row;
    }
    const counters = this.counters;
    const at = row * L.COUNTERS;
    if (sent) {
      counters[at + L.TX_BYTES] = (counters[at + L.TX_BYTES] as number) + packet.networkBytes;
      counters[at + L.TX_PACKETS] = (counters[at + L.TX_PACKETS] as number) + 1;
    } else {
      counters[at + L.RX_BYTES] = (counters[at + L.RX_BYTES] as number) + packet.networkBytes;
      counters[at + L.RX_PACKETS] = (counters[at + L.RX_PACKETS] as number) + 1;
    }
    counters[at + L.FRAME_BYTES] = (counters[at + L.FRAME_BYTES] as number) + packet.frameBytes;
    counters[at + L.LAST_SEEN] = time;
    const word = ints[base + L.STATE] as number;
    const state = word >>> 24;
    let next: number = state;
    if (packet.protocol === PROTOCOL.TCP) {
      if (packet.transportOffset >= 0 && !packet.laterFragment) {
        next = followTcp(this.tcp, row * L.TCP_WORDS, packet, sent, (time * 1000) | 0, state);
      }
    } else if (state === L.FLOW_STATE.NEW && counters[at + L.RX_PACKETS] !== 0 && counters[at + L.TX_PACKETS] !== 0)
      next = L.FLOW_STATE.ESTABLISHED;
    if (next !== state) ints[base + L.STATE] = (word & 0xffffff) | (next << 24);
    return row;
  }

  /** Row of the flow that `packet` belongs to, or -1; counts nothing. */
  lookup(packet: Packet, iface: number): number {
    const protocolInterface = (iface << 16) | packet.protocol;
    return this.#find(
      packet,
      protocolInterface,
      hashFlow(packet.words, packet.sourcePort, packet.destinationPort, protocolInterface, this.#seed),
    );
  }

  /** True when the packet of the last `touch` or `lookup` was sent by the flow's local end. */
  get lastSent(): boolean {
    return this.#foundSent;
  }

  isLive(row: number): boolean {
    return row >= 0 && row < this.rows && this.ints[row * L.INTS + L.STATE] !== -1;
  }

  /** Marks a row as changed in this tick, for what was learnt about it without a packet. */
  mark(row: number): void {
    const base = row * L.INTS;
    if (this.ints[base + L.TOUCHED] === this.#tick) return;
    this.ints[base + L.TOUCHED] = this.#tick;
    this.touched[this.touchedCount++] = row;
  }

  /** Sets the owner of a flow's local end. @param attribution, reason indexes into ATTRIBUTIONS and OWNER_REASONS (net/model) */
  setOwner(row: number, process: number, attribution: number, reason: number): void {
    const base = row * L.INTS;
    this.ints[base + L.PROCESS] = process;
    this.ints[base + L.OWNERSHIP] = (attribution << 16) | reason;
    this.mark(row);
  }

  /** Sets the owner of the far end of a local flow. */
  setPeer(row: number, process: number): void {
    this.ints[row * L.INTS + L.PEER_PROCESS] = process;
    this.mark(row);
  }

  /** Removes flows that were idle for their protocol's time. @param now epoch ms */
  expire(now: number): void {
    for (let row = 0; row < this.rows; row++) {
      const word = this.ints[row * L.INTS + L.STATE] as number;
      if (word === -1) continue;
      if (now - (this.counters[row * L.COUNTERS + L.LAST_SEEN] as number) > this.#idleLimit(row, word >>> 24)) this.remove(row);
    }
  }

  /** Removes a flow after its observer has booked it. */
  remove(row: number): void {
    this.observer?.flowRemoved(row);
    const hash = this.ints[row * L.INTS + L.HASH] as number;
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash & mask;
    while (slots[2 * slot + 1] !== row) slot = (slot + 1) & mask;
    // Backward shift (Knuth 6.4, algorithm R): whatever would no longer be found moves into the hole.
    for (let next = (slot + 1) & mask; slots[2 * next + 1] !== EMPTY; next = (next + 1) & mask) {
      const home = (slots[2 * next] as number) & mask;
      if (((next - home) & mask) >= ((next - slot) & mask)) {
        slots[2 * slot] = slots[2 * next] as number;
        slots[2 * slot + 1] = slots[2 * next + 1] as number;
        slot = next;
      }
    }
    slots[2 * slot + 1] = EMPTY;
    this.ints[row * L.INTS + L.STATE] = -1;
    this.#free[this.#freeCount++] = row;
    this.count--;
  }

  #foundSent = true;

  #find(packet: Packet, protocolInterface: number, hash: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const ints = this.ints;
    const words = packet.words;
    const asSent = (packet.sourcePort << 16) | packet.destinationPort;
    const asReceived = (packet.destinationPort << 16) | packet.sourcePort;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = slots[2 * slot + 1] as number;
      if (row === EMPTY) return -1;
      if (slots[2 * slot] !== hash) continue;
      const base = row * L.INTS;
      if (ints[base + L.PROTOCOL_INTERFACE] !== protocolInterface) continue;
      const ports = ints[base + L.PORTS];
      if (ports === asSent && sameAddress(ints, base + L.LOCAL, words, 0) && sameAddress(ints, base + L.REMOTE, words, 4)) {
        this.#foundSent = true;
        return row;
      }
      if (ports === asReceived && sameAddress(ints, base + L.LOCAL, words, 4) && sameAddress(ints, base + L.REMOTE, words, 0)) {
        this.#foundSent = false;
        return row;
      }
    }
  }

  #create(packet: Packet, protocolInterface: number, hash: number, time: number, direction: number): number {
    const row = this.#takeRow();
    const placement = this.#localizer.place(packet, direction);
    const ints = this.ints;
    const base = row * L.INTS;
    const words = packet.words;
    const local = placement.sourceIsLocal ? 0 : 4;
    for (let i = 0; i < 4; i++) {
      ints[base + L.LOCAL + i] = words[local + i] as number;
      ints[base + L.REMOTE + i] = words[4 - local + i] as number;
    }
    ints[base + L.PORTS] = placement.sourceIsLocal
      ? (packet.sourcePort << 16) | packet.destinationPort
      : (packet.destinationPort << 16) | packet.sourcePort;
    ints[base + L.PROTOCOL_INTERFACE] = protocolInterface;
    ints[base + L.HASH] = hash;
    ints[base + L.STATE] = (placement.direction << 16) | (packet.tunnel << 8);
    ints[base + L.PROCESS] = NO_OWNER;
    ints[base + L.PEER_PROCESS] = NO_OWNER;
    ints[base + L.OWNERSHIP] = 4 << 16; // attribution none, reason 0: not looked up yet
    this.tcp.fill(0, row * L.TCP_WORDS, (row + 1) * L.TCP_WORDS);
    const at = row * L.COUNTERS;
    this.counters.fill(0, at, at + L.COUNTERS);
    this.counters[at + L.FIRST_SEEN] = time;
    this.counters[at + L.SERIAL] = ++this.created;
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash & mask;
    while (slots[2 * slot + 1] !== EMPTY) slot = (slot + 1) & mask;
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = row;
    this.count++;
    if (this.#isFresh[row] === 0) {
      this.#isFresh[row] = 1;
      this.fresh[this.freshCount++] = row;
    }
    this.#foundSent = placement.sourceIsLocal;
    return row;
  }

  #takeRow(): number {
    if (this.#freeCount > 0) return this.#free[--this.#freeCount] as number;
    if (this.rows === this.capacity) {
      if (this.rows < this.#maxRows) this.#grow();
      else {
        this.#evictOne();
        return this.#free[--this.#freeCount] as number;
      }
    }
    return this.rows++;
  }

  /** Evicts the least recently seen of the next rows under a hand that goes round: cheap, and close to least recently used. */
  #evictOne(): void {
    let victim = this.#hand;
    let oldest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < EVICTION_TRIES; i++) {
      const row = (this.#hand + i) & (this.#maxRows - 1);
      const word = this.ints[row * L.INTS + L.STATE] as number;
      if (word === -1) continue;
      const closed = word >>> 24 >= L.FLOW_STATE.CLOSED ? IDLE_MS.tcp : 0;
      const seen = (this.counters[row * L.COUNTERS + L.LAST_SEEN] as number) - closed;
      if (seen < oldest) {
        oldest = seen;
        victim = row;
      }
    }
    this.#hand = (this.#hand + EVICTION_TRIES) & (this.#maxRows - 1);
    this.evicted++;
    this.remove(victim);
  }

  #idleLimit(row: number, state: number): number {
    const protocol = (this.ints[row * L.INTS + L.PROTOCOL_INTERFACE] as number) & 0xffff;
    if (state >= L.FLOW_STATE.CLOSED) return IDLE_MS.closed;
    if (protocol === PROTOCOL.TCP)
      return state === L.FLOW_STATE.SYN_SENT || state === L.FLOW_STATE.SYN_RECEIVED ? IDLE_MS.tcpOpening : IDLE_MS.tcp;
    if (protocol !== PROTOCOL.UDP && protocol !== PROTOCOL.UDPLITE) return IDLE_MS.other;
    const at = row * L.COUNTERS;
    const packets = (this.counters[at + L.RX_PACKETS] as number) + (this.counters[at + L.TX_PACKETS] as number);
    return packets <= 2 ? IDLE_MS.udpAnsweredOnce : IDLE_MS.udp;
  }

  #grow(): void {
    const rows = this.capacity * 2;
    this.ints = widen(this.ints, rows * L.INTS);
    this.tcp = widen(this.tcp, rows * L.TCP_WORDS);
    this.touched = widen(this.touched, rows);
    this.fresh = widen(this.fresh, rows);
    this.#free = widen(this.#free, rows);
    const isFresh = new Uint8Array(rows);
    isFresh.set(this.#isFresh);
    this.#isFresh = isFresh;
    const counters = new Float64Array(rows * L.COUNTERS);
    counters.set(this.counters);
    this.counters = counters;
    const old = this.#slots;
    const slots = new Int32Array(rows * 4).fill(EMPTY);
    const mask = rows * 2 - 1;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === EMPTY) continue;
      let slot = (old[i] as number) & mask;
      while (slots[2 * slot + 1] !== EMPTY) slot = (slot + 1) & mask;
      slots[2 * slot] = old[i] as number;
      slots[2 * slot + 1] = old[i + 1] as number;
    }
    this.#slots = slots;
    this.#mask = mask;
  }
}

function widen(array: Int32Array, length: number): Int32Array {
  const wide = new Int32Array(length);
  wide.set(array);
  return wide;
}

/** FLOW_DIRECTION of a row. */
export function directionOf(table: FlowTable, row: number): number {
  return ((table.ints[row * L.INTS + L.STATE] as number) >>> 16) & 0xff;
}

/** True for a flow between two ends of this machine. */
export function isLocalFlow(table: FlowTable, row: number): boolean {
  return directionOf(table, row) === FLOW_DIRECTION.LOCAL;
}

// The flow table: open addressing over typed arrays. Touching a flow allocates nothing; rows are numbers, read through the arenas.

import type { Packet } from '../decode/packet.ts';
import { widened } from '../net/arrays.ts';
import { PROTOCOL, TCP_FLAG } from '../net/numbers.ts';
import { FLOW_DIRECTION, type Localizer } from './direction.ts';
import { FlowIndex } from './flow-index.ts';
import { hashFlow } from './hash.ts';
import { IDLE_MS, idleLimit } from './idle.ts';
import * as L from './layout.ts';
import { followTcp, reopens } from './tcp.ts';

/** Told just before a row is given up, so that its last counters can be booked. */
export interface FlowObserver {
  flowRemoved(row: number): void;
}

/** Column value of PROCESS and PEER_PROCESS before an owner is known. */
export const NO_OWNER = -1;
/** Rows that an eviction looks at. 32 took a quarter of the time of a scan, and spared busy flows hardly better (98 lost of 75,000, here 126). */
const EVICTION_TRIES = 8;

/**
 * All flows of a run, at most `maxRows`; beyond that the least recently seen of a few is evicted, after its observer booked it.
 *
 * Rows lie in the
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
  readonly #index: FlowIndex;
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
    this.#index = new FlowIndex(rows, this.ints);
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
   * @param packet with its time set
   * @param iface index of the interface, below 65536
   * @param direction DIRECTION as the capture told it
   * @returns the flow's row
   */
  touch(packet: Packet, iface: number, direction: number): number {
    const protocolInterface = (iface << 16) | packet.protocol;
    const hash = hashFlow(packet.words, packet.sourcePort, packet.destinationPort, protocolInterface, this.#seed);
    let row = this.#index.find(packet.words, packet.sourcePort, packet.destinationPort, protocolInterface, hash);
    let sent = this.#index.sent;
    if (row >= 0 && packet.protocol === PROTOCOL.TCP && (packet.tcpFlags & (TCP_FLAG.SYN | TCP_FLAG.ACK)) === TCP_FLAG.SYN) {
      if (reopens(this.tcp, row * L.TCP_WORDS, packet, sent, (this.ints[row * L.INTS + L.STATE] as number) >>> 24)) {
        this.remove(row);
        row = -1;
      }
    }
    if (row < 0) {
      row = this.#create(packet, protocolInterface, hash, direction);
      sent = this.#index.sent;
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
    counters[at + L.LAST_SEEN] = packet.time;
    const word = ints[base + L.STATE] as number;
    const state = word >>> 24;
    let next: number = state;
    if (packet.protocol === PROTOCOL.TCP) {
      if (packet.transportOffset >= 0 && !packet.laterFragment) {
        next = followTcp(this.tcp, row * L.TCP_WORDS, packet, sent, (packet.time * 1000) | 0, state);
      }
    } else if (state === L.FLOW_STATE.NEW && counters[at + L.RX_PACKETS] !== 0 && counters[at + L.TX_PACKETS] !== 0)
      next = L.FLOW_STATE.ESTABLISHED;
    if (next !== state) ints[base + L.STATE] = (word & 0xffffff) | (next << 24);
    return row;
  }

  /** Row of the flow between the two ends in `words` (two addresses, 8 words), or -1; counts nothing. */
  lookup(words: Int32Array, sourcePort: number, destinationPort: number, protocol: number, iface: number): number {
    const protocolInterface = (iface << 16) | protocol;
    return this.#index.find(
      words,
      sourcePort,
      destinationPort,
      protocolInterface,
      hashFlow(words, sourcePort, destinationPort, protocolInterface, this.#seed),
    );
  }

  /** True when the packet of the last `touch` was sent, or the first end of the last `lookup` is, the flow's local end. */
  get lastSent(): boolean {
    return this.#index.sent;
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
      if (now - (this.counters[row * L.COUNTERS + L.LAST_SEEN] as number) > idleLimit(this.ints, this.counters, row))
        this.remove(row);
    }
  }

  /** Removes a flow after its observer has booked it. */
  remove(row: number): void {
    this.observer?.flowRemoved(row);
    const hash = this.ints[row * L.INTS + L.HASH] as number;
    this.#index.remove(hash, row);
    this.ints[row * L.INTS + L.STATE] = -1;
    this.#free[this.#freeCount++] = row;
    this.count--;
  }

  #create(packet: Packet, protocolInterface: number, hash: number, direction: number): number {
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
    this.counters[at + L.FIRST_SEEN] = packet.time;
    this.counters[at + L.SERIAL] = ++this.created;
    this.#index.insert(hash, row);
    this.count++;
    if (this.#isFresh[row] === 0) {
      this.#isFresh[row] = 1;
      this.fresh[this.freshCount++] = row;
    }
    this.#index.sent = placement.sourceIsLocal;
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

  #grow(): void {
    const rows = this.capacity * 2;
    this.ints = widened(this.ints, rows * L.INTS);
    this.tcp = widened(this.tcp, rows * L.TCP_WORDS);
    this.touched = widened(this.touched, rows);
    this.fresh = widened(this.fresh, rows);
    this.#free = widened(this.#free, rows);
    const isFresh = new Uint8Array(rows);
    isFresh.set(this.#isFresh);
    this.#isFresh = isFresh;
    const old = this.counters;
    this.counters = new Float64Array(rows * L.COUNTERS);
    this.counters.set(old);
    this.#index.grow(rows, this.ints);
  }
}

/** FLOW_DIRECTION of a row. */
export function directionOf(table: FlowTable, row: number): number {
  return ((table.ints[row * L.INTS + L.STATE] as number) >>> 16) & 0xff;
}

/** True for a flow between two ends of this machine. */
export function isLocalFlow(table: FlowTable, row: number): boolean {
  return directionOf(table, row) === FLOW_DIRECTION.LOCAL;
}

// Collects for history what flows moved, each byte once: it remembers how much of each flow history already has. Its sums are those of the
// run's total. It writes no file, and looks only at flows that moved.

import type { FlowTable } from '../flow/flow-table.ts';
import type { HistoryBatch, HistoryEntry, LoggedFlow } from '../model/history-batch.ts';
import type { FlowRow } from '../model/snapshot.ts';
import type { Process } from '../model/terms.ts';
import { widened } from '../net/bytes.ts';
import { type Booking, CARRIED } from './booking.ts';
import type { EntryFacts } from './history-keys.ts';

const MINUTE_MS = 60_000;
/** What moved just before a collection belongs to the minute that had most of that time. */
const LAG_MS = 1000;
/** Open flows that the log takes at the end of a run. */
const MAX_OPEN = 2000;

/** `collected`, 8 doubles a row: RX, TX, RX packets, TX packets since the flow began; the same four of this minute. */
const COLLECTED = 8;
/** `sums`, 5 doubles a key: RX, TX, RX packets, TX packets, flows since the last collection. */
const SUMS = 5;
/** Bits of `#marks`. */
const MARK = { COUNTED: 1, COUNTED_NOW: 2, AWAITING: 4 } as const;

/** Numbers what a collector tells apart. */
export interface CollectorKeys {
  /** Number of the key of a flow, which must be booked. */
  of(row: number): number;
  facts(key: number): EntryFacts;
  /** Begins a minute: numbers start at 0 again. */
  clear(): void;
}

/** Sums up between two collections, which come every few seconds. The aggregator tells it of ticks and of flows that leave. */
export class HistoryCollector {
  readonly #flows: FlowTable;
  readonly #booking: Booking;
  readonly #keys: CollectorKeys;
  readonly #log: FlowLog | null;
  readonly #awaiting: FlowsAwaitingOwner;
  #collected = new Float64Array(0);
  readonly #went = new Float64Array(4);
  /** Key under which a flow's bytes of this minute were collected, and the serial number of that minute. */
  #keyOf = new Int32Array(0);
  #minuteOf = new Int32Array(0);
  #marks = new Uint8Array(0);
  /** What flows had moved when recording began in the middle of their lives: RX, TX, RX packets, TX packets by row. The log leaves it out. */
  readonly #before = new Map<number, Float64Array>();
  #sums = new Float64Array(256 * SUMS);
  #moved = new Int32Array(256);
  #isMoved = new Uint8Array(256);
  #movedCount = 0;
  /** Bytes inside tunnels, to be taken off what carries them. */
  #tunnelledRx = 0;
  #tunnelledTx = 0;
  #minute = Number.NaN;
  #minuteSerial = 1;

  /** @param log takes flows that are over; null if nobody asks for them */
  constructor(flows: FlowTable, booking: Booking, keys: CollectorKeys, log: FlowLog | null) {
    this.#flows = flows;
    this.#booking = booking;
    this.#keys = keys;
    this.#log = log;
    this.#awaiting = new FlowsAwaitingOwner(flows);
  }

  /** Begins here: what flows moved up to now is left out. */
  begin(): void {
    this.#booking.bookTouched();
    this.#reserve();
    this.#before.clear();
    for (let row = 0; row < this.#flows.rows; row++) {
      if (!this.#flows.isLive(row)) continue;
      this.#skip(row);
      const before = new Float64Array(4);
      this.#flows.readTraffic(row, before);
      this.#before.set(row, before);
      this.#marks[row] = MARK.COUNTED;
      this.#minuteOf[row] = 0;
    }
    this.#clearSums();
    this.#log?.clear();
    this.#awaiting.clear();
    this.#tunnelledRx = 0;
    this.#tunnelledTx = 0;
  }

  /** Takes what moved in the tick that is about to end, once it is booked. Every tick, to keep collections short. */
  note(): void {
    this.#reserve();
    const { touched, touchedCount } = this.#flows;
    for (let i = 0; i < touchedCount; i++) {
      const row = touched[i] as number;
      if (this.#flows.isLive(row) && !(this.#booking.counts(row) && this.#awaitsOwner(row))) this.#take(row);
    }
  }

  /** Takes what moved up to now, to keep the collection that follows in the next turn short. @param time epoch ms */
  gather(time: number): void {
    if (minuteOf(time) !== this.#minute) return; // `collect` ends the minute first
    this.#booking.bookKnown();
    this.note();
  }

  /**
   * What moved since the last collection, under its minute: one batch, or two around the turn of a minute.
   *
   * @param time epoch ms
   * @param isLast also takes flows that still await an owner
   */
  collect(time: number, isLast = false): HistoryBatch[] {
    const minute = minuteOf(time);
    const batches: HistoryBatch[] = [];
    if (Number.isNaN(this.#minute)) this.#minute = minute;
    if (minute !== this.#minute) {
      this.#push(batches, this.#minute, time);
      this.#turn(minute);
    }
    this.#booking.bookKnown();
    this.note();
    this.#awaiting.release((row) => this.#take(row), isLast);
    this.#push(batches, minute, time);
    const next = Math.floor(time / MINUTE_MS);
    if (next !== minute) this.#turn(next);
    return batches;
  }

  /** The last collection of a run: the log also takes flows that are still open. */
  finish(time: number): HistoryBatch[] {
    const batches = this.collect(time, true);
    let left = MAX_OPEN;
    for (let row = 0; row < this.#flows.rows && left > 0; row++) {
      if (this.#flows.isLive(row) && this.#logs(row)) left--;
    }
    this.#push(batches, Math.floor(time / MINUTE_MS), time);
    return batches;
  }

  /** True for a flow of which nothing was collected yet, and whose owner may be known in a moment. */
  #awaitsOwner(row: number): boolean {
    const marks = this.#marks[row] as number;
    if ((marks & MARK.COUNTED) !== 0 || !this.#awaiting.awaitsOwner(row)) return false;
    if ((marks & MARK.AWAITING) === 0) this.#awaiting.add(row);
    this.#marks[row] = marks | MARK.AWAITING;
    return true;
  }

  /** Collects a flow for the last time; the log takes it. */
  flowLeaves(row: number): void {
    this.#reserve();
    this.#take(row);
    this.#logs(row);
    this.#before.delete(row);
    this.#collected.fill(0, row * COLLECTED, row * COLLECTED + COLLECTED);
    this.#minuteOf[row] = 0;
    this.#marks[row] = 0;
  }

  /** Gives a flow to the log, unless it has moved nothing since recording began. @returns whether it did */
  #logs(row: number): boolean {
    if (this.#log === null || this.#booking.appOf(row) < 0) return false;
    const before = this.#before.get(row) ?? null;
    if (before !== null) {
      this.#flows.readTraffic(row, this.#went);
      if (before.every((value, i) => value === this.#went[i])) return false;
    }
    this.#log.add(row, before);
    return true;
  }

  /** What a flow moved up to now stays with the owner it has now. */
  ownerLeaves(row: number): void {
    this.#reserve();
    this.#take(row);
    this.#minuteOf[row] = 0;
  }

  /** Leaves out what a flow moved so far. */
  #skip(row: number): void {
    this.#booking.went(row, this.#went);
    this.#collected.set(this.#went, row * COLLECTED);
  }

  /** Adds what a flow moved since it was last taken. If this minute's bytes went under another key, moves them. */
  #take(row: number): void {
    if (!this.#booking.counts(row)) {
      if (!this.#booking.mayCount(row)) this.#skip(row);
      return;
    }
    const key = this.#keys.of(row);
    const collected = this.#collected;
    const at = row * COLLECTED;
    const was = this.#keyOf[row] as number;
    if (this.#minuteOf[row] !== this.#minuteSerial) {
      this.#minuteOf[row] = this.#minuteSerial;
      this.#marks[row] = (this.#marks[row] as number) & ~MARK.COUNTED_NOW;
      collected.fill(0, at + 4, at + 8);
    } else if (was !== key) {
      const flows = ((this.#marks[row] as number) & MARK.COUNTED_NOW) === 0 ? 0 : 1;
      for (let i = 0; i < 4; i++) {
        this.#add(was, i, -(collected[at + 4 + i] as number));
        this.#add(key, i, collected[at + 4 + i] as number);
      }
      this.#add(was, 4, -flows);
      this.#add(key, 4, flows);
    }
    this.#keyOf[row] = key;
    const isTunnelled = this.#booking.isTunnelled(row);
    this.#booking.went(row, this.#went);
    for (let i = 0; i < 4; i++) {
      const total = this.#went[i] as number;
      const delta = total - (collected[at + i] as number);
      collected[at + i] = total;
      collected[at + 4 + i] = (collected[at + 4 + i] as number) + delta;
      this.#add(key, i, delta);
      if (!isTunnelled) continue;
      if (i === 0) this.#tunnelledRx += delta;
      else if (i === 1) this.#tunnelledTx += delta;
    }
    if (((this.#marks[row] as number) & MARK.COUNTED) !== 0) return;
    this.#marks[row] = (this.#marks[row] as number) | MARK.COUNTED | MARK.COUNTED_NOW;
    this.#add(key, 4, 1);
  }

  #add(key: number, column: number, value: number): void {
    if (key >= this.#isMoved.length) this.#widenSums(key);
    if (this.#isMoved[key] === 0) {
      this.#isMoved[key] = 1;
      this.#moved[this.#movedCount++] = key;
    }
    const at = key * SUMS + column;
    this.#sums[at] = (this.#sums[at] as number) + value;
  }

  #push(batches: HistoryBatch[], minute: number, time: number): void {
    const entries: HistoryEntry[] = [];
    for (let i = 0; i < this.#movedCount; i++) {
      const entry = this.#entry(this.#moved[i] as number);
      if (entry !== null) entries.push(entry);
    }
    this.#clearSums();
    const { flows, unlogged } = this.#log?.take(time) ?? NOTHING_LOGGED;
    if (entries.length > 0 || flows.length > 0 || unlogged > 0) batches.push({ minute, entries, flows, unlogged });
  }

  #entry(key: number): HistoryEntry | null {
    const sums = this.#sums;
    const at = key * SUMS;
    let rxBytes = sums[at] as number;
    let txBytes = sums[at + 1] as number;
    const rxPackets = sums[at + 2] as number;
    const txPackets = sums[at + 3] as number;
    const flows = sums[at + 4] as number;
    if (rxBytes === 0 && txBytes === 0 && rxPackets === 0 && txPackets === 0 && flows === 0) return null;
    const { app, reason, exe, host, domain, category, interface: name, protocol, direction, container } = this.#keys.facts(key);
    if (app === null && reason === CARRIED) {
      // Apps inside tunnels have what travelled in them: the carrier has the rest. The two are captured a moment apart, so some may remain.
      const lessRx = Math.max(0, Math.min(rxBytes, this.#tunnelledRx));
      const lessTx = Math.max(0, Math.min(txBytes, this.#tunnelledTx));
      this.#tunnelledRx -= lessRx;
      this.#tunnelledTx -= lessTx;
      rxBytes -= lessRx;
      txBytes -= lessTx;
    }
    // Field by field: with a spread, thousands of entries took ten times as long.
    return {
      app,
      reason,
      exe,
      host,
      domain,
      category,
      interface: name,
      protocol,
      direction,
      container,
      rxBytes,
      txBytes,
      rxPackets,
      txPackets,
      flows,
    };
  }

  #clearSums(): void {
    for (let i = 0; i < this.#movedCount; i++) {
      const key = this.#moved[i] as number;
      this.#isMoved[key] = 0;
      this.#sums.fill(0, key * SUMS, key * SUMS + SUMS);
    }
    this.#movedCount = 0;
  }

  #turn(minute: number): void {
    this.#minute = minute;
    this.#minuteSerial = (this.#minuteSerial + 1) | 0;
    this.#keys.clear();
  }

  #widenSums(key: number): void {
    const length = Math.max(key + 1, this.#isMoved.length * 2);
    this.#sums = widened(this.#sums, length * SUMS);
    this.#moved = widened(this.#moved, length);
    this.#isMoved = widened(this.#isMoved, length);
  }

  #reserve(): void {
    const rows = this.#flows.capacity;
    if (this.#marks.length >= rows) return;
    this.#collected = widened(this.#collected, rows * COLLECTED);
    this.#marks = widened(this.#marks, rows);
    this.#keyOf = widened(this.#keyOf, rows);
    this.#minuteOf = widened(this.#minuteOf, rows);
  }
}

/** The minute that a collection at this time belongs to. */
function minuteOf(time: number): number {
  return Math.floor((time - LAG_MS) / MINUTE_MS);
}

/** Collections that a flow may wait for its owner: some ten seconds. */
const MAX_COLLECTIONS = 4;

interface Awaiting {
  readonly row: number;
  readonly serial: number;
  /** Collections until it is taken in any case. */
  left: number;
}

/**
 * Flows that wait until their owner is known: otherwise short ones would stay in history as "not looked up yet". One that waits too long
 * is taken as it is.
 */
class FlowsAwaitingOwner {
  readonly #flows: FlowTable;
  #waiting: Awaiting[] = [];

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  /** True while a flow's owner is being looked up. */
  awaitsOwner(row: number): boolean {
    return this.#flows.awaitsOwner(row);
  }

  /** Lets a flow wait. Call it once for each. */
  add(row: number): void {
    this.#waiting.push({ row, serial: this.#flows.serial(row), left: MAX_COLLECTIONS });
  }

  /** Hands to `take` the flows whose owner is known or that waited long enough; all of them if `isLast`. One that has left was taken then. */
  release(take: (row: number) => void, isLast: boolean): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) {
      if (!this.#flows.holds(each.row, each.serial)) continue;
      if (!isLast && this.awaitsOwner(each.row) && --each.left > 0) this.#waiting.push(each);
      else take(each.row);
    }
  }

  clear(): void {
    this.#waiting = [];
  }
}

/** Flows that the log takes a second; each costs text. */
const PER_SECOND = 200;
const MAX_WAITING = 1000;

/** What the log says of a flow's process. */
type Owner = Pick<Process, 'exe' | 'user' | 'container'>;

/** The log of flows that closed, for history. Beyond its rate it only counts them. */
export class FlowLog {
  readonly #rowOf: (row: number) => FlowRow;
  readonly #ownerOf: (row: number) => Owner | undefined;
  #flows: LoggedFlow[] = [];
  #unlogged = 0;
  #room = PER_SECOND;
  #filledAt = Number.NaN;

  /** @param rowOf, ownerOf of a row of the flow table */
  constructor(rowOf: (row: number) => FlowRow, ownerOf: (row: number) => Owner | undefined) {
    this.#rowOf = rowOf;
    this.#ownerOf = ownerOf;
  }

  /** Forgets what was gathered. */
  clear(): void {
    this.#flows = [];
    this.#unlogged = 0;
  }

  /** A flow that is over. @param before what it moved that the log leaves out: RX, TX, RX packets, TX packets; null for nothing */
  add(row: number, before: Float64Array | null): void {
    if (this.#room < 1) {
      this.#unlogged++;
      return;
    }
    this.#room--;
    this.#flows.push(loggedFlow(this.#rowOf(row), this.#ownerOf(row), before ?? NOTHING));
  }

  /** Takes out what was gathered, and makes room for what may come until the next time. @param time epoch ms */
  take(time: number): { readonly flows: readonly LoggedFlow[]; readonly unlogged: number } {
    const taken = { flows: this.#flows, unlogged: this.#unlogged };
    this.clear();
    const passed = Number.isNaN(this.#filledAt) ? 1000 : Math.max(0, time - this.#filledAt);
    this.#filledAt = time;
    this.#room = Math.min(MAX_WAITING, this.#room + (passed * PER_SECOND) / 1000);
    return taken;
  }
}

const NOTHING = new Float64Array(4);
const NOTHING_LOGGED = { flows: [], unlogged: 0 };

function loggedFlow(row: FlowRow, owner: Owner | undefined, before: Float64Array): LoggedFlow {
  const { local, remote } = row;
  return {
    start: row.firstSeen,
    end: row.lastSeen,
    protocol: row.protocol,
    direction: row.direction,
    interface: row.interface,
    localAddress: local.address,
    localPort: local.port,
    remoteAddress: remote.address,
    remotePort: remote.port,
    app: row.app,
    reason: row.reason,
    exe: owner?.exe ?? null,
    pid: row.pid,
    user: owner?.user ?? null,
    attribution: row.attribution,
    host: row.host,
    nameSource: row.nameSource,
    domain: row.domain,
    application: row.application,
    category: row.category,
    container: owner?.container ?? null,
    rxBytes: row.rxBytes - (before[0] as number),
    txBytes: row.txBytes - (before[1] as number),
    rxPackets: row.rxPackets - (before[2] as number),
    txPackets: row.txPackets - (before[3] as number),
  };
}

// Keeps the newest frames as they were captured, in one buffer of a fixed size, each linked to the frame that its flow had before. Keeping a frame
// copies it once and allocates nothing. The ring opens no file, and knows of flows only their rows and serial numbers.

import type { PacketBatch } from '../capture/batch.ts';
import type { FlowTable } from '../flow/flow-table.ts';

/**
 * Layout of a record, which begins at a multiple of 8 bytes and is followed by the frame:
 *
 *     doubles   0 time, epoch ms | 1 serial of the flow, 0 without one | 2 position of the flow's previous record, 0 without one
 *     ints      6 row of the flow, -1 without one | 7 captured length | 8 wire length | 9 interface << 16 | link type
 *               10 process << 16 | effective process | 11 direction | SENT | where the frame begins within its first word << PHASE
 *
 * Frames are copied by words, so each keeps the place within a word that it had in the batch. A record never wraps. Where the next one doesn't fit before the buffer's end, a NaN stands in place of its time.
 */
const RECORD_BYTES = 48;
const NO_FLOW = -1;
/** Bits of a record's last word, above the direction. */
const SENT = 1 << 8;
const PHASE = 16;
/** A record takes this share of the ring at most: what doesn't fit is counted and left out. */
const LARGEST_SHARE = 4;
/** A reader that is overtaken may take this share of the ring in one go, so that it isn't called again at the next frame. */
const HURRIED_SHARE = 8;

/** A record of the ring, read into one object that serves all of them. */
export class KeptFrame {
  /** Position of the record. */
  at = 0;
  /** Position of the record behind it. */
  next = 0;
  /** Where the frame begins in the ring's bytes. */
  offset = 0;
  /** Bytes of it that were captured, and bytes it had on the wire. */
  captured = 0;
  wire = 0;
  /** Epoch milliseconds, with fractions. */
  time = 0;
  /** LINKTYPE of its bytes. */
  link = 0;
  /** Index into the source's interfaces. */
  iface = 0;
  /** DIRECTION as the source told it. */
  direction = 0;
  /** Indexes into the source's processes, 0 where it named none, or has numbered its processes anew since. */
  process = 0;
  effective = 0;
  /** Row of its flow, and the flow's serial number; -1 and 0 for a frame without addresses. */
  row = NO_FLOW;
  serial = 0;
  /** True if the flow's local end sent it. */
  isSent = false;
  /** Position of the frame that its flow had before; 0 without one. It may have been overwritten. */
  previous = 0;
}

/** Reads the ring and wants no frame overwritten before it had it. */
export interface RingFollower {
  /** Position of the next frame that it wants. */
  readonly position: number;
  /**
   * Called on the packet clock when frames are about to be overwritten that it has not had. It takes what it can of those before `until` and moves its
   * position; what it leaves is lost to it.
   */
  hurry(until: number): void;
}

/**
 * The newest frames, oldest first, in at most `size` bytes with everything that is known of them.
 *
 * A position is the number of bytes ever written before a record, so it only grows and is never reused. Records between `oldest` and `end` can be read.
 */
export class PacketRing {
  /** Bytes of the buffer. */
  readonly size: number;
  /** The buffer, to read frames from at `KeptFrame.offset`. */
  readonly bytes: Uint8Array;
  /** Position of the oldest frame; `end` while nothing is kept. */
  oldest: number;
  /** Position at which the next frame will be written. */
  end: number;
  /** Frames ever kept. */
  count = 0;
  /** How many of them are no longer there: the oldest one's number, from 0. */
  gone = 0;
  /** Frames too long to be kept. */
  tooLong = 0;
  readonly #flows: FlowTable;
  readonly #keepMs: number;
  readonly #doubles: Float64Array;
  readonly #ints: Int32Array;
  /** `end` and `oldest` within the buffer. */
  #endAt = 0;
  #oldestAt = 0;
  readonly #followers: RingFollower[] = [];
  /** Up to here no follower wants anything. */
  #guard = Number.POSITIVE_INFINITY;
  #source: Uint8Array | null = null;
  #sourceWords: Int32Array;
  /** From this position on, records have the process numbers of today. */
  #processesFrom = 0;

  /**
   * @param bytes of the buffer: within RING_BYTES, rounded down to a multiple of 8
   * @param keepMs frames older than this are dropped by `expire`; null keeps them until they are overwritten
   */
  constructor(flows: FlowTable, bytes: number, keepMs: number | null) {
    const size = bytes - (bytes % 8);
    this.#flows = flows;
    this.#keepMs = keepMs ?? Number.POSITIVE_INFINITY;
    this.size = size;
    const buffer = new ArrayBuffer(size);
    this.bytes = new Uint8Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.#ints = new Int32Array(buffer);
    this.#sourceWords = this.#ints;
    // Position 0 means none, so the first lap is the second.
    this.oldest = size;
    this.end = size;
  }

  /** Frames kept now. */
  get kept(): number {
    return this.count - this.gone;
  }

  /** Bytes in use. */
  get used(): number {
    return this.end - this.oldest;
  }

  /**
   * Copies frame `i` of a batch.
   *
   * @param row of its flow, -1 without one
   * @param direction DIRECTION as captured
   * @param isSent whether the flow's local end sent it
   */
  keep(batch: PacketBatch, i: number, row: number, direction: number, isSent: boolean): void {
    const captured = batch.captured[i] as number;
    const from = batch.bytes.byteOffset + (batch.offset[i] as number);
    const phase = from & 3;
    const length = lengthOf(phase + captured);
    if (length * LARGEST_SHARE > this.size) {
      this.tooLong++;
      return;
    }
    let at = this.#endAt;
    const rest = this.size - at;
    if (length > rest) {
      this.#makeRoom(this.end + rest - this.size);
      if (rest > 0) this.#doubles[at >>> 3] = Number.NaN;
      if (this.oldest === this.end) this.#skipRest();
      this.end += rest;
      at = 0;
    }
    const { end } = this;
    this.#makeRoom(end + length - this.size);
    const doubles = this.#doubles;
    const double = at >>> 3;
    const flows = this.#flows;
    doubles[double] = (batch.time[i] as number) || 0; // NaN means something else here
    if (row < 0) {
      doubles[double + 1] = 0;
      doubles[double + 2] = 0;
    } else {
      doubles[double + 1] = flows.serial(row);
      doubles[double + 2] = flows.keptAt(row);
      flows.setKeptAt(row, end);
    }
    const ints = this.#ints;
    const word = at >>> 2;
    ints[word + 6] = row;
    ints[word + 7] = captured;
    ints[word + 8] = batch.wire[i] as number;
    ints[word + 9] = ((batch.iface[i] as number) << 16) | (batch.link[i] as number);
    ints[word + 10] = ((batch.process[i] as number) << 16) | (batch.effective[i] as number);
    ints[word + 11] = direction | (isSent ? SENT : 0) | (phase << PHASE);
    this.#copy(batch.bytes, from - phase, word + RECORD_BYTES / 4, phase + captured);
    this.end = end + length;
    this.#endAt = at + length;
    this.count++;
  }

  /** Call when the source numbers its processes anew: numbers in older records mean nothing from then on. */
  renumberProcesses(): void {
    this.#processesFrom = this.end;
  }

  /** True for a record that can still be read. */
  has(position: number): boolean {
    return position >= this.oldest && position < this.end;
  }

  /** Where to read on from a position that may have been overwritten since; `end` if there is nothing. A reader that counts knows by `gone` what it lost. */
  first(position: number): number {
    return Math.max(position, this.oldest);
  }

  /**
   * Reads a record.
   *
   * @param position as `first`, or the last call, returned it, before `end`
   * @returns where the next one is, if it is before `end`
   */
  read(position: number, into: KeptFrame): number {
    let at = position % this.size;
    if (Number.isNaN(this.#doubles[at >>> 3] as number)) {
      position += this.size - at;
      at = 0;
    }
    const ints = this.#ints;
    const word = at >>> 2;
    const last = ints[word + 11] as number;
    into.at = position;
    into.offset = at + RECORD_BYTES + (last >>> PHASE);
    into.time = this.#doubles[at >>> 3] as number;
    into.serial = this.#doubles[(at >>> 3) + 1] as number;
    into.previous = this.#doubles[(at >>> 3) + 2] as number;
    into.row = ints[word + 6] as number;
    into.captured = ints[word + 7] as number;
    into.wire = ints[word + 8] as number;
    const isNamed = position >= this.#processesFrom;
    const processes = isNamed ? (ints[word + 10] as number) : 0;
    into.iface = (ints[word + 9] as number) >>> 16;
    into.link = (ints[word + 9] as number) & 0xffff;
    into.process = processes >>> 16;
    into.effective = processes & 0xffff;
    into.direction = last & 0xff;
    into.isSent = (last & SENT) !== 0;
    into.next = position + lengthOf((last >>> PHASE) + into.captured);
    return into.next;
  }

  /** Position of the first frame that is not older than a time, epoch ms. Reads all older ones. */
  at(time: number): number {
    const frame = new KeptFrame();
    let at = this.oldest;
    for (; at < this.end; at = frame.next) {
      this.read(at, frame);
      if (frame.time >= time) break;
    }
    return at;
  }

  /** Time of the oldest frame, epoch ms; null while nothing is kept. */
  get since(): number | null {
    return this.oldest === this.end ? null : (this.#doubles[this.#oldestAt >>> 3] as number);
  }

  /**
   * Drops frames that are older than was asked for.
   *
   * @param now epoch ms, by the clock of the packets
   * @param most frames dropped in one go
   */
  expire(now: number, most = Number.POSITIVE_INFINITY): void {
    const limit = now - this.#keepMs;
    for (let left = most; left > 0 && this.oldest < this.end; left--) {
      if ((this.#doubles[this.#oldestAt >>> 3] as number) >= limit) return;
      if (this.oldest >= this.#guard) this.#hurry(this.oldest + 1);
      this.#drop();
    }
  }

  /** From now on a follower is asked before anything it wants is overwritten. */
  follow(follower: RingFollower): void {
    this.#followers.push(follower);
    this.#guard = Math.min(this.#guard, follower.position);
  }

  /** Forgets a follower. */
  leave(follower: RingFollower): void {
    const index = this.#followers.indexOf(follower);
    if (index >= 0) this.#followers.splice(index, 1);
    this.#guard = Math.min(...this.#followers.map(({ position }) => position)); // infinite without any
  }

  /** Moves `oldest` to the beginning of the buffer. */
  #skipRest(): void {
    this.oldest += this.size - this.#oldestAt;
    this.#oldestAt = 0;
  }

  #makeRoom(until: number): void {
    if (this.oldest >= until) return;
    if (until > this.#guard) this.#hurry(until);
    while (this.oldest < until) this.#drop();
  }

  /** Drops the oldest record. */
  #drop(): void {
    const at = this.#oldestAt;
    const word = at >>> 2;
    const length = lengthOf(((this.#ints[word + 11] as number) >>> PHASE) + (this.#ints[word + 7] as number));
    this.oldest += length;
    this.#oldestAt = at + length;
    this.gone++;
    // Past the end of the buffer, unless the next record is still to be written.
    if (this.oldest === this.end) return;
    const isWrapped = this.#oldestAt === this.size || Number.isNaN(this.#doubles[this.#oldestAt >>> 3] as number);
    if (isWrapped) this.#skipRest();
  }

  /** Lets followers have what is about to be overwritten, and some more. One that leaves it to be lost is asked again only behind that. */
  #hurry(until: number): void {
    const wanted = Math.min(this.end, until + Math.floor(this.size / HURRIED_SHARE));
    this.#guard = Number.POSITIVE_INFINITY;
    for (const follower of this.#followers) {
      if (follower.position < until) follower.hurry(wanted);
      this.#guard = Math.min(this.#guard, follower.position < until ? wanted : follower.position);
    }
  }

  /**
   * Copies bytes a word at a time: `set` would need a view of each frame, which costs more than it saves.
   *
   * @param start in the buffer of `from`, a multiple of 4
   * @param word of the ring to begin at
   */
  #copy(from: Uint8Array, start: number, word: number, length: number): void {
    if (from !== this.#source) {
      this.#source = from;
      this.#sourceWords = new Int32Array(from.buffer, 0, from.buffer.byteLength >>> 2);
    }
    const source = this.#sourceWords;
    const ints = this.#ints;
    let next = start >>> 2;
    // A record has room for whole words. The source's last bytes may be less than one.
    const end = Math.min(next + ((length + 3) >>> 2), source.length);
    for (; next + 3 < end; next += 4, word += 4) {
      ints[word] = source[next] as number;
      ints[word + 1] = source[next + 1] as number;
      ints[word + 2] = source[next + 2] as number;
      ints[word + 3] = source[next + 3] as number;
    }
    for (; next < end; next++) ints[word++] = source[next] as number;
    const { bytes } = this;
    for (let at = 4 * next, to = 4 * word; at < start + length; at++) bytes[to++] = from[at - from.byteOffset] as number;
  }
}

/** Bytes of a record with so many behind its header. */
function lengthOf(bytes: number): number {
  return (RECORD_BYTES + bytes + 7) & ~7;
}

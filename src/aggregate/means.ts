// Mean rates over the last 2, 10 and 40 seconds, of flows and of everything that sums flows. Kept for a screen only; a tick is the finest it
// knows, and no packet costs anything here.

import { AVERAGES, type Average } from '../model/options.ts';
import { type Arena, arenaOf } from '../net/bytes.ts';

/** Slots of the two rings: about a second each for 2 and 10 s, about ten seconds each for 40 s. The newest of each is still being filled. */
const FINE = 10;
const COARSE = 5;
/** A slot this long is closed, ms: a little under nominal, because ticks come a little early or late. */
const FINE_MS = 900;
const COARSE_MS = 9_900;
/** The means of a row that moved nothing. One object, so that rows can tell that nothing changed. */
const STILL: readonly number[] = AVERAGES.flatMap(() => [0, 0]);

/** How what moved travels from a flow to a sum: as its own end sees it, from the other end, or all of it as received. */
export const WAY = { OWN: 0, TURNED: 1, RECEIVED: 2 } as const;

/**
 * The time of all means of a run: which slots are being filled, how long each was, and what a byte in each counts.
 *
 * A mean is over the window, or over the time since the first tick while that is shorter. It isn't over the age of a flow or an app: a flow that
 * is a second old moved nothing in the nine before. So the means of an app are those of its flows added up, and what a row shows is what its
 * branches show. Of the oldest slot only the part inside the window counts.
 */
export class MeansClock {
  /** Numbers of the slots that are being filled. From the length of the ring on: a row that was never written is as old as can be. */
  fine = FINE;
  coarse = COARSE;
  /** By age of a slot, 0 the newest: bytes/s for each byte in it. */
  readonly weights: readonly [Float64Array, Float64Array, Float64Array] = [
    new Float64Array(FINE),
    new Float64Array(FINE),
    new Float64Array(COARSE),
  ];
  readonly #fineMs = new Float64Array(FINE);
  readonly #coarseMs = new Float64Array(COARSE);

  /** Closes a tick of `ms` milliseconds. Read means before `begin`. */
  close(ms: number): void {
    const { fine, coarse, weights } = this;
    this.#fineMs[fine % FINE] = (this.#fineMs[fine % FINE] as number) + ms;
    this.#coarseMs[coarse % COARSE] = (this.#coarseMs[coarse % COARSE] as number) + ms;
    weigh(this.#fineMs, fine, AVERAGES[0] * 1000, weights[0]);
    weigh(this.#fineMs, fine, AVERAGES[1] * 1000, weights[1]);
    weigh(this.#coarseMs, coarse, AVERAGES[2] * 1000, weights[2]);
  }

  /** Begins the next tick. */
  begin(): void {
    if ((this.#fineMs[this.fine % FINE] as number) >= FINE_MS) this.#fineMs[++this.fine % FINE] = 0;
    if ((this.#coarseMs[this.coarse % COARSE] as number) >= COARSE_MS) this.#coarseMs[++this.coarse % COARSE] = 0;
  }
}

function weigh(lengths: Float64Array, newest: number, windowMs: number, weights: Float64Array): void {
  let left = windowMs;
  for (let age = 0; age < weights.length; age++) {
    const length = lengths[(newest - age) % weights.length] as number;
    const part = Math.min(length, left);
    weights[age] = length > 0 ? part / length : 0;
    left -= part;
  }
  const seconds = (windowMs - left) / 1000;
  for (let age = 0; age < weights.length; age++) weights[age] = seconds > 0 ? (weights[age] as number) / seconds : 0;
}

/**
 * What many rows moved, by a dense number, in the slots of a clock. 32 words a row, two cache lines:
 *
 *     ints      0 number of the newest fine slot that is valid | 1 of the newest coarse one
 *     floats    2..11 RX of fine slots | 12..21 their TX | 22..26 RX of coarse slots | 27..31 their TX
 *
 * A row is brought up to date when it is written: one that is quiet costs nothing.
 */
export class Means {
  readonly clock: MeansClock;
  #arena: Arena = arenaOf(0);
  #ints = this.#arena.ints;
  #floats = new Float32Array(this.#arena.ints.buffer);

  constructor(clock: MeansClock) {
    this.clock = clock;
  }

  /** Adds what a row moved in the tick that is being closed. */
  add(id: number, rx: number, tx: number): void {
    if (rx === 0 && tx === 0) return;
    const at = this.#current(id);
    const f = this.#floats;
    const fine = at + RX + (this.clock.fine % FINE);
    const coarse = at + COARSE_RX + (this.clock.coarse % COARSE);
    f[fine] = (f[fine] as number) + rx;
    f[fine + FINE] = (f[fine + FINE] as number) + tx;
    f[coarse] = (f[coarse] as number) + rx;
    f[coarse + COARSE] = (f[coarse + COARSE] as number) + tx;
  }

  /** Adds all that another row moved, or takes it away again. @param way of WAY @param sign 1 or -1 */
  take(id: number, other: Means, from: number, way: number, sign: number): void {
    if (!other.#isRecent(from)) return;
    const source = other.#current(from);
    const at = this.#current(id);
    move(other.#floats, source + RX, this.#floats, at + RX, FINE, way, sign);
    move(other.#floats, source + COARSE_RX, this.#floats, at + COARSE_RX, COARSE, way, sign);
  }

  /** Forgets a row. */
  clear(id: number): void {
    const at = id * WORDS;
    if (at >= this.#ints.length) return;
    this.#ints[at] = 0;
    this.#ints[at + 1] = 0;
  }

  /** RX and TX bytes/s over each of AVERAGES, whole numbers; the same object for every row that moved nothing. Read it between `close` and `begin`. */
  of(id: number): readonly number[] {
    if (!this.#isRecent(id)) return STILL;
    const means = [0, 0, 0, 0, 0, 0];
    this.addTo(means, id);
    for (const mean of means) if (mean !== 0) return means;
    return STILL;
  }

  /** Adds the means of a row to those of others. */
  addTo(sums: number[], id: number): void {
    if (!this.#isRecent(id)) return;
    const at = id * WORDS;
    for (let window = 0; window < AVERAGES.length; window++) {
      const isFine = window < 2;
      const rx = at + (isFine ? RX : COARSE_RX);
      const newest = isFine ? this.clock.fine : this.clock.coarse;
      const last = this.#ints[isFine ? at : at + 1] as number;
      const weights = this.clock.weights[window] as Float64Array;
      sums[2 * window] = (sums[2 * window] as number) + Math.round(this.#mean(rx, newest, last, weights));
      sums[2 * window + 1] =
        (sums[2 * window + 1] as number) + Math.round(this.#mean(rx + weights.length, newest, last, weights));
    }
  }

  /** RX or TX bytes/s of a row over one of AVERAGES, while the tick is being closed that it moved `bytes` in. */
  rate(id: number, average: Average, isTx: boolean, bytes: number): number {
    const window = AVERAGES.indexOf(average);
    const weights = this.clock.weights[window] as Float64Array;
    const now = bytes * (weights[0] as number);
    const at = id * WORDS;
    if (at >= this.#ints.length) return Math.round(now);
    const isFine = window < 2;
    const from = at + (isFine ? RX : COARSE_RX) + (isTx ? weights.length : 0);
    const newest = isFine ? this.clock.fine : this.clock.coarse;
    return Math.round(now + this.#mean(from, newest, this.#ints[isFine ? at : at + 1] as number, weights));
  }

  /** RX and TX bytes/s together over the middle window, to find the busiest of many. */
  weight(id: number): number {
    const at = id * WORDS;
    if (at >= this.#ints.length) return 0;
    const last = this.#ints[at] as number;
    const { fine, weights } = this.clock;
    return this.#mean(at + RX, fine, last, weights[1]) + this.#mean(at + RX + FINE, fine, last, weights[1]);
  }

  /** @param last number of the newest slot that is valid: what is newer is empty */
  #mean(at: number, newest: number, last: number, weights: Float64Array): number {
    const slots = weights.length;
    let sum = 0;
    for (let age = newest - last; age < slots; age++)
      sum += (this.#floats[at + ((newest - age) % slots)] as number) * (weights[age] as number);
    return sum;
  }

  /** True for a row that moved something in the time of all slots. */
  #isRecent(id: number): boolean {
    const at = id * WORDS;
    if (at >= this.#ints.length) return false;
    return this.clock.fine - (this.#ints[at] as number) < FINE || this.clock.coarse - (this.#ints[at + 1] as number) < COARSE;
  }

  /** Empties the slots of a row that began since it was written last. @returns where it begins */
  #current(id: number): number {
    const at = id * WORDS;
    if (at >= this.#ints.length) this.#reserve(at);
    const { fine, coarse } = this.clock;
    const ints = this.#ints;
    empty(this.#floats, at + RX, FINE, ints[at] as number, fine);
    empty(this.#floats, at + COARSE_RX, COARSE, ints[at + 1] as number, coarse);
    ints[at] = fine;
    ints[at + 1] = coarse;
    return at;
  }

  #reserve(at: number): void {
    let length = Math.max(64 * WORDS, this.#ints.length);
    while (length <= at) length *= 2;
    this.#arena = arenaOf(length * 4, this.#arena);
    this.#ints = this.#arena.ints;
    this.#floats = new Float32Array(this.#ints.buffer);
  }
}

const WORDS = 32;
const RX = 2;
const COARSE_RX = RX + 2 * FINE;

/** Empties the slots of both directions after `last` up to `now`. */
function empty(floats: Float32Array, at: number, slots: number, last: number, now: number): void {
  for (let slot = Math.max(last + 1, now - slots + 1); slot <= now; slot++) {
    floats[at + (slot % slots)] = 0;
    floats[at + slots + (slot % slots)] = 0;
  }
}

function move(
  from: Float32Array,
  source: number,
  into: Float32Array,
  at: number,
  slots: number,
  way: number,
  sign: number,
): void {
  for (let i = 0; i < slots; i++) {
    const rx = from[source + i] as number;
    const tx = from[source + slots + i] as number;
    const inward = way === WAY.OWN ? rx : way === WAY.TURNED ? tx : rx + tx;
    const outward = way === WAY.OWN ? tx : way === WAY.TURNED ? rx : 0;
    into[at + i] = Math.max(0, (into[at + i] as number) + sign * inward);
    into[at + slots + i] = Math.max(0, (into[at + slots + i] as number) + sign * outward);
  }
}

/** True if two rows have the same means. */
export function sameMeans(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((mean, i) => mean === b[i]));
}

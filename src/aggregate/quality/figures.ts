// Counts and round trips of many hosts or interfaces, in typed columns of a bounded number of slots: the present half minute, the one before,
// and the run. Nothing is allocated while packets are counted.

import type { Figures, Quality, RoundTrips } from '../../model/quality.ts';
import { widened } from '../../net/bytes.ts';

/** Length of a generation, ms. What is recent covers one to two of them. */
export const GENERATION_MS = 30_000;

/** What was asked is unanswered after this time, ms. Systems repeat the opening of a connection after 1 s, then after 2 or 3. */
export const UNANSWERED_MS = 2500;

/** Columns of counts. */
export const COUNT = { SEGMENTS: 0, SENT_AGAIN: 1, RECEIVED_AGAIN: 2, ANSWERED: 3, REFUSED: 4, UNANSWERED: 5, RESET: 6 } as const;
const COUNTS = 7;

/**
 * Buckets of round trips: sixteen to the octave from 4 us to 16 s, so a bucket's middle is at most 3 % off. What is shorter or longer counts in
 * the first or last.
 */
const SHORTEST_BITS = 2;
const OCTAVES = 22;
const STEP_BITS = 4;
const STEPS = 1 << STEP_BITS;
const BUCKETS = OCTAVES * STEPS;
/** A full bucket halves its whole histogram: shares stay, and the newest weigh more. */
const FULL = 0xffff;

/** Present, before, run. */
const AGES = 3;
const RUN = 2;
const FIRST_SLOTS = 16;

/** Figures by slot; at most `most` slots. A slot costs 2.3 KB. */
export class FigureTable {
  readonly #most: number;
  #buckets = new Uint16Array(FIRST_SLOTS * AGES * BUCKETS);
  #counts = new Float64Array(FIRST_SLOTS * AGES * COUNTS);
  /** By slot: the generation that its present is. */
  #generations = new Int32Array(FIRST_SLOTS);
  /** By slot: the generation that last counted something; -1 for a slot that is free. */
  #counted = new Int32Array(FIRST_SLOTS).fill(-1);
  /** By slot: shortest round trip, us; 0 for none. */
  #least = new Int32Array(FIRST_SLOTS);
  /** What was made of a slot; undefined once it has changed. */
  readonly #made: (Quality | undefined)[] = [];
  /** Slots below it were given out. */
  end = 0;
  /** Where the search for a slot that can be taken away goes on. */
  #hand = 0;
  #now = 0;
  readonly #present = new Float64Array(BUCKETS);

  constructor(most: number) {
    this.#most = most;
  }

  /** Sets the time of what is counted from now on, epoch ms. */
  setTime(time: number): void {
    this.#now = Math.floor(time / GENERATION_MS);
  }

  /** True if a slot has counted something recently. */
  isRecent(slot: number): boolean {
    const counted = this.#counted[slot] as number;
    return counted >= 0 && counted >= this.#now - 1;
  }

  /**
   * An empty slot. If all are given out, it takes one away that has counted nothing recently.
   *
   * @returns -1 if there is none to take
   */
  claim(): number {
    let slot = this.end < this.#most ? this.end++ : -1;
    for (let tried = 0; slot < 0 && tried < this.#most; tried++) {
      if (!this.isRecent(this.#hand)) slot = this.#hand;
      this.#hand = (this.#hand + 1) % this.#most;
    }
    if (slot < 0) return -1;
    this.#reserve(slot);
    this.release(slot);
    this.#generations[slot] = this.#now;
    this.#counted[slot] = this.#now;
    return slot;
  }

  /** Empties a slot. */
  release(slot: number): void {
    this.#buckets.fill(0, slot * AGES * BUCKETS, (slot + 1) * AGES * BUCKETS);
    this.#counts.fill(0, slot * AGES * COUNTS, (slot + 1) * AGES * COUNTS);
    this.#counted[slot] = -1;
    this.#least[slot] = 0;
    this.#made[slot] = undefined;
  }

  /** @param column of COUNT */
  count(slot: number, column: number, by: number): void {
    this.#begin(slot);
    const at = slot * AGES * COUNTS + column;
    const counts = this.#counts;
    counts[at] = (counts[at] as number) + by;
    counts[at + RUN * COUNTS] = (counts[at + RUN * COUNTS] as number) + by;
  }

  /** Counts a round trip. @param us above 0 */
  time(slot: number, us: number): void {
    this.#begin(slot);
    const at = slot * AGES * BUCKETS;
    this.#add(at, bucketOf(us));
    this.#add(at + RUN * BUCKETS, bucketOf(us));
    const least = this.#least[slot] as number;
    if (least === 0 || us < least) this.#least[slot] = us;
  }

  /** The figures of a slot; the same object until they change. */
  of(slot: number): Quality {
    if ((this.#generations[slot] as number) < this.#now) this.#turn(slot, this.#hasRecent(slot));
    const known = this.#made[slot];
    if (known !== undefined) return known;
    const least = this.#least[slot] as number;
    const made = {
      recent: this.#figures(slot, 0, 2),
      all: this.#figures(slot, RUN, 1),
      leastMs: least === 0 ? null : least / 1000,
    };
    this.#made[slot] = made;
    return made;
  }

  #begin(slot: number): void {
    this.#turn(slot);
    this.#counted[slot] = this.#now;
  }

  #hasRecent(slot: number): boolean {
    const at = slot * AGES * COUNTS;
    for (let i = 0; i < 2 * COUNTS; i++) if (this.#counts[at + i] !== 0) return true;
    const from = slot * AGES * BUCKETS;
    for (let i = 0; i < 2 * BUCKETS; i++) if (this.#buckets[from + i] !== 0) return true;
    return false;
  }

  /** Brings a slot to the present generation. @param changes false if nothing that can be seen changes by it */
  #turn(slot: number, changes = true): void {
    if (changes) this.#made[slot] = undefined;
    const past = this.#now - (this.#generations[slot] as number);
    if (past <= 0) return;
    this.#generations[slot] = this.#now;
    const at = slot * AGES * BUCKETS;
    const from = slot * AGES * COUNTS;
    if (past === 1) {
      this.#buckets.copyWithin(at + BUCKETS, at, at + BUCKETS);
      this.#counts.copyWithin(from + COUNTS, from, from + COUNTS);
    } else {
      this.#buckets.fill(0, at + BUCKETS, at + 2 * BUCKETS);
      this.#counts.fill(0, from + COUNTS, from + 2 * COUNTS);
    }
    this.#buckets.fill(0, at, at + BUCKETS);
    this.#counts.fill(0, from, from + COUNTS);
  }

  #add(at: number, bucket: number): void {
    const buckets = this.#buckets;
    if (buckets[at + bucket] === FULL) for (let i = at; i < at + BUCKETS; i++) buckets[i] = (buckets[i] as number) >>> 1;
    buckets[at + bucket] = (buckets[at + bucket] as number) + 1;
  }

  /** @param age the first of `ages` that are summed */
  #figures(slot: number, age: number, ages: number): Figures {
    const count = (column: number): number => {
      let sum = 0;
      for (let i = age; i < age + ages; i++) sum += this.#counts[(slot * AGES + i) * COUNTS + column] as number;
      return sum;
    };
    return {
      roundTrips: this.#roundTrips(slot, age, ages),
      segments: count(COUNT.SEGMENTS),
      sentAgain: count(COUNT.SENT_AGAIN),
      receivedAgain: count(COUNT.RECEIVED_AGAIN),
      answered: count(COUNT.ANSWERED),
      refused: count(COUNT.REFUSED),
      unanswered: count(COUNT.UNANSWERED),
      reset: count(COUNT.RESET),
    };
  }

  #roundTrips(slot: number, age: number, ages: number): RoundTrips | null {
    const sums = this.#present;
    let samples = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      let sum = 0;
      for (let i = age; i < age + ages; i++) sum += this.#buckets[(slot * AGES + i) * BUCKETS + bucket] as number;
      sums[bucket] = sum;
      samples += sum;
    }
    if (samples === 0) return null;
    return {
      medianMs: quantile(sums, samples, 0.5),
      highMs: quantile(sums, samples, 0.95),
      lowMs: quantile(sums, samples, 0.1),
      samples,
    };
  }

  #reserve(slot: number): void {
    const slots = this.#least.length;
    if (slot < slots) return;
    const wanted = Math.min(this.#most, slots * 2);
    const buckets = new Uint16Array(wanted * AGES * BUCKETS);
    buckets.set(this.#buckets);
    this.#buckets = buckets;
    this.#counts = widened(this.#counts, wanted * AGES * COUNTS);
    this.#generations = widened(this.#generations, wanted);
    this.#counted = widened(this.#counted, wanted, -1);
    this.#least = widened(this.#least, wanted);
  }
}

/** @param us above 0 */
function bucketOf(us: number): number {
  const bits = 31 - Math.clz32(us);
  if (bits < SHORTEST_BITS) return 0;
  const step = bits >= STEP_BITS ? us >>> (bits - STEP_BITS) : us << (STEP_BITS - bits);
  return Math.min(BUCKETS - 1, (bits - SHORTEST_BITS) * STEPS + (step & (STEPS - 1)));
}

/** The middle of a bucket, ms. */
function middleOf(bucket: number): number {
  return (2 ** (SHORTEST_BITS + (bucket >> STEP_BITS)) * (1 + ((bucket & (STEPS - 1)) + 0.5) / STEPS)) / 1000;
}

/** The least time that a share of the samples doesn't exceed, ms. */
function quantile(sums: Float64Array, samples: number, share: number): number {
  let left = Math.max(1, Math.ceil(samples * share));
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    left -= sums[bucket] as number;
    if (left <= 0) return middleOf(bucket);
  }
  return middleOf(BUCKETS - 1);
}

// The line to the terminal: how long a frame takes until it is drawn there, and whether the next may be sent. What is queued behind the kernel
// nobody can see but the terminal: it is asked, behind the frames.

import type { Clock } from '../system/clock.ts';

/** A frame that took longer than the line needs for nothing makes it a slow one, ms. */
const SLOW_MS = 150;
/** On a fast line one frame of so many is asked about. */
const EVERY = 24;
/** No answer in this time, or twice the longest that one took: it is lost, ms. A first frame at 9600 baud takes 6 s. */
const LOST_MS = 10_000;
/** Answers lost one after the other, after which nothing is asked any more. */
const LOST_MAX = 2;
/** Whoever leaves waits this long for a terminal of which nothing is known yet. */
const UNKNOWN_MS = 500;

/** Asks, and holds frames back on a slow line. A terminal that never answers is never waited for. */
export class Line {
  readonly #clock: Clock;
  readonly #ask: () => void;
  /** Told when an answer came, or is not waited for any more. */
  onFree: () => void = () => {};
  #answers = false;
  #isSlow = false;
  #askedAt: number | null = null;
  #least = Number.POSITIVE_INFINITY;
  #longest = 0;
  /** Frames until the next is asked about. */
  #due = 0;
  #lost = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param ask writes the question behind what was written so far */
  constructor(clock: Clock, ask: () => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** True while an answer is under way. */
  get isAsking(): boolean {
    return this.#askedAt !== null;
  }

  /** False while a slow line has a frame to draw, or one of which nothing was known takes its time. */
  get isFree(): boolean {
    if (!this.#answers || this.#askedAt === null) return true;
    return !this.#isSlow && this.#clock.monotonic() - this.#askedAt <= this.#least + SLOW_MS;
  }

  /** Milliseconds for which an answer may still come that must not be left to whoever reads the terminal next; 0 for none. */
  get patience(): number {
    if (this.#askedAt === null) return 0;
    const wait = this.#answers ? this.#patienceAll : UNKNOWN_MS;
    return Math.max(0, this.#askedAt + wait - this.#clock.monotonic());
  }

  /** The terminal is asked for the first time, before anything is drawn. */
  begin(): void {
    this.#question();
  }

  /** A frame was written. */
  drawn(): void {
    if (!this.#answers || this.#lost >= LOST_MAX || this.#askedAt !== null) return;
    this.#due--;
    if (!this.#isSlow && this.#due > 0) return;
    this.#due = EVERY;
    this.#question();
  }

  /** The terminal has answered. */
  answered(): void {
    this.#answers = true;
    this.#lost = 0;
    if (this.#askedAt === null) return;
    const took = this.#clock.monotonic() - this.#askedAt;
    this.#least = Math.min(this.#least, took);
    this.#longest = Math.max(took, this.#longest / 2);
    this.#isSlow = took - this.#least > SLOW_MS;
    this.#settle();
  }

  /** Asks no more; the terminal is given back. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#askedAt = null;
    this.#isSlow = false;
  }

  get #patienceAll(): number {
    return Math.max(LOST_MS, 2 * this.#longest);
  }

  #question(): void {
    this.#askedAt = this.#clock.monotonic();
    this.#ask();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#lost++;
      this.#isSlow = false;
      this.#settle();
    }, this.#patienceAll);
    this.#timer.unref();
  }

  #settle(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#askedAt = null;
    this.onFree();
  }
}

// Paces frames to what the terminal can draw. Only the terminal itself knows what is queued behind the kernel (SSH, a serial line), so it is
// asked, behind a frame, whether it has drawn. Answers that don't come are never waited for.

import type { Clock } from '../system/clock.ts';

/** A terminal that takes this much longer over a frame than over nothing is slow, ms. */
const SLOW_MS = 150;
/** On a fast terminal one frame in so many is asked about. */
const EVERY = 24;
/** An answer is lost after this time, or twice the longest that one took, ms. A first frame at 9600 baud takes 6 s. */
const LOST_MS = 10_000;
/** After so many lost answers in a row the terminal is asked no more. */
const LOST_MAX = 2;
/** Time that leaving waits for a first answer, ms. */
const UNKNOWN_MS = 500;

/** Asks the terminal how far it has drawn, and holds frames back while a slow one is busy. */
export class FramePacing {
  readonly #clock: Clock;
  readonly #ask: () => void;
  readonly #onFree: () => void;
  #answers = false;
  #isSlow = false;
  #askedAt: number | null = null;
  #least = Number.POSITIVE_INFINITY;
  #longest = 0;
  /** Frames until the next is asked about. */
  #due = 0;
  #lost = 0;
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param ask writes the question behind everything written so far
   * @param onFree called when an answer came, or is given up
   */
  constructor(clock: Clock, ask: () => void, onFree: () => void) {
    this.#clock = clock;
    this.#ask = ask;
    this.#onFree = onFree;
  }

  /** True while an answer is under way. */
  get isAsking(): boolean {
    return this.#askedAt !== null;
  }

  /** False while a slow terminal draws a frame, or one not known to be slow takes too long over it. */
  get isFree(): boolean {
    if (!this.#answers || this.#askedAt === null) return true;
    return !this.#isSlow && this.#clock.monotonic() - this.#askedAt <= this.#least + SLOW_MS;
  }

  /** How long an answer may still come, ms; 0 if none is due. Whoever reads the terminal next must not get it. */
  get patience(): number {
    if (this.#askedAt === null) return 0;
    const wait = this.#answers ? this.#answerMs : UNKNOWN_MS;
    return Math.max(0, this.#askedAt + wait - this.#clock.monotonic());
  }

  /** Asks for the first time, before anything is drawn. */
  begin(): void {
    this.#question();
  }

  /** Notes that a frame was written. */
  drawn(): void {
    if (!this.#answers || this.#lost >= LOST_MAX || this.#askedAt !== null) return;
    this.#due--;
    if (!this.#isSlow && this.#due > 0) return;
    this.#due = EVERY;
    this.#question();
  }

  /** Notes that the terminal has answered. */
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

  /** Stops waiting, when the terminal is given back. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#askedAt = null;
    this.#isSlow = false;
  }

  /** Time after which an answer is lost, ms. */
  get #answerMs(): number {
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
    }, this.#answerMs);
    this.#timer.unref();
  }

  #settle(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#askedAt = null;
    this.#onFree();
  }
}

// Decides when to draw: soon after a change, at most once an interval, and never to a terminal that has not taken the last frame.

import type { Clock } from '../system/clock.ts';
import type { FramePacing } from './frame-pacing.ts';

/** Shortest time between two frames, ms. */
const FRAME_MS = 33;

/** Calls `draw` for requests. It holds at most one timer, which keeps no process alive. */
export class Renderer {
  readonly #draw: () => void;
  readonly #output: NodeJS.WriteStream;
  readonly #clock: Clock;
  readonly #pacing: FramePacing;
  #frames = 0;
  #last = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #draining = false;
  /** A frame waits until the terminal has drawn the last one. */
  #held = false;
  #stopped = false;

  constructor(draw: () => void, output: NodeJS.WriteStream, clock: Clock, pacing: FramePacing) {
    this.#draw = draw;
    this.#output = output;
    this.#clock = clock;
    this.#pacing = pacing;
  }

  /** Frames drawn so far. */
  get frames(): number {
    return this.#frames;
  }

  /** Asks for a frame: at once if the last is an interval ago, else when it is. Requests in between share one frame. */
  request(): void {
    if (this.#stopped || this.#timer !== null || this.#draining || this.#held) return;
    const wait = this.#last + FRAME_MS - this.#clock.monotonic();
    if (wait <= 0) {
      this.now();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.now();
    }, wait);
    this.#timer.unref();
  }

  /** Draws now, or, if the terminal lags, the then newest state once it has caught up. */
  now(): void {
    if (this.#stopped) return;
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    // Any queue counts, not only one above the stream's mark: over a slow line each queued frame puts seconds between a key and its effect.
    if (this.#output.writableLength > 0) {
      if (this.#draining) return;
      this.#draining = true;
      this.#output.write('', () => {
        this.#draining = false;
        this.now();
      });
      return;
    }
    this.#held = !this.#pacing.isFree;
    if (this.#held) return;
    this.#last = this.#clock.monotonic();
    this.#frames++;
    this.#draw();
  }

  /** Draws the frame that was held back, if any; the terminal is free. */
  freed(): void {
    if (this.#held) this.now();
  }

  /** Draws no more. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

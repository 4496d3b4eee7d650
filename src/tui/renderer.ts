// When to draw: soon after something changed, at most once an interval, and never onto a terminal that has not taken the last frame yet.

import type { Clock } from '../system/clock.ts';
import type { Line } from './frame-pacing.ts';

/** Shortest time between two frames. */
const FRAME_MS = 33;

/** Calls `draw` for requests. It holds at most one timer, which keeps no process alive. */
export class Renderer {
  /** Frames drawn so far. */
  frames = 0;
  private readonly draw: () => void;
  private readonly output: NodeJS.WriteStream;
  private readonly clock: Clock;
  private readonly line: Line;
  private last = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | null = null;
  private draining = false;
  /** A frame waits until the line has drawn the last one. */
  private held = false;
  private stopped = false;

  constructor(draw: () => void, output: NodeJS.WriteStream, clock: Clock, line: Line) {
    this.draw = draw;
    this.line = line;
    this.listen();
    this.output = output;
    this.clock = clock;
  }

  /** Draws what was held back as soon as the line is free. */
  listen(): void {
    this.line.onFree = () => {
      if (this.held) this.now();
    };
  }

  /** Asks for a frame: drawn at once when the last is an interval ago, else as soon as it is; requests in between are one frame. */
  request(): void {
    if (this.stopped || this.timer !== null || this.draining || this.held) return;
    const wait = this.last + FRAME_MS - this.clock.monotonic();
    if (wait <= 0) {
      this.now();
      return;
    }
    this.timer = setTimeout(() => {
      this.timer = null;
      this.now();
    }, wait);
    this.timer.unref();
  }

  /** Draws now, unless the terminal lags: then when it has caught up, with what is true by then. */
  now(): void {
    if (this.stopped) return;
    if (this.timer !== null) {
      clearTimeout(this.timer);
      this.timer = null;
    }
    // Not only above the stream's own mark: on a slow line each frame that waits is seconds between a key and what it does.
    if (this.output.writableLength > 0) {
      if (this.draining) return;
      this.draining = true;
      this.output.write('', () => {
        this.draining = false;
        this.now();
      });
      return;
    }
    this.held = !this.line.isFree;
    if (this.held) return;
    this.last = this.clock.monotonic();
    this.frames++;
    this.draw();
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}

// A clock that stands still until a test moves it; wall clock and monotonic clock move together, or apart.

import type { Clock } from '../../src/system/clock.ts';

/** Moves only when told to. */
export class FakeClock implements Clock {
  wall = 1_700_000_000_000;
  steady = 1000;

  now(): number {
    return this.wall;
  }

  monotonic(): number {
    return this.steady;
  }

  /** Time passes on both clocks. */
  pass(ms: number): void {
    this.wall += ms;
    this.steady += ms;
  }

  /** Somebody sets the wall clock. */
  set(ms: number): void {
    this.wall += ms;
  }
}

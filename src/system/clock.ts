// The program's time: the machine's clock when live, the packets' own times in a replay. Nothing else in this process reads Date.now().

/** A source of time. */
export interface Clock {
  /** Wall-clock time, epoch ms. It may jump. */
  now(): number;
  /** Milliseconds that never decrease; only for rates and deadlines. */
  monotonic(): number;
}

/** The machine's clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

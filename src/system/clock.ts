// Time as the program sees it: the machine's clock when live, the packets' own clock in a replay. Nothing else in this process reads Date.now().

/** A source of wall-clock time; epoch milliseconds, may jump. */
export interface Clock {
  now(): number;
  /** Milliseconds that never go back; for rates and deadlines only. */
  monotonic(): number;
}

/** The machine's clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

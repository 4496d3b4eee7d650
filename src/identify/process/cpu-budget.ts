// Limits work that can wait to a share of the processor: work that took t ms rests for a multiple of t. Counts processor time, not wall
// time: a busy machine does not stretch the pauses.

/** One kind of work. */
export class CpuBudget {
  readonly #rest: number;
  readonly #leastPauseMs: number;
  #spent = 0;
  #next = Number.NEGATIVE_INFINITY;

  /** @param rest times that pauses are longer than work: 20 is a twentieth of the time */
  constructor(rest: number, leastPauseMs: number) {
    this.#rest = rest;
    this.#leastPauseMs = leastPauseMs;
  }

  /** @param now monotonic ms */
  isDue(now: number): boolean {
    return now >= this.#next;
  }

  /** Does a part of the work. */
  measure<Result>(work: () => Result): Result {
    const begun = process.cpuUsage();
    const result = work();
    const { user, system } = process.cpuUsage(begun);
    this.#spent += (user + system) / 1000;
    return result;
  }

  /** The work is done: the pause begins. @param now monotonic ms */
  pause(now: number): void {
    this.#next = now + Math.max(this.#leastPauseMs, this.#spent * this.#rest);
    this.#spent = 0;
  }
}

// Limits deferrable work to a share of the CPU: after work that took t ms it pauses for a multiple of t. It counts CPU time, not wall time, so a
// busy machine doesn't lengthen the pauses.

/** The budget of one kind of work. */
export class CpuBudget {
  readonly #rest: number;
  readonly #minPauseMs: number;
  #spent = 0;
  #next = Number.NEGATIVE_INFINITY;

  /** @param rest ratio of pause to work: with 19, work takes a twentieth of the time */
  constructor(rest: number, minPauseMs: number) {
    this.#rest = rest;
    this.#minPauseMs = minPauseMs;
  }

  /** @param now monotonic ms */
  isDue(now: number): boolean {
    return now >= this.#next;
  }

  /** Runs part of the work and counts its CPU time. */
  measure<Result>(work: () => Result): Result {
    const begun = process.cpuUsage();
    const result = work();
    const { user, system } = process.cpuUsage(begun);
    this.#spent += (user + system) / 1000;
    return result;
  }

  /** Starts the pause after the work. @param now monotonic ms */
  pause(now: number): void {
    this.#next = now + Math.max(this.#minPauseMs, this.#spent * this.#rest);
    this.#spent = 0;
  }
}

// Runs a system program periodically: one run at a time, with a pause between runs that grows while it fails.

import { reasonOf } from '../model/errors.ts';
import type { Edges, RunResult } from './edges.ts';

/** First pause after a failure. Each further failure doubles it, up to the longest. */
const FIRST_BACK_OFF_MS = 2000;
const LONGEST_BACK_OFF_MS = 60_000;
/** A run that hasn't ended this long after its timeout is abandoned. */
const GRACE_MS = 5000;

/** The program, its pace and its limits. */
export interface PollPace {
  readonly path: string;
  /** Shortest time from the end of a run to the next. */
  readonly pauseMs: number;
  readonly limits: { readonly timeoutMs: number; readonly maxBytes: number };
}

/** One run. */
export interface PollRun {
  readonly args: readonly string[];
  /** Reads the output of a finished run. @returns null, or why the output is unusable */
  read(result: RunResult): string | null;
  /** Called if the run failed or its output was unusable. */
  failed(): void;
}

/** Pacing, watchdog and back-off for one program. Call `isReady` on every turn, because it also drives the watchdog. */
export class ChildPoll {
  /** Why the last run failed, in words for the user; null before the first run and after a success. */
  failure: string | null = null;
  readonly #edges: Edges;
  readonly #pace: PollPace;
  #current: PollRun | null = null;
  #deadline = 0;
  #nextRun = Number.NEGATIVE_INFINITY;
  #backOff = 0;
  #now = 0;
  #closed = false;

  constructor(edges: Edges, pace: PollPace) {
    this.#edges = edges;
    this.#pace = pace;
  }

  /** Whether a run may start. @param now monotonic ms */
  isReady(now: number): boolean {
    this.#now = now;
    if (this.#current !== null && now >= this.#deadline) this.#settle(this.#current, 'it does not end');
    return this.#current === null && !this.#closed && now >= this.#nextRun;
  }

  /** Starts a run; only after `isReady` returned true. */
  start(run: PollRun): void {
    const { path, limits } = this.#pace;
    this.#current = run;
    this.#deadline = this.#now + limits.timeoutMs + GRACE_MS;
    this.#edges.run(path, run.args, limits).then(
      (result) => {
        if (this.#current !== run) return; // abandoned, or closed
        const broken =
          result.failure !== null
            ? `it can't be run (${result.failure})`
            : result.cut !== null
              ? `it ${result.cut === 'time' ? 'took too long' : 'printed too much'}`
              : null;
        this.#settle(run, broken ?? run.read(result));
      },
      (thrown: unknown) => {
        if (this.#current === run) this.#settle(run, reasonOf(thrown));
      },
    );
  }

  /** Abandons the current run and starts no other. */
  close(): void {
    this.#closed = true;
    this.#current = null;
  }

  #settle(run: PollRun, failure: string | null): void {
    this.#current = null;
    this.failure = failure;
    this.#backOff = failure === null ? 0 : Math.min(LONGEST_BACK_OFF_MS, Math.max(FIRST_BACK_OFF_MS, this.#backOff * 2));
    this.#nextRun = this.#now + Math.max(this.#pace.pauseMs, this.#backOff);
    if (failure !== null) run.failed();
  }
}

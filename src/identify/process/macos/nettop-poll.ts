// Runs of nettop and what they list, paced. Knows which columns this nettop lets one choose; what is made of a list is for others.

import { ChildPoll } from '../../../system/child-poll.ts';
import type { Edges, RunResult } from '../../../system/edges.ts';
import { NETTOP_ARGUMENTS, NETTOP_COLUMNS, NETTOP_USAGE, type NettopReport, parseNettop } from './nettop.ts';

/** A call takes 10 to 100 ms; one a second is about 1 % of a core. */
const PAUSE_MS = 1000;
/** On one old machine a call took 5 s. */
const LIMITS = { timeoutMs: 10_000, maxBytes: 16 << 20 };

/** What becomes of a run. */
export interface NettopRun {
  /** It listed processes. */
  read(report: NettopReport): void;
  /** It refused to choose columns: the next run will not ask it to. */
  again(): void;
  failed(): void;
}

/** One run at a time, once a second at the most. */
export class NettopPoll {
  readonly #poll: ChildPoll;
  /** False once this nettop has refused to choose columns. */
  #choosesColumns = true;

  constructor(edges: Edges) {
    this.#poll = new ChildPoll(edges, { path: edges.paths.nettop, pauseMs: PAUSE_MS, limits: LIMITS });
  }

  /** Why the last run failed; null before the first and after one that was of use. */
  get failure(): string | null {
    return this.#poll.failure;
  }

  /** @param now monotonic ms */
  isReady(now: number): boolean {
    return this.#poll.isReady(now);
  }

  /** Starts a run; only after `isReady` returned true. */
  start(run: NettopRun): void {
    this.#poll.start({
      args: this.#choosesColumns ? [...NETTOP_ARGUMENTS, ...NETTOP_COLUMNS] : NETTOP_ARGUMENTS,
      read: (result) => this.#read(result, run),
      failed: () => run.failed(),
    });
  }

  close(): void {
    this.#poll.close();
  }

  #read({ status, stdout }: RunResult, run: NettopRun): string | null {
    const report = parseNettop(stdout);
    if (report.processes > 0) {
      run.read(report);
      return null;
    }
    if (this.#choosesColumns && (status === NETTOP_USAGE || report.columns.length === 0)) {
      this.#choosesColumns = false;
      run.again();
      return null;
    }
    // Something is always there, if only launchd's: an empty list means that we are not told.
    return report.columns.length > 0 ? 'it lists no processes' : `it printed no list (status ${status ?? 'unknown'})`;
  }
}

// Runs nettop at a limited rate and parses its lists. It finds out whether this nettop can select columns; callers interpret the lists.

import { ChildPoll } from '../../../system/child-poll.ts';
import type { Edges, RunResult } from '../../../system/edges.ts';
import { NETTOP_ARGUMENTS, NETTOP_COLUMNS, NETTOP_USAGE, type NettopReport, parseNettop } from './nettop.ts';

/** A run takes 10 to 100 ms. One a second uses about 1 % of a core. */
const PAUSE_MS = 1000;
/** On one old machine a run took 5 s. */
const LIMITS = { timeoutMs: 10_000, maxBytes: 16 << 20 };

/** Callbacks for the outcome of a run. */
export interface NettopRun {
  /** nettop listed processes. */
  read(report: NettopReport): void;
  /** nettop refused to select columns. The next run won't ask it to. */
  again(): void;
  failed(): void;
}

/** Runs one nettop at a time, at most once a second. */
export class NettopPoll {
  readonly #poll: ChildPoll;
  /** False once this nettop has refused to select columns. */
  #choosesColumns = true;

  constructor(edges: Edges) {
    this.#poll = new ChildPoll(edges, { path: edges.paths.nettop, pauseMs: PAUSE_MS, limits: LIMITS });
  }

  /** Why the last run failed; null before the first run and after a success. */
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
    // There is always something to list, launchd at least. An empty list means that we lack access.
    return report.columns.length > 0 ? 'it lists no processes' : `it printed no list (status ${status ?? 'unknown'})`;
  }
}

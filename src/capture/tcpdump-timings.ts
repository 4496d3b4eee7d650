// How long the tcpdump driver waits for what. Values only.

/** Waits of the driver, milliseconds; short ones in tests. */
export interface TcpdumpTimings {
  /** For the line that says it listens. */
  readonly readyMs: number;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** Before each new start; the last one goes on for ever. */
  readonly backOffMs: readonly number[];
  /** A child that ran as long starts the back-off anew. */
  readonly settledMs: number;
  /** Between two questions for the counters. */
  readonly pollMs: number;
  /** Questions without an answer, after which the child hangs. */
  readonly unanswered: number;
  /** What asks for the counters; null where the system has no such signal. */
  readonly question: NodeJS.Signals | null;
}

/** What a user gets. */
export const TCPDUMP_TIMINGS: TcpdumpTimings = {
  readyMs: 10_000,
  graceMs: 1_000,
  backOffMs: [1_000, 2_000, 5_000, 10_000],
  settledMs: 30_000,
  pollMs: 2_000,
  unanswered: 5,
  question: process.platform === 'darwin' ? 'SIGINFO' : null,
};

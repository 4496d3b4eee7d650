// What ends a run: the user, a signal, what nobody caught. Holds from before the screen opens, so that the terminal is given back
// whenever it comes, also while the parts of the run are still being loaded.

import { constants } from 'node:os';
import type { SessionEnd } from '../pipeline/live-session.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What is run and can be stopped; the first reason to stop holds. */
export interface Stoppable {
  run(): Promise<SessionEnd>;
  stop(end: SessionEnd): void;
}

/** Handlers for signals and for what nobody caught, between `new` and `close`. */
export class Guard {
  readonly #handlers: (readonly [name: (typeof SIGNALS)[number], handler: () => void])[];
  readonly #failed: Promise<never>;
  #fail: (thrown: unknown) => void = () => {};
  #session: Stoppable | null = null;
  #told: SessionEnd | null = null;

  constructor() {
    this.#failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined); // told to whoever runs a session; until then it waits
    this.#handlers = SIGNALS.map((name) => [name, () => this.stop({ kind: 'signal', number: constants.signals[name] })] as const);
    for (const [name, handler] of this.#handlers) process.on(name, handler);
    process.on('uncaughtException', this.#fail);
    process.on('unhandledRejection', this.#fail);
  }

  /** Ends the session, or keeps it from beginning. */
  stop(end: SessionEnd): void {
    if (this.#session === null) this.#told ??= end;
    else this.#session.stop(end);
  }

  /** Runs a session to its end. @param stays a session that is done stays until it is stopped: a replay on the screen */
  async run(session: Stoppable, stays: boolean): Promise<SessionEnd> {
    let left: (end: SessionEnd) => void = () => {};
    const leaving = new Promise<SessionEnd>((resolve) => {
      left = resolve;
    });
    const stop = session.stop.bind(session);
    session.stop = (end) => {
      left(end);
      stop(end);
    };
    this.#session = session;
    if (this.#told !== null) session.stop(this.#told);
    const end = await Promise.race([session.run(), this.#failed]);
    return stays && end.kind === 'done' ? await Promise.race([leaving, this.#failed]) : end;
  }

  /** Takes the handlers away: from now on a signal is the system's again. */
  close(): void {
    for (const [name, handler] of this.#handlers) process.removeListener(name, handler);
    process.removeListener('uncaughtException', this.#fail);
    process.removeListener('unhandledRejection', this.#fail);
  }
}

// The loop of a run, and what ends it: the user, a signal, a lost capture, an uncaught exception.

import { constants } from 'node:os';
import type { PacketSource } from '../capture/source.ts';
import { NetmonError } from '../model/errors.ts';
import type { SessionEnd } from '../pipeline/live-session.ts';
import type { Writing } from './writing.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What is run and can be stopped; the first reason to stop holds. */
export interface Stoppable {
  run(): Promise<SessionEnd>;
  stop(end: SessionEnd): void;
}

/** A run that is ready to go. */
export interface Loop {
  readonly guard: Guard;
  readonly session: Stoppable;
  readonly source: Pick<PacketSource, 'failure'>;
  /** A session that is done stays until it is stopped: a replay on the screen. */
  readonly stays: boolean;
  /** Writes packets meanwhile; null if none are written. */
  readonly writing: Writing | null;
}

/** Runs the session to its end. @returns the exit status. @throws what ended the run, if it was a failure */
export async function loop({ guard, session, source, stays, writing }: Loop): Promise<number> {
  const end = await guard.run(session, stays);
  await writing?.end();
  if (end.kind === 'lost') {
    throw (
      source.failure ??
      new NetmonError('device-lost', `the interface is gone: ${end.note}`, 'see what is left: netmon-tui interfaces')
    );
  }
  if (writing !== null && writing.failure !== null) throw writing.failure;
  return end.kind === 'signal' ? 128 + end.number : 0;
}

/**
 * Handles signals and uncaught exceptions between `new` and `close`. It is made before the screen opens, for the terminal must be given back
 * even if one of them comes while the parts of the run are still being loaded.
 */
export class Guard {
  readonly #handlers: (readonly [name: (typeof SIGNALS)[number], handler: () => void])[];
  readonly #failed: Promise<never>;
  #fail: (thrown: unknown) => void = () => {};
  #session: Stoppable | null = null;
  /** A reason to stop that came before the session. */
  #early: SessionEnd | null = null;
  /** Why the output can't be written. */
  #outputFailure: Error | null = null;

  constructor() {
    this.#failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined); // `run` rejects with it; it may come before that
    this.#handlers = SIGNALS.map((name) => [name, () => this.stop({ kind: 'signal', number: constants.signals[name] })] as const);
    for (const [name, handler] of this.#handlers) process.on(name, handler);
    process.on('uncaughtException', this.#fail);
    process.on('unhandledRejection', this.#fail);
  }

  /** Ends the session, or keeps it from beginning. */
  stop(end: SessionEnd): void {
    if (this.#session === null) this.#early ??= end;
    else this.#session.stop(end);
  }

  /** Ends the session because nothing more can be written. @param failure why; null if the reader went away, which is a normal end */
  outputClosed(failure: Error | null): void {
    this.#outputFailure ??= failure;
    this.stop({ kind: 'done' });
  }

  /**
   * Runs a session to its end.
   *
   * @param stays a session that is done stays until it is stopped
   * @throws an uncaught exception at once; a failure of the output once the session has ended
   */
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
    if (this.#early !== null) session.stop(this.#early);
    const ended = await Promise.race([session.run(), this.#failed]);
    const end = stays && ended.kind === 'done' ? await Promise.race([leaving, this.#failed]) : ended;
    if (this.#outputFailure !== null) throw this.#outputFailure;
    return end;
  }

  /** Takes the handlers away: a signal ends the program again. */
  close(): void {
    for (const [name, handler] of this.#handlers) process.removeListener(name, handler);
    process.removeListener('uncaughtException', this.#fail);
    process.removeListener('unhandledRejection', this.#fail);
  }
}

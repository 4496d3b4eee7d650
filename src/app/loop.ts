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

/** What runs meanwhile, and decides how long. */
export interface Accompanied {
  /** @param stop ends the session, once it is over */
  accompany(stop: () => void): void;
  /** Waits for its end. @param isWhole false if the session ended before @returns the exit status */
  finish(isWhole: boolean): Promise<number>;
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
  /** What is run meanwhile; null for nothing. */
  readonly command: Accompanied | null;
}

/** Runs the session to its end. @returns the exit status. @throws what ended the run, if it was a failure */
export async function loop({ guard, session, source, stays, writing, command }: Loop): Promise<number> {
  command?.accompany(() => guard.stop({ kind: 'done' }));
  const end = await guard.run(session, stays);
  if (command !== null) return command.finish(end.kind !== 'lost');
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

  /** @param take takes a signal in place of the session; null has each end it */
  constructor(take: ((name: (typeof SIGNALS)[number]) => void) | null = null) {
    this.#failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined); // `run` rejects with it; it may come before that
    const end = (name: (typeof SIGNALS)[number]) => this.stop({ kind: 'signal', number: constants.signals[name] });
    this.#handlers = SIGNALS.map((name) => [name, () => (take ?? end)(name)] as const);
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

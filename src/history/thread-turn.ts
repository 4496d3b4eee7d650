// One thread with SQLite in it at a time: each takes some 40 MiB while it is there. Who is asked to leave ends what it does first, and is not
// waited for longer than a moment: memory is worth less than what is recorded.

import { type ErrorCode, NetmonError } from '../model/errors.ts';
import { type HistoryFault, HistoryFileError } from './files.ts';

/** How long whoever holds the turn is waited for; a question takes a second, a save of a large file three. */
const PATIENCE_MS = 10_000;

/** Gives the turn back; calling it twice does no harm. */
export type GiveBack = () => void;

/** A turn that goes round, in the order in which it was asked for. */
export class ThreadTurn {
  #last: Promise<void> = Promise.resolve();
  #leave: (() => void) | null = null;
  #waiting = 0;

  /**
   * Waits for the turn.
   *
   * @param leave called when another waits for it, once it was taken
   * @returns what gives it back; never rejects
   */
  async take(leave: () => void): Promise<GiveBack> {
    const before = this.#last;
    let free = () => {};
    this.#last = new Promise((resolve) => {
      free = resolve;
    });
    this.#waiting++;
    this.#leave?.();
    await atMost(PATIENCE_MS, before);
    this.#waiting--;
    this.#leave = leave;
    if (this.#waiting > 0) leave();
    return () => {
      if (this.#leave === leave) this.#leave = null;
      free();
    };
  }
}

/** The turn of this process. */
export const threadTurn = new ThreadTurn();

async function atMost(ms: number, wanted: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([wanted, late]);
  clearTimeout(timer);
}

// Failures between threads: a NetmonError stays one, with its code and its hint. What a thread throws crosses as plain data.

/** A failure as plain data. */
export interface SentError {
  readonly message: string;
  /** null: not expected, a bug. */
  readonly code: ErrorCode | null;
  readonly hint: string | null;
  readonly why: HistoryFault | null;
  /** Of a system call: ENOSPC ... */
  readonly system: string | null;
}

/** What was thrown, to be sent. */
export function sentError(thrown: unknown): SentError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const system = (thrown as NodeJS.ErrnoException | null)?.code ?? null;
  if (!(thrown instanceof NetmonError)) return { message, code: null, hint: null, why: null, system };
  const why = thrown instanceof HistoryFileError ? thrown.why : null;
  return { message, code: thrown.code, hint: thrown.hint, why, system: null };
}

/** What was sent, to be thrown. */
export function receivedError({ message, code, hint, why, system }: SentError): Error {
  if (why !== null) return new HistoryFileError(why, message);
  if (code !== null) return new NetmonError(code, message, hint);
  return Object.assign(new Error(message), system === null ? {} : { code: system });
}

// Bounds of the memory of threads that ask SQLite. Numbers only: whoever starts such a thread needs no SQLite itself.

/** MiB. Rows pass by and are garbage at once: V8 gives such garbage 48 MiB otherwise before it clears up. */
export const THREAD_LIMITS = { maxYoungGenerationSizeMb: 4 } as const;

// What a thread of ours does between loading its code and touching a file of history: whatever the run asks for, by the name of a module.
// The store knows nothing of rights; it only keeps the order.

/** A module that is called so; see privilege/bare-thread.ts. */
interface BeforeWork {
  giveUp(): Promise<void>;
}

/**
 * Calls it. Everything that the thread runs must have been loaded: its own code may lie where only root may read.
 *
 * @param module its URL; null where there is nothing to do. Rejects where it could not be done: the thread must not go on
 */
export async function beforeWork(module: string | null): Promise<void> {
  if (module !== null) await ((await import(module)) as BeforeWork).giveUp();
}

// What the threads of history share: the slot that lets one of them run at a time, the form in which failures cross between threads, and
// their memory limits. Starts no thread itself.

import { type ErrorCode, NetmonError } from '../model/errors.ts';
import { type HistoryFault, HistoryFileError } from './files.ts';

/** MiB. Rows are garbage as soon as they have passed; without this limit V8 collects them only after 48 MiB. */
export const THREAD_LIMITS = { maxYoungGenerationSizeMb: 4 } as const;

/** A query takes a second, a save of a large file three. */
const LONGEST_WAIT_MS = 10_000;

/** Frees the slot; calling it twice does no harm. */
export type ReleaseSlot = () => void;

/**
 * A lock with a queue: one thread with SQLite in it at a time, for each takes some 40 MiB. Nobody waits longer than ten seconds: recording
 * on time is worth more than the memory.
 */
export class ThreadSlot {
  #last: Promise<void> = Promise.resolve();
  #onContended: (() => void) | null = null;
  #waiting = 0;

  /**
   * Waits for the slot, in the order of the calls.
   *
   * @param onContended called when another thread waits for the slot while this one has it: finish, then release
   * @returns never rejects
   */
  async acquire(onContended: () => void): Promise<ReleaseSlot> {
    const previous = this.#last;
    let free = () => {};
    this.#last = new Promise((resolve) => {
      free = resolve;
    });
    this.#waiting++;
    this.#onContended?.();
    await atMost(LONGEST_WAIT_MS, previous);
    this.#waiting--;
    this.#onContended = onContended;
    if (this.#waiting > 0) onContended();
    return () => {
      if (this.#onContended === onContended) this.#onContended = null;
      free();
    };
  }
}

/** The slot of this process. */
export const threadSlot = new ThreadSlot();

async function atMost(ms: number, wanted: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([wanted, late]);
  clearTimeout(timer);
}

/** A failure as plain data. */
export interface SentError {
  readonly message: string;
  /** null for an unexpected failure, a bug. */
  readonly code: ErrorCode | null;
  readonly hint: string | null;
  readonly why: HistoryFault | null;
  /** Code of a failed system call: ENOSPC ... */
  readonly system: string | null;
}

/** Turns what a thread threw into plain data: a class doesn't survive the way between threads. */
export function sentError(thrown: unknown): SentError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const system = (thrown as NodeJS.ErrnoException | null)?.code ?? null;
  if (!(thrown instanceof NetmonError)) return { message, code: null, hint: null, why: null, system };
  const why = thrown instanceof HistoryFileError ? thrown.why : null;
  return { message, code: thrown.code, hint: thrown.hint, why, system: null };
}

/** Turns it back into an error of the same class. */
export function receivedError({ message, code, hint, why, system }: SentError): Error {
  if (why !== null) return new HistoryFileError(why, message);
  if (code !== null) return new NetmonError(code, message, hint);
  return Object.assign(new Error(message), system === null ? {} : { code: system });
}

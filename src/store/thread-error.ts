// Failures between threads: a NetmonError stays one, with its code and its hint. What a thread throws crosses as plain data.

import { type ErrorCode, NetmonError } from '../errors.ts';
import { type HistoryFault, HistoryFileError } from './history-file-error.ts';

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

// The reading side of a history, as it runs in its thread: loads the files once, answers calls in order. Writes nothing.

import type { SqlJsStatic } from 'sql.js';
import type { HistoryDatabase } from './history-database.ts';
import { type HistoryState, loadHistory, refreshHistory } from './history-load.ts';
import type { CallName, ReaderReply, ReaderRequest } from './reader-calls.ts';
import { sentError } from './thread-error.ts';

/** What is asked for page by page. Bounded: a reader that opens lists and leaves them loses the oldest. */
const MOST_LISTS = 16;

/** Answers requests about one history. */
export class ReaderService {
  readonly #sql: SqlJsStatic;
  readonly #path: string;
  readonly #lists = new Map<number, Iterator<unknown>>();
  #state: HistoryState | null = null;

  constructor(sql: SqlJsStatic, path: string) {
    this.#sql = sql;
    this.#path = path;
  }

  /** Never throws. */
  answer({ id, name, args }: ReaderRequest): ReaderReply {
    try {
      return { id, value: this.#call(name, args) };
    } catch (thrown) {
      return { id, failure: sentError(thrown) };
    }
  }

  #call(name: CallName, args: readonly unknown[]): unknown {
    if (name === 'next') return this.#next(args[0] as number);
    if (name === 'end') return void this.#lists.delete(args[0] as number);
    const loaded = this.#state !== null;
    this.#state ??= loadHistory(this.#sql, this.#path);
    if (name === 'refresh') {
      if (loaded) this.#state = refreshHistory(this.#sql, this.#path, this.#state);
      return null;
    }
    const { database } = this.#state;
    if (name === 'records' || name === 'flows') return this.#open(database, name, args);
    return callOf(database, name)(...args);
  }

  #open(database: HistoryDatabase, name: 'records' | 'flows', [list, from, to, rows]: readonly unknown[]): null {
    const pages = callOf(database, name)(from, to, rows) as Iterable<unknown>;
    this.#lists.set(list as number, pages[Symbol.iterator]());
    for (const oldest of this.#lists.keys()) {
      if (this.#lists.size <= MOST_LISTS) break;
      this.#lists.delete(oldest);
    }
    return null;
  }

  #next(list: number): unknown {
    const step = this.#lists.get(list)?.next();
    if (step === undefined) throw new Error('a list of history that is not open');
    if (step.done !== true) return step.value;
    this.#lists.delete(list);
    return null;
  }
}

/** A method of the database by its name; the arguments are those of HistoryReader, which checks them. */
function callOf(database: HistoryDatabase, name: string): (...args: readonly unknown[]) => unknown {
  const method = (database as unknown as Record<string, unknown>)[name];
  if (typeof method !== 'function') throw new Error(`history can't answer ${name}`);
  return method.bind(database);
}

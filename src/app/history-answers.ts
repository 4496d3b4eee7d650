// Answers the screen's questions about recorded history: opens the file when the first one comes, asks one thing at a time, and forgets what
// was overtaken by a newer question for the same place.

import type { HistoryReader } from '../history/query/reader.ts';
import { NetmonError, reasonOf } from '../model/errors.ts';
import { bareThread } from '../privilege/bare-thread.ts';
import type { Clock } from '../system/clock.ts';
import { trimMemory } from '../system/memory.ts';
import type { HistoryAnswer, HistoryAsk, HistoryRequest, HistorySlot } from '../view/history/state.ts';

/** What was written since is read before a question when the last look is this long ago. The screen asks each minute what changes. */
const STALE_MS = 45_000;
/** The reader is given up this long after the last question, so that its memory goes back. */
const IDLE_MS = 90_000;
/** Domains of an app that are told, the first ones: more than a browser reaches in years. */
const DOMAINS_MAX = 20_000;
/** All times that a file may hold. */
const FOREVER = 8_640_000_000_000_000;

/** What answers are made with. */
export interface AnswerParts {
  /** null where this run has no file to read. */
  readonly path: string | null;
  readonly open: (path: string) => Promise<HistoryReader>;
  readonly clock: Clock;
  readonly tell: (slot: HistorySlot, serial: number, answer: HistoryAnswer) => void;
}

/** Questions in, answers out; each question is answered once or overtaken. Never throws. */
export class HistoryAnswers {
  readonly #parts: AnswerParts;
  readonly #waiting = new Map<HistorySlot, HistoryRequest>();
  #reader: HistoryReader | null = null;
  #read = Number.NEGATIVE_INFINITY;
  #working: Promise<void> | null = null;
  #idle: NodeJS.Timeout | null = null;
  /** Why the file can't be read, for what waits beside the question that found out. */
  #refusal: HistoryAnswer | null = null;
  #closed = false;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /** Takes questions; one for a place that still waits replaces it. */
  ask(requests: readonly HistoryRequest[]): void {
    if (this.#closed) return;
    for (const request of requests) {
      this.#waiting.delete(request.slot); // the newest goes last
      this.#waiting.set(request.slot, request);
    }
    this.#working ??= this.#work();
  }

  /** Ends the reader; what waits is never answered. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    await this.#leave();
  }

  async #work(): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    for (;;) {
      const request = this.#next();
      if (request === null) break;
      const answer: HistoryAnswer = this.#refusal ?? (await this.#answer(request.ask));
      if (!this.#closed) this.#parts.tell(request.slot, request.serial, answer);
    }
    this.#working = null;
    this.#refusal = null;
    if (this.#closed) return;
    this.#idle = setTimeout(() => void this.#leave(), IDLE_MS);
    this.#idle.unref();
  }

  #next(): HistoryRequest | null {
    for (const [slot, request] of this.#waiting) {
      this.#waiting.delete(slot);
      return request;
    }
    return null;
  }

  async #answer(ask: HistoryAsk): Promise<HistoryAnswer> {
    try {
      const reader = await this.#ready();
      if (ask.kind === 'rows') return { kind: 'rows', result: await reader.query(ask.query) };
      const domains = await reader.firstSeen({ from: 0, to: FOREVER, app: ask.app, most: DOMAINS_MAX });
      return {
        kind: 'first-seen',
        app: ask.app,
        domains: domains.map(({ domain, time }) => ({ domain, time })),
        isCut: domains.length >= DOMAINS_MAX,
      };
    } catch (thrown) {
      const hint = thrown instanceof NetmonError ? thrown.hint : null;
      const failed: HistoryAnswer = { kind: 'failed', message: reasonOf(thrown), hint };
      if (this.#reader === null) this.#refusal = failed;
      return failed;
    }
  }

  /** The reader, with what was written up to a moment ago. */
  async #ready(): Promise<HistoryReader> {
    const { path, open, clock } = this.#parts;
    if (path === null) throw new NetmonError('history', 'this run has no history file', 'name one: netmon-tui --history=PATH');
    const now = clock.monotonic();
    if (this.#reader === null) this.#reader = await open(path);
    else if (now - this.#read < STALE_MS) return this.#reader;
    else await this.#reader.refresh();
    this.#read = now;
    return this.#reader;
  }

  async #leave(): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    const reader = this.#reader;
    this.#reader = null;
    await reader?.close();
  }
}

// History as a run reads it: by a thread that holds no rights, loaded with the first question.

/** Opens the history in a file. Rejects with NetmonError `history` where there is none that can be read. */
export async function openBareHistory(path: string): Promise<HistoryReader> {
  const [{ openHistory }, { readerThreads }] = await Promise.all([
    import('../history/query/open.ts'),
    import('../history/query/reader-thread.ts'),
  ]);
  return openHistory(path, readerThreads(bareThread(path, false), trimMemory));
}

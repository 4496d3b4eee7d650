// Answers the screen's questions about recorded history. The file is opened for the first question; one question is asked at a time, and a
// newer question for the same slot replaces one that still waits.

import { isMissingHistory, missingHistory } from '../history/files.ts';
import type { HistoryReader } from '../history/query/reader.ts';
import { NetmonError, reasonOf } from '../model/errors.ts';
import type { HistoryAnswer, HistoryQuestion } from '../model/history.ts';
import type { Clock } from '../system/clock.ts';
import { trimMemory } from '../system/memory.ts';
import type { HistoryRequest, HistorySlot } from '../view/history/state.ts';
import { hasHistory } from './known-history.ts';

/** A question after this time first reads what was written meanwhile. The screen asks each minute for what changes. */
const STALE_MS = 45_000;
/** Domains in an answer about an app, the earliest ones: more than a browser reaches in years. */
const DOMAINS_MAX = 20_000;
/** After every time that a file may hold, epoch ms. */
const FOREVER = 8_640_000_000_000_000;

/** What answers are made from. */
export interface AnswerParts<Slot extends string = HistorySlot> {
  /** null if this run has no file to read. */
  readonly path: string | null;
  readonly open: (path: string) => Promise<HistoryReader>;
  readonly clock: Clock;
  /** Takes the answer to question `serial` of a slot. */
  readonly tell: (slot: Slot, serial: number, answer: HistoryAnswer) => void;
}

/** A question for a slot. */
type Request<Slot extends string> = Omit<HistoryRequest, 'slot'> & { readonly slot: Slot };

/** Questions in, answers out; each question is answered once or replaced. Never throws. */
export class HistoryAnswers<Slot extends string = HistorySlot> {
  readonly #parts: AnswerParts<Slot>;
  readonly #waiting = new Map<Slot, Request<Slot>>();
  #reader: HistoryReader | null = null;
  #read = Number.NEGATIVE_INFINITY;
  #working: Promise<void> | null = null;
  /** Why the file can't be read: the answer to all questions that waited when this was found out. */
  #refusal: HistoryAnswer | null = null;
  #closed = false;

  constructor(parts: AnswerParts<Slot>) {
    this.#parts = parts;
  }

  /** Takes questions; each replaces one that waits for the same slot. */
  ask(requests: readonly Request<Slot>[]): void {
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
    const reader = this.#reader;
    this.#reader = null;
    await reader?.close();
  }

  async #work(): Promise<void> {
    for (;;) {
      const request = this.#next();
      if (request === null) break;
      const answer: HistoryAnswer = this.#refusal ?? (await this.#answer(request.question));
      if (!this.#closed) this.#parts.tell(request.slot, request.serial, answer);
    }
    this.#working = null;
    this.#refusal = null;
  }

  #next(): Request<Slot> | null {
    for (const [slot, request] of this.#waiting) {
      this.#waiting.delete(slot);
      return request;
    }
    return null;
  }

  async #answer(ask: HistoryQuestion): Promise<HistoryAnswer> {
    const { path } = this.#parts;
    if (path === null) return { kind: 'missing' };
    try {
      const reader = await this.#ready(path);
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
      const failed: HistoryAnswer = isMissingHistory(thrown)
        ? { kind: 'missing' }
        : { kind: 'failed', message: reasonOf(thrown), hint };
      if (this.#reader === null) this.#refusal = failed;
      return failed;
    }
  }

  /** The reader, up to date. */
  async #ready(path: string): Promise<HistoryReader> {
    const { open, clock } = this.#parts;
    const now = clock.monotonic();
    if (this.#reader === null) this.#reader = await open(path);
    else if (now - this.#read < STALE_MS) return this.#reader;
    else await this.#reader.refresh();
    this.#read = now;
    return this.#reader;
  }
}

/** Opens the history in a file, in a thread without rights. Rejects with NetmonError `history` if there is none that can be read. */
export async function openBareHistory(path: string): Promise<HistoryReader> {
  const { openHistory, readerThreads } = await import('../history/query/reader.ts');
  return openHistory(path, readerThreads({ dropsRights: true, onEnd: trimMemory }));
}

/** Opens history once root was dropped. Call it before: root may look into every folder, and so knows whether there is a history. */
export function historyOpener(path: string | null): AnswerParts['open'] {
  const isMissing = path !== null && !hasHistory(path);
  return (file) =>
    openBareHistory(file).catch((thrown: unknown) => {
      throw isMissing && reasonOf(thrown).endsWith(': permission denied') ? missingHistory(file) : thrown;
    });
}

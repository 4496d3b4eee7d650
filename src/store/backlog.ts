// What could not be written yet, while the disk is full or gone: batches summed by minute and facts, within a bound. Pure.

import type { HistoryBatch, HistoryEntry, LoggedFlow } from '../aggregate/history-batch.ts';

/** Combinations kept; 338 bytes each. A busy machine fills them in hours. */
const MOST_ENTRIES = 50_000;
/** Beyond that hosts are folded; and beyond this bytes are lost. */
const MOST_FOLDED = 60_000;
const MOST_FLOWS = 5_000;
/** Entries of one batch that comes out, so that writing it is short work. */
const BATCH_ENTRIES = 1024;

type Sum = { -readonly [K in keyof HistoryEntry]: HistoryEntry[K] };

/** Sums batches. */
export class Backlog {
  /** Bytes that found no room. */
  lostBytes = 0;
  readonly #minutes = new Map<number, Map<string, Sum>>();
  #flows: LoggedFlow[] = [];
  #unlogged = 0;
  #count = 0;
  #newest = 0;

  get isEmpty(): boolean {
    return this.#minutes.size === 0 && this.#flows.length === 0 && this.#unlogged === 0;
  }

  add(batch: HistoryBatch): void {
    this.#newest = batch.minute;
    this.#unlogged += batch.unlogged;
    const room = Math.max(0, MOST_FLOWS - this.#flows.length);
    for (const flow of batch.flows.slice(0, room)) this.#flows.push(flow);
    this.#unlogged += Math.max(0, batch.flows.length - room);
    if (batch.entries.length === 0) return;
    const sums = this.#minutes.get(batch.minute) ?? new Map<string, Sum>();
    this.#minutes.set(batch.minute, sums);
    for (const entry of batch.entries) this.#sum(sums, entry);
  }

  /** All that is held, oldest minute first, in batches of a bounded size; it holds nothing then. */
  take(): HistoryBatch[] {
    const batches: HistoryBatch[] = [];
    for (const [minute, sums] of this.#minutes)
      batches.push(...partsOf({ minute, entries: [...sums.values()], flows: [], unlogged: 0 }));
    if (this.#flows.length > 0 || this.#unlogged > 0)
      batches.push(...partsOf({ minute: this.#newest, entries: [], flows: this.#flows, unlogged: this.#unlogged }));
    this.#minutes.clear();
    this.#flows = [];
    this.#unlogged = 0;
    this.#count = 0;
    return batches;
  }

  #sum(sums: Map<string, Sum>, entry: HistoryEntry): void {
    const own = keyOf(entry);
    const folds = this.#count >= MOST_ENTRIES && !sums.has(own);
    const key = folds ? keyOf({ ...entry, host: null, domain: null }) : own;
    const sum = sums.get(key);
    if (sum === undefined) {
      if (this.#count >= MOST_FOLDED) {
        this.lostBytes += Math.max(0, entry.rxBytes + entry.txBytes);
        return;
      }
      this.#count++;
      sums.set(key, folds ? { ...entry, host: null, domain: null } : { ...entry });
      return;
    }
    sum.rxBytes += entry.rxBytes;
    sum.txBytes += entry.txBytes;
    sum.rxPackets += entry.rxPackets;
    sum.txPackets += entry.txPackets;
    sum.flows += entry.flows;
  }
}

/** A batch in parts of a bounded size. */
export function partsOf(batch: HistoryBatch): HistoryBatch[] {
  const { minute, entries, flows, unlogged } = batch;
  if (entries.length <= BATCH_ENTRIES && flows.length <= BATCH_ENTRIES) return [batch];
  const parts: HistoryBatch[] = [];
  for (let at = 0; at < Math.max(entries.length, flows.length); at += BATCH_ENTRIES) {
    parts.push({
      minute,
      entries: entries.slice(at, at + BATCH_ENTRIES),
      flows: flows.slice(at, at + BATCH_ENTRIES),
      unlogged: at === 0 ? unlogged : 0,
    });
  }
  return parts;
}

function keyOf(entry: HistoryEntry): string {
  const { app, reason, exe, host, domain, category, protocol, direction } = entry;
  return [app, reason, exe, host, domain, category, entry.interface, protocol, direction].map((text) => text ?? '\0').join('\n');
}

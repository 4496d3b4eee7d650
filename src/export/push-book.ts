// Turns batches of settled minutes into samples to be pushed. It is the same for the same batches, whenever they are sent and however often: what is
// sent twice has the same times and values. Times never go back, because engines refuse that.

import type { ExportBatch, MinuteRow } from '../model/export-batch.ts';
import { METRICS, type MetricSample, type MetricSet } from '../model/metrics.ts';
import { CounterBook, type CounterState, isCounterState } from './counter-book.ts';
import { MOST_APPS } from './metric-set.ts';

const MINUTE_MS = 60_000;
/** Series are told at least this often, even if nothing moves: Prometheus takes those for gone that are silent for five minutes. */
const WHOLE_MS = 4 * MINUTE_MS;
/** A newest sample this far ahead is from a clock that was wrong. */
const AHEAD_MS = 86_400_000;
const VERSION = 1;

/** What has to be known to go on after a restart: plain JSON. */
export interface PushState {
  readonly version: number;
  /** Of the last batch that the engine has. */
  readonly token: string;
  /** Start of the first minute that was counted, epoch ms; 0 for none. */
  readonly since: number;
  /** Time of the newest samples, epoch ms. */
  readonly newest: number;
  readonly counters: CounterState;
}

/** Counts batches, one after the other. */
export class PushBook {
  readonly #counters: CounterBook;
  #since: number;
  #newest: number;

  /** @param state null begins anew */
  constructor(state: PushState | null) {
    this.#since = state?.since ?? 0;
    this.#newest = state?.newest ?? 0;
    this.#counters = new CounterBook(MOST_APPS, state?.counters ?? null);
  }

  /** Since when it counts: the start of its first minute, epoch ms; 0 before there is one. */
  get since(): number {
    return this.#since;
  }

  /** Counts a batch. @returns for each of its minutes, in order, what it changed; before that the zeros from which new counters rise */
  add({ minutes }: Pick<ExportBatch, 'minutes'>): (readonly MetricSet[])[] {
    const byTime = new Map<number, MinuteRow[]>();
    for (const row of minutes) {
      const rows = byTime.get(row.time);
      if (rows === undefined) byTime.set(row.time, [row]);
      else rows.push(row);
    }
    return [...byTime].sort(([a], [b]) => a - b).map(([time, rows]) => this.#addMinute(rows, time + MINUTE_MS));
  }

  /** The book as it is now. @param token of the batch that was counted last */
  state(token: string): PushState {
    return {
      version: VERSION,
      token,
      since: this.#since,
      newest: this.#newest,
      counters: this.#counters.state(),
    };
  }

  /** @param end of the minute, epoch ms. A minute that comes in several batches, or late, has its samples a moment after the newest. */
  #addMinute(rows: readonly MinuteRow[], end: number): MetricSet[] {
    if (this.#since === 0) this.#since = end - MINUTE_MS;
    const before = new Map(this.#samples().map((sample) => [keyOf(sample), sample.value]));
    this.#counters.add(rows, end);
    if (this.#newest > end + AHEAD_MS) this.#newest = 0;
    this.#newest = Math.max(end, this.#newest + 1);
    const time = this.#newest;
    const isWhole = time === end && end % WHOLE_MS === 0;
    const samples = this.#samples().filter((sample) => isWhole || before.get(keyOf(sample)) !== sample.value);
    // An engine takes the first value of a counter for where it began, and would miss what it counts.
    const fresh = samples.filter((sample) => METRICS[sample.metric].type === 'counter' && !before.has(keyOf(sample)));
    if (fresh.length === 0) return [{ time, samples }];
    const zeros = fresh.map((sample) => ({ ...sample, value: 0 }));
    return [
      // After the minute before: an engine that knows the series from an earlier book has a sample of that time.
      { time: Math.max(this.#since, Math.min(end - MINUTE_MS + 1, time - 1)), samples: zeros },
      { time, samples },
    ];
  }

  #samples(): MetricSample[] {
    const samples: MetricSample[] = [];
    this.#counters.samples(samples);
    return samples;
  }
}

function keyOf({ metric, labels }: MetricSample): string {
  return JSON.stringify([metric, ...labels]);
}

/** What a book's file says; null if it is none, or of another version. */
export function pushStateIn(text: string): PushState | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { version, token, since, newest, counters } = value as Partial<Record<keyof PushState, unknown>>;
  const isTime = (time: unknown) => typeof time === 'number' && Number.isFinite(time) && time >= 0;
  const isState = version === VERSION && typeof token === 'string' && isTime(since) && isTime(newest) && isCounterState(counters);
  return isState ? (value as PushState) : null;
}

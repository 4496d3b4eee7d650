// Keeps the metrics of a run and hands them to the messenger: collected every few seconds, counted once they are settled. It opens nothing, and
// knows no engine.

import type { AppMetricsCollector } from '../aggregate/metrics/app-metrics.ts';
import { CounterBook } from '../export/counter-book.ts';
import { MOST_APPS, metricSet } from '../export/metric-set.ts';
import type { MetricSet } from '../model/metrics.ts';
import type { Clock } from '../system/clock.ts';

/** As often as history collects: flows wait for their owners for a few collections, ms. */
const COLLECT_MS = 2500;
/** Collections from one set to the next: ten seconds, less than anybody's scrape interval. */
const SETS = 4;

/** What a feed works with. */
export interface MetricsFeedParts {
  readonly metrics: AppMetricsCollector;
  readonly clock: Clock;
  readonly version: string;
  /** Takes a set of all metrics, each in place of the one before. */
  readonly tell: (set: MetricSet) => void;
}

/** Feeds from `start` to `close`. */
export class MetricsFeed {
  readonly #parts: MetricsFeedParts;
  readonly #book = new CounterBook(MOST_APPS);
  #collections = 0;
  /** When it began, epoch ms: minutes before it were nobody's to count. */
  #since = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: MetricsFeedParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => this.collect(), COLLECT_MS);
    this.#timer.unref();
    this.collect();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Collects, and now and then tells. */
  collect(): void {
    const { metrics, clock, version, tell } = this.#parts;
    const now = clock.now();
    this.#since = Math.min(this.#since, now);
    const taken = metrics.take(now);
    for (const { rows, until } of taken.settled) this.#book.add(rows, until);
    if (taken.until > this.#since) this.#book.add([], taken.until);
    this.#book.expect(taken.unsettled);
    this.#book.addTcp(taken.tcp);
    if (this.#collections++ % SETS === 0) tell(metricSet(this.#book, taken, now, version));
  }
}

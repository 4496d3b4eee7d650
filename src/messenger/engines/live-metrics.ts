// Metrics that are only true when they are told, such as open connections and losses, on their way to the engines that are pushed to. The counters of
// settled minutes go another way, on which nothing is lost.

import type { MetricName, MetricSet } from '../../model/metrics.ts';
import type { Clock } from '../../system/clock.ts';

/** Those that settled minutes have. */
const SETTLED: ReadonlySet<MetricName> = new Set<MetricName>([
  'appBytes',
  'appPackets',
  'appConnections',
  'categoryBytes',
  'categoryPackets',
  'interfaceBytes',
  'interfacePackets',
  'reassignedBytes',
  'reassignedPackets',
  'reassignedConnections',
  'settled',
]);
/** Older ones are no longer true, ms. */
const STALE_MS = 60_000;

/** Those of a moment, and since when their counters count: the start of the run. */
export interface LiveSet extends MetricSet {
  /** Epoch ms. */
  readonly since: number;
}

/** The newest of them, for one engine. */
export class LiveMetrics {
  readonly #clock: Clock;
  #set: LiveSet | null = null;
  #givenAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes what is true now. */
  give({ time, samples }: MetricSet): void {
    const started = samples.find(({ metric }) => metric === 'started');
    const since = started === undefined ? time : Math.min(time, started.value * 1000);
    this.#set = { time, since, samples: samples.filter(({ metric }) => !SETTLED.has(metric)) };
    this.#givenAt = this.#clock.monotonic();
  }

  /** What is true now, once; null if nothing new was given since, or it is too old. */
  take(): LiveSet | null {
    const set = this.#clock.monotonic() - this.#givenAt < STALE_MS ? this.#set : null;
    this.#set = null;
    return set;
  }
}

// All metrics of a moment, in the order of their table: the counters of a book, and what the run tells now.

import type { AppMetrics, MetricName, MetricSample, MetricSet, OpenConnections } from '../model/metrics.ts';
import type { CounterBook } from './counter-book.ts';

/** Apps with series of their own. */
export const MOST_APPS = 32;

/**
 * The samples of a moment.
 *
 * @param book has counted everything up to now
 * @param time epoch ms
 * @param version of the program
 */
export function metricSet(book: CounterBook, { open, run }: AppMetrics, time: number, version: string): MetricSet {
  const samples: MetricSample[] = [];
  book.samples(samples);
  openSamples(samples, book, open);
  const tell = (metric: MetricName, value: number | null, ...labels: string[]) => {
    if (value !== null && Number.isFinite(value)) samples.push({ metric, labels, value });
  };
  tell('build', 1, version);
  if (run === null) return { time, samples };
  tell('connections', run.connections);
  for (const { kind, severity, count } of run.alerts) tell('alerts', count, kind, severity);
  tell('unownedShare', run.unownedShare);
  tell('capturedShare', run.capturedShare);
  tell('frames', run.frames);
  tell('dropped', run.dropped, 'kernel');
  tell('dropped', run.shed, 'netmon-tui');
  tell('evicted', run.evicted);
  tell('started', run.started / 1000);
  return { time, samples };
}

function openSamples(samples: MetricSample[], book: CounterBook, open: readonly OpenConnections[]): void {
  const counts = new Map<string, number>();
  for (const each of open) {
    const series = book.seriesOf(each);
    counts.set(series, (counts.get(series) ?? 0) + each.count);
  }
  for (const [series, value] of counts) samples.push({ metric: 'appOpen', labels: [series], value });
}

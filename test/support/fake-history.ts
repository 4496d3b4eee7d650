// Recorded history without a file: answers any query from a small model of apps, hosts and days, the same each time. Sums over apps, domains,
// categories and interfaces of one stretch are equal.

import type { Gathered, HistoryAnswer, HistoryQuery, HistoryResult, HistoryRow, HistoryTotals } from '../../src/model/history.ts';
import type { HistoryRequest } from '../../src/view/history/state.ts';
import { startOf, stepped } from '../../src/view/text/calendar.ts';

const HOUR = 3_600_000;

/** What a model is made of. */
export interface FakeHistoryOptions {
  readonly oldest: number;
  readonly newest: number;
  readonly apps?: readonly string[];
  readonly domains?: readonly string[];
  readonly categories?: readonly string[];
  readonly interfaces?: readonly string[];
  /** Finest step that is kept, ms. */
  readonly resolutionMs?: number;
  /** Bytes of an hour, before they are shared out. */
  readonly scale?: number;
  /** What the answers are made of, if of several machines. */
  readonly gathered?: Gathered;
}

/** Answers as a reader would, at once. */
export class FakeHistory {
  readonly options: FakeHistoryOptions;
  readonly asked: HistoryQuery[] = [];

  constructor(options: FakeHistoryOptions) {
    this.options = options;
  }

  query(query: HistoryQuery): HistoryResult {
    this.asked.push(query);
    const { oldest, newest, resolutionMs = 60_000 } = this.options;
    const from = Math.max(query.from, oldest);
    const to = Math.min(query.to, newest);
    const part = this.part(query);
    const total = scaled(this.between(from, to), part);
    const series =
      query.steps === 0
        ? null
        : (() => {
            const stepMs = (query.to - query.from) / query.steps;
            const sums = Array.from({ length: query.steps }, (_, i) => {
              const start = query.from + i * stepMs;
              return scaled(this.between(Math.max(start, from), Math.min(start + stepMs, to)), part);
            });
            return {
              from: query.from,
              stepMs,
              rxBytes: sums.map(({ rxBytes }) => rxBytes),
              txBytes: sums.map(({ txBytes }) => txBytes),
            };
          })();
    const rows = this.rows(query, from, to, part).slice(0, query.by === 'hour' || query.by === 'day' ? undefined : query.top);
    return { query, rows, total, series, oldest, newest, resolutionMs, identity: null };
  }

  /** The answer to a request, as an action carries it. */
  answer({ question: ask }: HistoryRequest): HistoryAnswer {
    const { gathered } = this.options;
    const made = gathered === undefined ? {} : { gathered };
    if (ask.kind === 'rows') return { kind: 'rows', result: this.query(ask.query), ...made };
    const domains = (this.options.domains ?? []).map((domain, i) => ({ domain, time: this.options.oldest + i * 86_400_000 }));
    return { kind: 'first-seen', app: ask.app, domains, isCut: false };
  }

  private rows(query: HistoryQuery, from: number, to: number, part: number): HistoryRow[] {
    const { apps = [], domains = [], categories = [], interfaces = ['en0'] } = this.options;
    if (query.by === 'day' || query.by === 'hour') {
      const rows: HistoryRow[] = [];
      for (let at = startOf(query.by, from); at < to; at = stepped(query.by, at, 1)) {
        const sums = scaled(this.between(Math.max(at, from), Math.min(stepped(query.by, at, 1), to)), part);
        rows.push(row(new Date(at).toISOString(), sums, from, to, at));
      }
      return rows;
    }
    const keys = { app: apps, host: domains, domain: domains, category: categories, interface: interfaces, container: [''] }[
      query.by
    ];
    const whole = this.between(from, to);
    const weights = keys.map((_, i) => 1 / (i + 1));
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    return keys.map((key, i) =>
      row(key === '' ? null : key, scaled(whole, (part * (weights[i] as number)) / all), from, to, null),
    );
  }

  /** The share of everything that a query's conditions leave. */
  private part({ app, interface: name }: HistoryQuery): number {
    const { apps = [], interfaces = ['en0'] } = this.options;
    const own = app === null ? 1 : apps.includes(app) ? 1 / (apps.indexOf(app) + 2) : 0;
    return name === null ? own : interfaces.includes(name) ? own / interfaces.length : 0;
  }

  /** More by day than by night, a peak on some days, in minutes. */
  private between(from: number, to: number): HistoryTotals {
    const { scale = 100_000_000 } = this.options;
    let bytes = 0;
    for (let at = from; at < to; ) {
      const end = Math.min(to, startOf('hour', at) + HOUR);
      const hour = new Date(at).getHours();
      const day = Math.floor(at / (24 * HOUR));
      const weight = (hour < 7 ? 0.05 : 1 + ((hour * 7 + day * 3) % 5)) * (day % 6 === 4 && hour === 20 ? 12 : 1);
      bytes += (weight * scale * (end - at)) / HOUR;
      at = end;
    }
    return {
      rxBytes: Math.round(bytes),
      txBytes: Math.round(bytes / 9),
      rxPackets: Math.round(bytes / 1200),
      txPackets: Math.round(bytes / 2400),
      flows: Math.round(bytes / 400_000),
    };
  }
}

function scaled(totals: HistoryTotals, share: number): HistoryTotals {
  return {
    rxBytes: Math.round(totals.rxBytes * share),
    txBytes: Math.round(totals.txBytes * share),
    rxPackets: Math.round(totals.rxPackets * share),
    txPackets: Math.round(totals.txPackets * share),
    flows: Math.round(totals.flows * share),
  };
}

function row(key: string | null, totals: HistoryTotals, from: number, to: number, start: number | null): HistoryRow {
  return { key, reason: key === null ? 'not categorised' : null, start, detail: null, firstSeen: from, lastSeen: to, ...totals };
}

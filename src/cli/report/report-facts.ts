// Queries history for a report's figures and returns plain data. It draws nothing.

import type { FirstSeen } from '../../history/query/pages.ts';
import type { HistoryReader } from '../../history/query/reader.ts';
import type { RecordedAlert } from '../../model/alert.ts';
import type { HistoryKey, HistoryQuery, HistoryResult, HistoryRow, HistorySeries, TimeRange } from '../../model/history.ts';

/** Days of one app, in chronological order. */
export interface AppDays {
  readonly app: string;
  readonly days: readonly HistoryRow[];
}

/** All of a report's figures. */
export interface ReportFacts {
  readonly range: TimeRange;
  readonly apps: HistoryResult;
  readonly domains: HistoryResult;
  readonly categories: HistoryResult;
  readonly interfaces: HistoryResult;
  readonly days: HistoryResult;
  /** Bytes over time in steps of about an hour; null if days are fine enough. */
  readonly series: HistorySeries | null;
  /** The previous range of equal length; null if it isn't recorded completely. */
  readonly before: HistoryResult | null;
  readonly firstSeen: readonly FirstSeen[];
  readonly calendar: readonly AppDays[];
  /** The newest alerts, oldest first. */
  readonly alerts: readonly RecordedAlert[];
}

const TOP = 15;
const CALENDAR_APPS = 8;
const MAX_NEW = 2000;
const MAX_ALERTS = 200;
const MAX_STEPS = 260;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const STEP_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180];

/** Runs the queries one after another. @param tell called with the progress, in words */
export async function reportFacts(reader: HistoryReader, range: TimeRange, tell: (text: string) => void): Promise<ReportFacts> {
  const ask = (by: HistoryKey, change: Partial<HistoryQuery> = {}) => {
    tell(`reading history by ${by}`);
    const nothing = { app: null, domain: null, category: null, interface: null, filter: null };
    return reader.query({ ...range, by, ...nothing, top: TOP, steps: 0, ...change });
  };
  const apps = await ask('app');
  const domains = await ask('domain');
  const categories = await ask('category', { top: 40 });
  const interfaces = await ask('interface', { top: 40 });
  const days = await ask('day');
  const length = range.to - range.from;
  const earlier = { from: range.from - length, to: range.from };
  const isRecorded = apps.oldest !== null && apps.oldest <= earlier.from;
  const before = isRecorded ? await ask('category', { ...earlier, top: 1 }) : null;
  const steps = seriesSteps(range, apps.resolutionMs);
  const series = steps === null ? null : (await ask('interface', { ...steps.range, top: 1, steps: steps.count })).series;
  const calendar: AppDays[] = [];
  for (const { key } of apps.rows.slice(0, CALENDAR_APPS))
    if (key !== null) calendar.push({ app: key, days: (await ask('day', { app: key })).rows });
  const firstSeen = await reader.firstSeen({ from: range.from, to: range.to, app: null, most: MAX_NEW });
  const alerts = await reader.alerts({ from: range.from, to: range.to, app: null, most: MAX_ALERTS });
  return { range, apps, domains, categories, interfaces, days, series, before, firstSeen, calendar, alerts };
}

/**
 * Equal steps on whole minutes or hours, no finer than the records; null if they would be days. The last step may reach past the end of the
 * range.
 */
export function seriesSteps({ from, to }: TimeRange, resolutionMs: number): { range: TimeRange; count: number } | null {
  const least = Math.max(resolutionMs, (to - from) / MAX_STEPS);
  const minutes = STEP_MINUTES.find((one) => one * MINUTE_MS >= least);
  if (minutes === undefined || resolutionMs >= DAY_MS) return null;
  const step = minutes * MINUTE_MS;
  const zone = new Date(from).getTimezoneOffset() * MINUTE_MS;
  const begin = Math.floor((from - zone) / step) * step + zone;
  const count = Math.max(1, Math.ceil((to - begin) / step));
  return { range: { from: begin, to: begin + count * step }, count };
}

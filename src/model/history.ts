// History's queries and answers: plain data between history and its users.

import type { Alert } from './alert.ts';
import type { AlertDelivery } from './history-batch.ts';

/** What the rows of an answer stand for. Hours and days are cut in the user's zone. */
export const HISTORY_KEYS = ['app', 'host', 'domain', 'category', 'interface', 'hour', 'day'] as const;
export type HistoryKey = (typeof HISTORY_KEYS)[number];

/** Fields of the filter language that records have, for messages. */
export const RECORD_FIELDS = 'app, exe, host, domain, category, iface, proto, dir, rx, tx, bytes, packets';

/** Start of the hint if nothing is recorded; `recordCommand` follows. */
export const RECORD_HINT = 'to record, type: ';

/** The command that records into a file. The default file needs no name. */
export function recordCommand(path: string): string {
  return `sudo netmon-tui --history${path.endsWith('/netmon-tui/history.sqlite') ? '' : `=${path}`}`;
}

/** Sums over a range of time. Bytes are network-layer bytes, RX and TX as the local host sees them. All are integers. */
export interface HistoryTotals {
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  /** Flows that began in it. */
  readonly flows: number;
}

/** A range of time: epoch ms; `from` is included, `to` is not. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** A question about a range of time. */
export interface HistoryQuery extends TimeRange {
  readonly by: HistoryKey;
  /** Name of an app as it is shown; null is all. */
  readonly app: string | null;
  readonly domain: string | null;
  readonly category: string | null;
  readonly interface: string | null;
  /** Text of the filter language, over what a record keeps (`RECORD_FIELDS`); null is none. */
  readonly filter: string | null;
  /** Most rows; the rest is one row with `key` null and a reason. Rows of hours and days are never cut. */
  readonly top: number;
  /** Steps of the series, 1 to 2000; 0 for no series. */
  readonly steps: number;
}

/** One row of an answer. */
export interface HistoryRow extends HistoryTotals {
  /** Name of the app, host ...; start of the hour or day in RFC 3339 with the zone's offset. null: see `reason`. */
  readonly key: string | null;
  /** Why there is no key: `not categorised`, `12 more`, a reason of the owner's. */
  readonly reason: string | null;
  /** For hours and days: epoch ms at which it begins; null for the others. */
  readonly start: number | null;
  /** For apps, path of the executable that moved most; for hosts, registrable domain; null for others. */
  readonly detail: string | null;
  /** Starts of the first and last minute, hour or day in the sum, epoch ms. Whole days within the range are summed as days. */
  readonly firstSeen: number;
  readonly lastSeen: number;
}

const FOLDED = /^(\d+) more$/;

/** How many rows a folded row (`12 more`) stands for; 0 for any other. */
export function foldedIn({ key, reason }: HistoryRow): number {
  return key === null ? Number(FOLDED.exec(reason ?? '')?.[1] ?? 0) : 0;
}

/** Bytes over time, oldest first, in equal steps. */
export interface HistorySeries {
  readonly from: number;
  readonly stepMs: number;
  readonly rxBytes: readonly number[];
  readonly txBytes: readonly number[];
}

/** An answer. Never changed once made. */
export interface HistoryResult {
  readonly query: HistoryQuery;
  /** Most bytes first; hours and days in order of time. */
  readonly rows: readonly HistoryRow[];
  readonly total: HistoryTotals;
  readonly series: HistorySeries | null;
  /** First and last recorded minute, epoch ms; null if nothing is recorded. */
  readonly oldest: number | null;
  readonly newest: number | null;
  /** Finest step in which the whole range is kept, ms: a minute, an hour or a day. */
  readonly resolutionMs: number;
}

/** Asks for the newest alerts of [from, to), epoch ms. */
export interface AlertQuery extends TimeRange {
  /** Name of an app as it is shown; null is all. */
  readonly app: string | null;
  readonly most: number;
}

/** An alert of an earlier or of this run, and what became of it. */
export interface RecordedAlert extends Alert {
  readonly deliveries: readonly Omit<AlertDelivery, 'id'>[];
}

/** Asks what is usual. */
export interface BaselineQuery {
  /** Epoch ms. The hour that it is in doesn't count as usual. */
  readonly now: number;
  /** Most contacts. */
  readonly most: number;
}

/** What history knows of an app. */
export interface BaselineApp {
  readonly app: string;
  /** Start of the first hour, or of the first day if hours are no longer kept; epoch ms. */
  readonly since: number;
  /** Paths that it ran from. */
  readonly exes: readonly string[];
  /** Bytes sent in an hour to other machines, over the last four weeks: hours that had any, the 95th percentile and the most of them. */
  readonly hourlyTx: { readonly hours: number; readonly usual: number; readonly most: number };
}

/** What each app has reached, and how much it usually sends. May have 100,000 contacts: four numbers each. */
export interface Baseline {
  readonly apps: readonly BaselineApp[];
  /** Domains, countries, networks and ports, each once. */
  readonly values: readonly string[];
  /** For each contact: place of the app, place of the kind in CONTACT_KINDS, place of the value, minutes since the epoch. Newest first. */
  readonly contacts: Int32Array;
  /** True if there were more contacts than asked for: one that is missing may be known all the same. */
  readonly isCut: boolean;
  /** Hours since the epoch in which anything was recorded, ascending: at most those of the last 60 days. */
  readonly hours: readonly number[];
  /** Since when countries, networks and inbound connections are kept, epoch ms; null if none is. */
  readonly placesSince: number | null;
}

/** Rows of a statement that the user wrote. Blobs are hexadecimal text. */
export interface SqlResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
  /** True if there were more rows than asked for. */
  readonly cut: boolean;
}

/** The state of recording. */
export interface HistoryStatus {
  /** `recording`; `busy`: another instance records; `failing`: it can't write now and keeps trying. */
  readonly state: 'recording' | 'busy' | 'failing';
  readonly path: string;
  /** What is wrong and what happens next, in one line; empty if nothing is wrong. */
  readonly note: string;
  /** When the file was last written in this run, epoch ms; null if not yet. */
  readonly savedAt: number | null;
  /** Bytes of that file. */
  readonly fileBytes: number | null;
}

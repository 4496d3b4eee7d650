// History's queries and answers: plain data between history and its users.

/** What the rows of an answer stand for. Hours and days are cut in the user's zone. */
export const HISTORY_KEYS = ['app', 'host', 'domain', 'category', 'interface', 'container', 'hour', 'day'] as const;
export type HistoryKey = (typeof HISTORY_KEYS)[number];

/** Fields of the filter language that say whose traffic a record sums. */
export const SUBJECT_FIELDS: readonly string[] = [
  ...['app', 'exe', 'host', 'domain', 'category', 'iface', 'proto', 'dir'],
  ...['container', 'image', 'pod', 'ns', 'project'],
];
const RECORDED = [...SUBJECT_FIELDS, 'rx', 'tx', 'bytes', 'packets'];
/** All fields that records have, for messages. */
export const RECORD_FIELDS = RECORDED.join(', ');

/** What a filter asks for and no record has, in a sentence; empty if records have all. @param fields names of the fields that it asks for */
export function unrecorded(fields: readonly string[]): string {
  const missing = fields.filter((field) => field !== 'text' && !RECORDED.includes(field));
  if (missing.length === 0) return '';
  return `records don't have ${missing.join(', ')}: the filter finds nothing by ${missing.length === 1 ? 'it' : 'them'} here`;
}

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
  /** For apps, path of the executable that moved most; for hosts, registrable domain; for containers, the image; null for others. */
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
  /** A number that no other history has; null where its file was not saved yet. */
  readonly identity: number | null;
}

/** What an answer of several machines is made of. Texts are sanitised. */
export interface Gathered {
  /** Machines whose records it lacks, each with why. */
  readonly lacks: readonly string[];
  /** Machines that record into one history, which counts once. */
  readonly shared: readonly (readonly string[])[];
}

/** Asks for what is known of each app. */
export interface BaselineQuery {
  /** Epoch ms. The hour that it is in doesn't count for the most that an app sent. */
  readonly now: number;
  /** Most domains, and most contacts. */
  readonly most: number;
}

/** What an app reached on its own call within a range, summed by host. */
export interface ReachedHost extends HistoryTotals {
  readonly app: string;
  /** Name of the remote end, else its address; null for hosts that history no longer tells apart. */
  readonly host: string | null;
  readonly domain: string | null;
  /** Starts of the first and last minute, hour or day in the sum, epoch ms. */
  readonly firstSeen: number;
  readonly lastSeen: number;
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

/** Formats of an export. */
export const EXPORT_FORMATS = ['csv', 'json', 'parquet', 'sqlite'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** What may be asked of the recorded history. */
export type HistoryQuestion =
  | { readonly kind: 'rows'; readonly query: HistoryQuery }
  /** When this app first reached each of its domains. */
  | { readonly kind: 'first-seen'; readonly app: string };

/** What became of a question about recorded history. */
export type HistoryAnswer =
  | { readonly kind: 'rows'; readonly result: HistoryResult; readonly gathered?: Gathered }
  | {
      readonly kind: 'first-seen';
      readonly app: string;
      readonly domains: readonly { readonly domain: string; readonly time: number }[];
      /** True where there may be more of them. */
      readonly isCut: boolean;
      readonly gathered?: Gathered;
    }
  /** Nothing was recorded yet. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly message: string; readonly hint: string | null };

// Retention: deletes minutes after two days, hours after two months, and logged flows and questions of DNS after a week or above their share of
// the file. What an engine still waits for stays up to 30 days. If it is still too large, it goes on in the same order, and then merges the smallest hosts of old days. Sums of days stay exact. Works in steps, in
// its caller's transaction.

import type { AlertTables } from './alerts.ts';
import { DNS_LABELS, type DnsTables } from './dns-tables.ts';
import { type ExportTables, LONGEST_WAIT } from './exports.ts';
import { ADD_TO, bucketOf, EMPTY, type HistoryMeta, SUBJECT_MASK, SUBJECTS, type TierTable } from './schema.ts';
import type { Statements } from './sqljs/statements.ts';
import { type HistoryDictionary, SUBJECT_COLUMNS } from './writer.ts';

/** For how long records are kept (minutes, hours, ms), and the share of the file's limit that logged flows may take. */
const KEPT = { minutes: 48 * 60, hours: 60 * 24, flowsMs: 7 * 86_400_000, flowsShare: 0.25 } as const;
/** Bytes of a logged flow with an address that only it has; measured, 60 to 90. */
const FLOW_BYTES = 100;
/** The most rows that a step deletes, and the most flows whose age it looks at. */
const ROWS_A_STEP = 20_000;
const FLOWS_A_STEP = 2000;
/** Minutes and hours that a step deletes if the file is too large. */
const SHRINK_STEP = { minutes: 360, hours: 24 } as const;
/** Rows with a host that each level of merging leaves of a day. */
const MERGE_LEVELS = [512, 128, 32, 0] as const;
/** A file above its limit shrinks to this share of it. */
const SHRINK_TO = 0.9;
/** Free pages at which the file is rewritten: their share of all, and at least so many. */
const SLACK = { share: 0.2, pages: 256 } as const;

/** The retention clock runs at most this many times as fast as time, and advances at most a day a save. */
const CATCH_UP = { speed: 8, mostMs: 86_400_000 } as const;

/**
 * The clock by which records age. It follows the wall clock no faster than `CATCH_UP` allows: one that is years ahead must not delete
 * everything. After weeks without a recorder it takes some days to catch up.
 *
 * @param before its time at the last save, epoch ms; null before the first
 * @param newest newest record of the file, epoch ms; null in an empty one
 */
export function retentionClock(before: number | null, newest: number | null, { now, wall, elapsedMs }: RetentionTime): number {
  const from = before ?? newest ?? now;
  const next = Math.min(now, from + Math.min(elapsedMs * CATCH_UP.speed, CATCH_UP.mostMs));
  return Math.floor(Math.min(wall, Math.max(from, next))); // the file takes whole milliseconds
}

/** Times of a save. */
export interface RetentionTime {
  /** Time of the newest packets, never after the wall clock; epoch ms. */
  readonly now: number;
  readonly wall: number;
  /** Since the last save of this run, by the monotonic clock. */
  readonly elapsedMs: number;
}

/** `more`: call `step` again; `vacuum`: rewrite the file outside of a transaction, then call it again; `done`. */
type RetentionStep = 'more' | 'vacuum' | 'done';

/** What retention works on. */
interface RetentionParts {
  readonly statements: Statements;
  readonly dictionary: HistoryDictionary;
  readonly meta: HistoryMeta;
  readonly alerts: AlertTables;
  readonly dns: DnsTables;
  readonly exports: ExportTables;
}

/** Deletes what is old or too much. */
export class HistoryRetention {
  readonly #statements: Statements;
  readonly #dictionary: HistoryDictionary;
  readonly #meta: HistoryMeta;
  readonly #alerts: AlertTables;
  readonly #dns: DnsTables;
  readonly #exports: ExportTables;
  /** True from when the size exceeds its limit until it is well below. */
  #isShrinking = false;
  /** True if labels may have lost their last row. */
  #hasOrphans = false;

  constructor({ statements, dictionary, meta, alerts, dns, exports }: RetentionParts) {
    this.#statements = statements;
    this.#dictionary = dictionary;
    this.#meta = meta;
    this.#alerts = alerts;
    this.#dns = dns;
    this.#exports = exports;
  }

  /**
   * @param now epoch ms
   * @param old epoch ms by the retention clock
   */
  step(now: number, maxBytes: number, old: number): RetentionStep {
    const minute = Math.max(0, Math.floor(old / 60_000));
    this.#followClock(minute);
    this.#raise(Math.min(minute - KEPT.minutes, this.#unsentFrom(minute)), minute - KEPT.hours * 60);
    if (this.#dropBelow('minute', this.#meta.minutesFrom) || this.#dropBelow('hour', this.#meta.hoursFrom)) return 'more';
    if (this.#dropFlows(old, maxBytes) || this.#alerts.prune(maxBytes) || this.#dropDns(old, maxBytes)) return 'more';
    const today = Math.floor(now / 86_400_000);
    if (this.#meta.get('swept') !== today) {
      this.#sweep();
      this.#exports.sweep(minute);
      this.#meta.set('swept', today);
      return 'vacuum';
    }
    return this.#size(Math.max(0, Math.floor(now / 60_000)), maxBytes);
  }

  /** After a clock that was ahead, the marks are past now: moves them back to where nothing else was recorded. */
  #followClock(minute: number): void {
    const { minutesFrom, hoursFrom } = this.#meta;
    if (minutesFrom <= minute && hoursFrom * 60 <= minute) return;
    const afterLast = (table: TierTable, below: number) => {
      const last = this.#statements.number(`SELECT max(id) FROM ${table} WHERE id < ?`, [below * SUBJECTS]);
      return last === null ? 0 : bucketOf(last) + 1;
    };
    const hours = hoursFrom * 60 <= minute ? hoursFrom : afterLast('day', hoursFrom / 24) * 24;
    const minutes = Math.max(hours, afterLast('hour', minutesFrom / 60)) * 60;
    this.#meta.set('hours_from', hours);
    this.#meta.set('minutes_from', Math.min(minutesFrom, minutes));
  }

  /** The first minute that an engine still waits for, but none that is too old to wait for. */
  #unsentFrom(minute: number): number {
    const acknowledged = this.#exports.acknowledged();
    return acknowledged === null ? minute : Math.max(minute - LONGEST_WAIT, acknowledged.minute + 1);
  }

  /** Moves the marks up to the hour and the day of the given minutes. Rows below no longer count, even before they are deleted. */
  #raise(minutes: number, hours: number): void {
    const hoursFrom = Math.max(this.#meta.hoursFrom, Math.floor(hours / 1440) * 24);
    this.#meta.set('hours_from', hoursFrom);
    this.#meta.set('minutes_from', Math.max(this.#meta.minutesFrom, Math.floor(minutes / 60) * 60, hoursFrom * 60));
  }

  #dropBelow(table: TierTable, bucket: number): boolean {
    const sql = `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE id < ? ORDER BY id LIMIT ${ROWS_A_STEP})`;
    return this.#statements.run(sql, [bucket * SUBJECTS]) > 0;
  }

  /** Flows are logged in the order in which they closed: the oldest come first. */
  #dropFlows(now: number, maxBytes: number): boolean {
    const last = this.#statements.number('SELECT max(id) FROM flow');
    if (last === null) return false;
    const first = `SELECT id, start + duration AS end FROM flow ORDER BY id LIMIT ${FLOWS_A_STEP}`;
    const most = Math.floor((maxBytes * KEPT.flowsShare) / FLOW_BYTES);
    // Those that an engine waits for stay longer, but no more of them.
    const sent = this.#exports.acknowledged()?.flow ?? last;
    const sql = `DELETE FROM flow WHERE id IN (SELECT id FROM (${first}) WHERE id <= ? OR end < ? OR (end < ? AND id <= ?))`;
    const dropped = this.#statements.run(sql, [last - most, now - LONGEST_WAIT * 60_000, now - KEPT.flowsMs, sent]);
    if (dropped > 0) this.#hasOrphans = true;
    return dropped > 0;
  }

  #dropDns(now: number, maxBytes: number): boolean {
    if (!this.#dns.prune(now, maxBytes)) return false;
    this.#hasOrphans = true;
    return true;
  }

  /** Once a day: deletes rows that corrections have emptied, then unused subjects and labels. The rewrite after it makes the file a tenth smaller. */
  #sweep(): void {
    this.#statements.run(`DELETE FROM day WHERE id < ? AND ${EMPTY}`, [(this.#meta.hoursFrom / 24) * SUBJECTS]);
    this.#statements.run(
      `DELETE FROM subject WHERE id NOT IN (SELECT id & ${SUBJECT_MASK} FROM day UNION SELECT subject FROM flow)`,
      [],
    );
    const named = [
      ...SUBJECT_COLUMNS.map((name) => `SELECT ${name} FROM subject`),
      ...['local', 'remote', 'attribution', 'name_source', 'application', 'user'].map((name) => `SELECT ${name} FROM flow`),
      ...DNS_LABELS,
      'SELECT app FROM contact',
      'SELECT domain FROM contact',
      'SELECT app FROM reached',
      'SELECT name FROM reached',
    ];
    this.#statements.run(`DELETE FROM label WHERE id NOT IN (${named.join(' UNION ')})`, []);
    this.#dictionary.forget();
    this.#hasOrphans = false;
  }

  #size(minute: number, maxBytes: number): RetentionStep {
    const pages = this.#statements.number('SELECT page_count FROM pragma_page_count') ?? 0;
    const free = this.#statements.number('SELECT freelist_count FROM pragma_freelist_count') ?? 0;
    const pageBytes = this.#statements.number('SELECT page_size FROM pragma_page_size') ?? 0;
    const used = (pages - free) * pageBytes;
    if (used > maxBytes) this.#isShrinking = true;
    if (used <= maxBytes * SHRINK_TO) this.#isShrinking = false;
    if (this.#isShrinking && this.#shrink(minute)) return 'more';
    if (this.#isShrinking && this.#hasOrphans) {
      this.#sweep();
      return 'more';
    }
    const isSlack = free >= SLACK.pages && free > pages * SLACK.share;
    return isSlack || (free > 0 && pages * pageBytes > maxBytes) ? 'vacuum' : 'done';
  }

  /** Deletes the next least valuable part; false if only sums of days are left. Keeps the current hour and day. */
  #shrink(minute: number): boolean {
    const { minutesFrom, hoursFrom } = this.#meta;
    const thisHour = Math.floor(minute / 60) * 60;
    const today = Math.floor(minute / 1440) * 24;
    const firstMinute = this.#statements.number('SELECT min(id) FROM minute');
    if (firstMinute !== null && minutesFrom < thisHour) {
      const until = Math.max(minutesFrom, bucketOf(firstMinute)) + SHRINK_STEP.minutes;
      this.#raise(Math.min(thisHour, until), 0);
      return true;
    }
    if (
      this.#dns.shrink() ||
      this.#statements.run('DELETE FROM flow WHERE id IN (SELECT id FROM flow ORDER BY id LIMIT ?)', [ROWS_A_STEP]) > 0
    ) {
      this.#hasOrphans = true;
      return true;
    }
    const firstHour = this.#statements.number('SELECT min(id) FROM hour');
    if (firstHour !== null && hoursFrom < today) {
      const until = Math.max(hoursFrom, bucketOf(firstHour)) + SHRINK_STEP.hours;
      this.#raise(0, Math.min(today, until) * 60);
      return true;
    }
    return this.#mergeDay();
  }

  /** Merges the hosts of one old day; after the last day, the next level begins with the first. */
  #mergeDay(): boolean {
    const level = this.#meta.get('fold_level') ?? 0;
    const from = this.#meta.get('fold_day') ?? 0;
    const id = this.#statements.number('SELECT min(id) FROM day WHERE id >= ? AND id < ?', [
      from * SUBJECTS,
      (this.#meta.hoursFrom / 24) * SUBJECTS,
    ]);
    if (id !== null) {
      const day = bucketOf(id);
      if (mergeHosts(this.#statements, this.#dictionary, day, MERGE_LEVELS[level] ?? 0)) this.#hasOrphans = true;
      this.#meta.set('fold_day', day + 1);
      return true;
    }
    if (this.#hasOrphans || level >= MERGE_LEVELS.length - 1) return false;
    this.#meta.set('fold_level', level + 1);
    this.#meta.set('fold_day', 0);
    return true;
  }
}

/** Columns of a subject that merging clears. */
const CLEARED: readonly string[] = ['host', 'domain'];
const KEPT_COLUMNS = SUBJECT_COLUMNS.map((name) => (CLEARED.includes(name) ? '0' : name)).join(', ');

/**
 * Keeps the `left` largest rows of a day that name a host, and books the others without their host: sums by app, category and interface stay.
 *
 * @returns false if there was nothing to merge
 */
function mergeHosts(statements: Statements, dictionary: HistoryDictionary, day: number, left: number): boolean {
  const small = statements.rows<number[]>(
    `SELECT day.id, rx, tx, rx_packets, tx_packets, flows, ${KEPT_COLUMNS} FROM day
     CROSS JOIN subject ON subject.id = day.id & ${SUBJECT_MASK} WHERE day.id >= ? AND day.id < ? AND host <> 0
     ORDER BY abs(rx) + abs(tx) DESC LIMIT -1 OFFSET ?`,
    [day * SUBJECTS, (day + 1) * SUBJECTS, left],
  );
  for (const row of small) {
    statements.run('DELETE FROM day WHERE id = ?', [row[0] as number]);
    const other = day * SUBJECTS + dictionary.subjectOf(row.slice(6));
    statements.run(ADD_TO.day, [other, ...row.slice(1, 6)]);
  }
  return small.length > 0;
}

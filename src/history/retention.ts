// What is given up, and when: minutes after two days, hours after two months, the flow log after a week, or what is more than its share of the file; more of it, in the same
// order and then the smallest hosts of old days, where the file grows too large. Sums over days stay exact. Runs in its caller's transaction, in steps.

import { ADD_TO, bucketOf, EMPTY, type HistoryMeta, SUBJECT_MASK, SUBJECTS, type TierTable } from './schema.ts';
import type { Statements } from './sqljs/statements.ts';
import { type HistoryDictionary, SUBJECT_COLUMNS } from './writer.ts';

/** What is kept: minutes of minutes, hours of hours, ms of the flow log, and at most which share of the file's limit that takes. */
const KEPT = { minutes: 48 * 60, hours: 60 * 24, flowsMs: 7 * 86_400_000, flowsShare: 0.25 } as const;
/** Of a row of the flow log with the address that it alone may name: measured, 60 to 90 bytes. */
const FLOW_BYTES = 100;
/** Rows that a step removes at most; of the flow log, looks at for their age. */
const ROWS_A_STEP = 20_000;
const FLOWS_A_STEP = 2000;
/** Minutes and hours that a step gives up where the file is too large. */
const RELIEF_STEP = { minutes: 360, hours: 24 } as const;
/** Rows of a day that each level of folding leaves. */
const FOLD_LEVELS = [512, 128, 32, 0] as const;
/** Where the size is over its limit, this share of the limit is aimed at. */
const RELIEF = 0.9;
/** Share of pages without content at which the file is written anew, and fewest such pages. */
const SLACK = { share: 0.2, pages: 256 } as const;

/** The retention clock runs at most this many times as fast as time really passes, and makes at most one day a save. */
const CATCH_UP = { speed: 8, mostMs: 86_400_000 } as const;

/**
 * The time from which retention reckons. A wall clock that is years ahead must not delete what is kept, so this clock follows no faster than
 * `CATCH_UP` allows. After weeks without a recorder it needs some days to catch up.
 *
 * @param before - what the last save left, epoch ms; null in a file without one
 * @param newest - newest record of the file, epoch ms; null in an empty one
 * @param elapsedMs - what the monotonic clock has passed since the last save
 */
export function retentionClock(before: number | null, newest: number | null, { now, wall, elapsedMs }: RetentionTime): number {
  const from = before ?? newest ?? now;
  const next = Math.min(now, from + Math.min(elapsedMs * CATCH_UP.speed, CATCH_UP.mostMs));
  return Math.floor(Math.min(wall, Math.max(from, next))); // the file takes whole milliseconds
}

/** What is known of the time at a save. */
export interface RetentionTime {
  /** Time of the newest packets, never after the wall clock; epoch ms. */
  readonly now: number;
  readonly wall: number;
  /** What the monotonic clock has passed since the last save of this run. */
  readonly elapsedMs: number;
}

/** `more`: there is more to do; `vacuum`: so there is, and the file is worth rewriting first, outside of a transaction; `done`. */
type RetentionStep = 'more' | 'vacuum' | 'done';

/** Gives up what is old or too much. */
export class HistoryRetention {
  readonly #statements: Statements;
  readonly #dictionary: HistoryDictionary;
  readonly #meta: HistoryMeta;
  /** True from when the size was over its limit until it is well below. */
  #isRelieving = false;
  /** True when rows went that may have been the last to name a host. */
  #isLittered = false;

  constructor(statements: Statements, dictionary: HistoryDictionary, meta: HistoryMeta) {
    this.#statements = statements;
    this.#dictionary = dictionary;
    this.#meta = meta;
  }

  /**
   * @param now - epoch ms
   * @param old - epoch ms of the clock by which records grow old, see `retentionClock`
   */
  step(now: number, maxBytes: number, old: number): RetentionStep {
    const minute = Math.max(0, Math.floor(old / 60_000));
    this.#followClock(minute);
    this.#raise(minute - KEPT.minutes, minute - KEPT.hours * 60);
    if (this.#dropBelow('minute', this.#meta.minutesFrom) || this.#dropBelow('hour', this.#meta.hoursFrom)) return 'more';
    if (this.#dropFlows(old, maxBytes)) return 'more';
    const today = Math.floor(now / 86_400_000);
    if (this.#meta.get('swept') !== today) {
      this.#sweep();
      this.#meta.set('swept', today);
      return 'vacuum';
    }
    return this.#size(Math.max(0, Math.floor(now / 60_000)), maxBytes);
  }

  /** A clock that was ahead for a while has raised the marks past now: they come back to where nothing else was recorded. */
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

  /** Moves the marks up to the hour and the day of the given minutes. Rows below them count no longer, also where they are still there. */
  #raise(minutes: number, hours: number): void {
    const hoursFrom = Math.max(this.#meta.hoursFrom, Math.floor(hours / 1440) * 24);
    this.#meta.set('hours_from', hoursFrom);
    this.#meta.set('minutes_from', Math.max(this.#meta.minutesFrom, Math.floor(minutes / 60) * 60, hoursFrom * 60));
  }

  #dropBelow(table: TierTable, bucket: number): boolean {
    const sql = `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE id < ? ORDER BY id LIMIT ${ROWS_A_STEP})`;
    return this.#statements.run(sql, [bucket * SUBJECTS]) > 0;
  }

  /** The log is in the order in which flows closed: what is old is at its beginning. */
  #dropFlows(now: number, maxBytes: number): boolean {
    const last = this.#statements.number('SELECT max(id) FROM flow');
    if (last === null) return false;
    const first = `SELECT id, start + duration AS end FROM flow ORDER BY id LIMIT ${FLOWS_A_STEP}`;
    const most = Math.floor((maxBytes * KEPT.flowsShare) / FLOW_BYTES);
    const sql = `DELETE FROM flow WHERE id IN (SELECT id FROM (${first}) WHERE id <= ? OR end < ?)`;
    const dropped = this.#statements.run(sql, [last - most, now - KEPT.flowsMs]);
    if (dropped > 0) this.#isLittered = true;
    return dropped > 0;
  }

  /** Once a day, and the file is written anew after it, a tenth smaller. Drops rows that corrections have emptied, then subjects and labels that nothing names. */
  #sweep(): void {
    this.#statements.run(`DELETE FROM day WHERE id < ? AND ${EMPTY}`, [(this.#meta.hoursFrom / 24) * SUBJECTS]);
    this.#statements.run(
      `DELETE FROM subject WHERE id NOT IN (SELECT id & ${SUBJECT_MASK} FROM day UNION SELECT subject FROM flow)`,
      [],
    );
    const named = [
      ...SUBJECT_COLUMNS.map((name) => `SELECT ${name} FROM subject`),
      ...['local', 'remote', 'attribution', 'name_source', 'application'].map((name) => `SELECT ${name} FROM flow`),
      'SELECT app FROM contact',
      'SELECT domain FROM contact',
    ];
    this.#statements.run(`DELETE FROM label WHERE id NOT IN (${named.join(' UNION ')})`, []);
    this.#dictionary.forget();
    this.#isLittered = false;
  }

  #size(minute: number, maxBytes: number): RetentionStep {
    const pages = this.#statements.number('SELECT page_count FROM pragma_page_count') ?? 0;
    const free = this.#statements.number('SELECT freelist_count FROM pragma_freelist_count') ?? 0;
    const pageBytes = this.#statements.number('SELECT page_size FROM pragma_page_size') ?? 0;
    const used = (pages - free) * pageBytes;
    if (used > maxBytes) this.#isRelieving = true;
    if (used <= maxBytes * RELIEF) this.#isRelieving = false;
    if (this.#isRelieving && this.#relieve(minute)) return 'more';
    if (this.#isRelieving && this.#isLittered) {
      this.#sweep();
      return 'more';
    }
    const isSlack = free >= SLACK.pages && free > pages * SLACK.share;
    return isSlack || (free > 0 && pages * pageBytes > maxBytes) ? 'vacuum' : 'done';
  }

  /** Gives up the next least wanted part; false where only sums of days are left. The hour and the day that go on are kept. */
  #relieve(minute: number): boolean {
    const { minutesFrom, hoursFrom } = this.#meta;
    const thisHour = Math.floor(minute / 60) * 60;
    const today = Math.floor(minute / 1440) * 24;
    const firstMinute = this.#statements.number('SELECT min(id) FROM minute');
    if (firstMinute !== null && minutesFrom < thisHour) {
      const until = Math.max(minutesFrom, bucketOf(firstMinute)) + RELIEF_STEP.minutes;
      this.#raise(Math.min(thisHour, until), 0);
      return true;
    }
    if (this.#statements.run('DELETE FROM flow WHERE id IN (SELECT id FROM flow ORDER BY id LIMIT ?)', [ROWS_A_STEP]) > 0) {
      this.#isLittered = true;
      return true;
    }
    const firstHour = this.#statements.number('SELECT min(id) FROM hour');
    if (firstHour !== null && hoursFrom < today) {
      const until = Math.max(hoursFrom, bucketOf(firstHour)) + RELIEF_STEP.hours;
      this.#raise(0, Math.min(today, until) * 60);
      return true;
    }
    return this.#fold();
  }

  /** Folds one old day; day after day, then all again with fewer rows left. */
  #fold(): boolean {
    const level = this.#meta.get('fold_level') ?? 0;
    const from = this.#meta.get('fold_day') ?? 0;
    const id = this.#statements.number('SELECT min(id) FROM day WHERE id >= ? AND id < ?', [
      from * SUBJECTS,
      (this.#meta.hoursFrom / 24) * SUBJECTS,
    ]);
    if (id !== null) {
      const day = bucketOf(id);
      if (foldDay(this.#statements, this.#dictionary, day, FOLD_LEVELS[level] ?? 0)) this.#isLittered = true;
      this.#meta.set('fold_day', day + 1);
      return true;
    }
    if (this.#isLittered || level >= FOLD_LEVELS.length - 1) return false;
    this.#meta.set('fold_level', level + 1);
    this.#meta.set('fold_day', 0);
    return true;
  }
}

// A day's smallest hosts made one: what moved stays in the sums of the app, the category, the interface; where it went is forgotten.

/** Columns of a subject that are forgotten. */
const FORGOTTEN: readonly string[] = ['host', 'domain'];
const KEPT_COLUMNS = SUBJECT_COLUMNS.map((name) => (FORGOTTEN.includes(name) ? '0' : name)).join(', ');

/**
 * Leaves the `left` largest rows of a day that name a host, and books the others under their app's other hosts.
 *
 * @returns false where there was nothing to fold
 */
function foldDay(statements: Statements, dictionary: HistoryDictionary, day: number, left: number): boolean {
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

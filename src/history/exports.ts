// The queue of exports in the history file. A cut says: everything up to here is settled, and is sent as it stands. What is recorded later under a
// minute of a cut is kept as a change of its own, and goes with the next cut. A mark says what an engine has acknowledged. Works in its caller's
// transaction. Numbers come from a journal that may be forged.

import { type ExportRecords, PUSH_ENGINES } from '../model/export.ts';
import type { QueuedMark } from '../model/export-batch.ts';
import { SUBJECTS } from './schema.ts';
import type { Statements } from './sqljs/statements.ts';

/** The last minute of SQLite's dates, in the year 9999. */
const LAST_MINUTE = 4_223_376_000;
const LARGEST_RUN = 2 ** 48 - 1;
/** Minutes for which retention waits for an engine: 30 days. */
export const LONGEST_WAIT = 30 * 1440;
/** An engine that has not been heard of for so many minutes is forgotten: 90 days. */
const FORGOTTEN = 90 * 1440;
const ADD_CUT = `INSERT INTO cut SELECT coalesce(max(number), 0) + 1, ?, max(coalesce(max(minute), 0), ?),
  max(coalesce(max(flow), 0), coalesce((SELECT max(id) FROM flow), 0)),
  max(coalesce(max(alert), 0), coalesce((SELECT max(number) FROM alert), 0)) FROM cut`;
const LATE = ['rx', 'tx', 'rx_packets', 'tx_packets', 'flows'];
const ADD_LATE = `INSERT INTO late VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET ${LATE.map((name) => `${name} = CAST(${name} + excluded.${name} AS INTEGER)`).join(', ')}`;
const ADD_MARK = `INSERT INTO mark VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET cut = excluded.cut, section = excluded.section, after = excluded.after`;
const MARKS = `SELECT engine, mark.cut, section, after, before.minute FROM mark
  LEFT JOIN cut AS before ON before.number = mark.cut - 1 ORDER BY engine`;
/** Where the engine that is furthest behind is, in every queue. */
const BEHIND = 'SELECT minute, flow FROM cut WHERE number = (SELECT min(cut) - 1 FROM mark)';

/** A cut as it is stored. Each bound is the last that is inside. */
export interface StoredCut {
  readonly number: number;
  readonly run: number;
  /** Minutes since the epoch. */
  readonly minute: number;
  /** `flow.id` */
  readonly flow: number;
  /** `alert.number` */
  readonly alert: number;
}

/** Cuts, late changes and marks. */
export class ExportTables {
  readonly #statements: Statements;
  /** The newest cut; undefined if it has to be read again. */
  #newest: StoredCut | null | undefined = undefined;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  write({ cut, marks }: ExportRecords): void {
    for (const { engine, cut: number, section, after } of marks) {
      if (PUSH_ENGINES.includes(engine) && [number, section, after].every(isCount))
        this.#statements.run(ADD_MARK, [engine, number, section, after]);
    }
    if (cut === null || !isCount(cut.run) || cut.run > LARGEST_RUN || !isCount(cut.minute)) return;
    this.#statements.run(ADD_CUT, [cut.run, Math.min(LAST_MINUTE, cut.minute)]);
    this.forget();
  }

  /** Keeps a change of a minute. @returns whether the minute is settled: its row must then stay, even with nothing in it */
  change(minute: number, subject: number, numbers: readonly number[]): boolean {
    const newest = this.newest;
    if (newest === null || minute > newest.minute) return false;
    this.#statements.run(ADD_LATE, [newest.number + 1, minute * SUBJECTS + subject, ...numbers]);
    return true;
  }

  /** The newest cut; null before the first. */
  get newest(): StoredCut | null {
    if (this.#newest === undefined) this.#newest = this.cut('(SELECT max(number) FROM cut)');
    return this.#newest;
  }

  /** A cut by its number; null if there is none. @param number or an expression for it */
  cut(number: number | string): StoredCut | null {
    const [row] = this.#statements.rows<number[]>(
      `SELECT number, run, minute, flow, alert FROM cut WHERE number = ${number}`,
      [],
    );
    if (row === undefined) return null;
    const [at = 0, run = 0, minute = 0, flow = 0, alert = 0] = row;
    return { number: at, run, minute, flow, alert };
  }

  /** The first cut of a run; null if it has none. */
  firstOf(run: number): StoredCut | null {
    return this.cut(`(SELECT min(number) FROM cut WHERE run = ${Math.trunc(run)})`);
  }

  /** What engines have acknowledged. */
  get marks(): QueuedMark[] {
    const rows = this.#statements.rows<[string, number, number, number, number | null]>(MARKS, []);
    return rows.flatMap(([name, cut, section, after, minute]) => {
      const engine = PUSH_ENGINES.find((one) => one === name);
      return engine === undefined ? [] : [{ engine, cut, section, after, minute }];
    });
  }

  /** The last minute and logged flow that every engine has; null if no engine waits for anything. */
  acknowledged(): { readonly minute: number; readonly flow: number } | null {
    const [row] = this.#statements.rows<[number, number]>(BEHIND, []);
    return row === undefined ? null : { minute: row[0], flow: row[1] };
  }

  /** Deletes what every engine has, and engines that are gone for good. The newest cut stays: numbers go on from it. @param now minutes since the epoch */
  sweep(now: number): void {
    this.#statements.run('DELETE FROM mark WHERE cut <= (SELECT max(number) FROM cut WHERE minute < ?)', [now - FORGOTTEN]);
    const first = 'coalesce((SELECT min(cut) FROM mark), (SELECT max(number) + 1 FROM cut))';
    this.#statements.run(`DELETE FROM late WHERE cut < ${first}`, []);
    this.#statements.run(`DELETE FROM cut WHERE number < ${first} - 1 AND number < (SELECT max(number) FROM cut)`, []);
  }

  /** Reads the newest cut again: after a rollback. */
  forget(): void {
    this.#newest = undefined;
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

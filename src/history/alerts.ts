// Alerts and first contacts in the history file: writes what the watch found, reads it back, deletes what is too much. Works in its caller's
// transaction. Texts come from a journal that may be forged.

import {
  ALERT_KINDS,
  type AlertKind,
  type AlertQuery,
  HELD,
  type Held,
  type RecordedAlert,
  SEVERITIES,
  type Severity,
} from '../model/alert.ts';
import type { WatchRecords } from '../model/history-batch.ts';
import { CONTACT_KINDS } from '../model/watch.ts';
import { sanitize } from '../net/text.ts';
import type { HistoryMeta } from './schema.ts';
import type { Statements } from './sqljs/statements.ts';
import type { HistoryDictionary } from './writer.ts';

/** The last minute of SQLite's dates, in the year 9999. */
const LAST_MINUTE = 4_223_376_000;
/** Countries, networks or ports of an app that are kept: a peer-to-peer program meets any number. */
const MOST_REACHED = 4096;
/** Alerts that are kept, and the share of the file's limit that they may take; an alert is some 700 bytes. */
const MOST_ALERTS = 10_000;
const ALERTS_SHARE = 0.05;
const ALERT_BYTES = 700;
/** Details of an alert. */
const MOST_DETAILS = 64;
/** Sinks of an alert. */
const MOST_DELIVERIES = 8;
const ADD_REACHED = `INSERT INTO reached SELECT ?1, ?2, ?3, ?4
  WHERE (SELECT count(*) FROM (SELECT 1 FROM reached WHERE app = ?1 AND kind = ?2 LIMIT ${MOST_REACHED})) < ${MOST_REACHED} ON CONFLICT DO NOTHING`;
/** A number is never used again: exports go by it. */
const NEXT_ALERT = '(SELECT max(coalesce((SELECT max(number) FROM alert), 0), coalesce((SELECT max(alert) FROM cut), 0)) + 1)';
const ADD_ALERT = `INSERT INTO alert VALUES (${NEXT_ALERT}${', ?'.repeat(14)}) ON CONFLICT (id) DO NOTHING`;
const ADD_DELIVERY = `INSERT INTO delivery SELECT ?1, ?2, ?3, ?4
  WHERE EXISTS (SELECT 1 FROM alert WHERE id = ?1) AND (SELECT count(*) FROM delivery WHERE alert = ?1) < ${MOST_DELIVERIES}
  ON CONFLICT DO UPDATE SET time = excluded.time, failure = excluded.failure`;
const COLUMNS = 'id, time, kind, severity, app, exe, pid, user, host, domain, text, details, evidence, held';
const DROP_DELIVERIES = 'DELETE FROM delivery WHERE alert NOT IN (SELECT id FROM alert)';

type AlertCells = readonly (string | number | null)[];

/** The watch's part of the file. */
export class AlertTables {
  readonly #statements: Statements;
  readonly #dictionary: HistoryDictionary;
  readonly #meta: HistoryMeta;

  constructor(statements: Statements, dictionary: HistoryDictionary, meta: HistoryMeta) {
    this.#statements = statements;
    this.#dictionary = dictionary;
    this.#meta = meta;
  }

  write({ alerts, contacts, deliveries }: WatchRecords): void {
    for (const { kind, time, app, name } of contacts) {
      const [appLabel, nameLabel] = [this.#dictionary.label(app), this.#dictionary.label(name)];
      if (appLabel === 0 || nameLabel === 0) continue;
      const minute = Math.min(LAST_MINUTE, Math.floor(timeOf(time) / 60_000));
      this.#statements.run(ADD_REACHED, [appLabel, CONTACT_KINDS.indexOf(kind), nameLabel, minute]);
      this.#meta.set('reached_from', Math.min(minute, this.#meta.get('reached_from') ?? minute));
    }
    for (const alert of alerts) {
      const clean = (text: string | null) => (text === null ? null : sanitize(text));
      const { app, exe, user, host, domain, evidence } = alert;
      this.#statements.run(ADD_ALERT, [
        sanitize(alert.id),
        timeOf(alert.time),
        alert.kind,
        alert.severity,
        ...[app, exe].map(clean),
        alert.pid === null ? null : timeOf(alert.pid),
        ...[user, host, domain].map(clean),
        sanitize(alert.text),
        alert.details.slice(0, MOST_DETAILS).map(sanitize).join('\n'),
        clean(evidence),
        alert.held,
      ]);
    }
    for (const { id, sink, time, failure } of deliveries) {
      const what = failure === null ? null : sanitize(failure);
      this.#statements.run(ADD_DELIVERY, [sanitize(id), sanitize(sink), timeOf(time), what]);
    }
  }

  /** The newest alerts of a range, oldest first. */
  read({ from, to, app, most }: AlertQuery): RecordedAlert[] {
    const newest = `SELECT number, ${COLUMNS} FROM alert WHERE time >= ? AND time < ? ${app === null ? '' : 'AND app = ?'} ORDER BY time DESC, number DESC LIMIT ?`;
    const values = [Math.floor(from), Math.ceil(to), ...(app === null ? [] : [app]), Math.max(1, Math.min(MOST_ALERTS, most))];
    return this.#statements
      .rows<AlertCells>(newest, values)
      .reverse()
      .map((cells) => this.#alertOf(cells.slice(1)));
  }

  /** Alerts by their numbers within (after, to], in that order, with the number of each. */
  numbered(after: number, to: number, most: number): (readonly [number: number, alert: RecordedAlert])[] {
    const sql = `SELECT number, ${COLUMNS} FROM alert WHERE number > ? AND number <= ? ORDER BY number LIMIT ?`;
    return this.#statements
      .rows<AlertCells>(sql, [after, to, most])
      .map((cells) => [Number(cells[0]), this.#alertOf(cells.slice(1))] as const);
  }

  /** Deletes an app's, those before a time (epoch ms), or both; not both null. First contacts go only with the whole app. */
  erase(app: string | null, before: number | null): void {
    const conditions = [...(before === null ? [] : ['time < ?']), ...(app === null ? [] : ['app = ?'])];
    const values = [...(before === null ? [] : [before]), ...(app === null ? [] : [app])];
    this.#statements.run(`DELETE FROM alert WHERE ${conditions.join(' AND ')}`, values);
    this.#statements.run(DROP_DELIVERIES, []);
    const label = app === null ? null : this.#dictionary.find(app);
    if (label !== null && before === null) this.#statements.run('DELETE FROM reached WHERE app = ?', [label]);
  }

  /** Deletes the oldest alerts of too many. @returns true if it deleted any */
  prune(maxBytes: number): boolean {
    const last = this.#statements.number('SELECT max(number) FROM alert');
    if (last === null) return false;
    const most = Math.min(MOST_ALERTS, Math.floor((maxBytes * ALERTS_SHARE) / ALERT_BYTES));
    if (this.#statements.run('DELETE FROM alert WHERE number <= ?', [last - most]) === 0) return false;
    this.#statements.run(DROP_DELIVERIES, []);
    return true;
  }

  /** The file may be forged: a word that is none of ours becomes the first of ours. */
  #alertOf(cells: AlertCells): RecordedAlert {
    const text = (column: number) => (cells[column] === null ? null : sanitize(String(cells[column])));
    const id = text(0) ?? '';
    const sinks = this.#statements.rows<AlertCells>(
      `SELECT sink, time, failure FROM delivery WHERE alert = ? ORDER BY time, sink LIMIT ${MOST_DELIVERIES}`,
      [id],
    );
    return {
      id,
      time: Number(cells[1]),
      kind: oneOf<AlertKind>(ALERT_KINDS, cells[2]) ?? 'threshold',
      severity: oneOf<Severity>(SEVERITIES, cells[3]) ?? 'info',
      app: text(4),
      exe: text(5),
      pid: cells[6] === null ? null : Number(cells[6]),
      user: text(7),
      host: text(8),
      domain: text(9),
      text: text(10) ?? '',
      details: String(cells[11]).split('\n', MOST_DETAILS).filter(Boolean).map(sanitize),
      evidence: text(12),
      held: oneOf<Exclude<Held, null>>(HELD, cells[13]),
      deliveries: sinks.map(([sink, time, failure]) => ({
        sink: sanitize(String(sink)),
        time: Number(time),
        failure: failure === null ? null : sanitize(String(failure)),
      })),
    };
  }
}

function timeOf(value: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.min(8.64e15, Math.trunc(value))) : 0;
}

function oneOf<Word extends string>(words: readonly Word[], value: unknown): Word | null {
  return words.find((word) => word === value) ?? null;
}

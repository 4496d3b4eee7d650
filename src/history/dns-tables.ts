// DNS in the history file: writes what was asked, and how much was encrypted, reads it back, deletes what is old or too much. Works in its
// caller's transaction.
// Texts come from a journal that may be forged.

import { DNS_TRANSPORTS, type DnsQuery, type RecordedDns, type RecordedEncrypted, type RecordedQuestion } from '../model/dns.ts';
import type { DnsRecords } from '../model/history-batch.ts';
import { ENCRYPTED_TRANSPORTS, FLOW_DIRECTIONS } from '../model/terms.ts';
import { sanitize } from '../net/text.ts';
import { type HistoryMeta, sum } from './schema.ts';
import type { Statements } from './sqljs/statements.ts';
import type { HistoryDictionary } from './writer.ts';

/** For how long questions are kept, ms. */
const KEPT_MS = 7 * 86_400_000;
/** The share of the file's limit that they may take, and what one takes with a name that only it has; measured. */
const SHARE = 0.1;
const QUESTION_BYTES = 130;
/** The same of encrypted DNS. */
const ENCRYPTED_SHARE = 0.01;
const ENCRYPTED_BYTES = 40;
/** The most that a step deletes. */
const ROWS_A_STEP = 20_000;
/** Most questions of an answer to a query. */
const MOST_READ = 200_000;
const LAST_MS = 8.64e15;
const MINUTE_MS = 60_000;
/** More than any batch moves; sums of thousands of rows stay within 64 bits. */
const MOST_BYTES = 1e15;
/** Answers of a question. */
const MOST_ANSWERS = 16;
const ADD = `INSERT INTO question VALUES (NULL${', ?'.repeat(18)})`;
const text = (column: string): string => `(SELECT text FROM label WHERE label.id = question.${column})`;
const READ = `SELECT time, ${text('name')}, ${text('domain')}, ${text('type')}, ${text('app')}, pid, ${text('reason')}, ${text('behalf')},
  ${text('resolver')}, port, transport, ${text('interface')}, direction, ${text('result')}, answers, answer_count, took, tries FROM question`;

const ENCRYPTED = ['connections', 'rx', 'tx'] as const;
const ADD_ENCRYPTED = `INSERT INTO encrypted VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET ${ENCRYPTED.map(sum).join(', ')}`;
const DROP_EMPTY = `DELETE FROM encrypted WHERE minute = ?1 AND app = ?2 AND reason = ?3 AND host = ?4 AND transport = ?5
  AND connections = 0 AND rx = 0 AND tx = 0`;
const label = (column: string): string => `(SELECT text FROM label WHERE label.id = encrypted.${column})`;
const READ_ENCRYPTED = `SELECT max(minute), ${label('app')}, ${label('reason')}, ${label('host')}, transport,
  total(connections), total(rx), total(tx) FROM encrypted`;

/** Selects the labels that questions and encrypted DNS have: retention must keep those. */
export const DNS_LABELS = [
  ...['name', 'domain', 'type', 'app', 'reason', 'behalf', 'resolver', 'interface', 'result'].map(
    (name) => `SELECT ${name} FROM question`,
  ),
  ...['app', 'reason', 'host'].map((name) => `SELECT ${name} FROM encrypted`),
];

type Cells = readonly (string | number | null)[];

/** The part of the file that holds what was asked of DNS. */
export class DnsTables {
  readonly #statements: Statements;
  readonly #dictionary: HistoryDictionary;
  readonly #meta: HistoryMeta;

  constructor(statements: Statements, dictionary: HistoryDictionary, meta: HistoryMeta) {
    this.#statements = statements;
    this.#dictionary = dictionary;
    this.#meta = meta;
  }

  write({ questions, missed, encrypted }: DnsRecords): void {
    const label = (one: string | null) => this.#dictionary.label(one);
    for (const row of questions) {
      const { name, domain, type, app, reason, onBehalfOf, resolver, result, answer } = row;
      this.#statements.run(ADD, [
        natural(row.time, LAST_MS),
        ...[name, domain, type, app].map(label),
        row.pid === null ? null : natural(row.pid, 0xffffffff),
        ...[reason, onBehalfOf, resolver.address].map(label),
        natural(resolver.port, 0xffff),
        DNS_TRANSPORTS.indexOf(row.transport),
        label(row.interface),
        FLOW_DIRECTIONS.indexOf(row.direction),
        label(result),
        cleanLines(answer),
        natural(row.answerCount, 0xffff),
        row.tookMs === null ? null : natural(row.tookMs * 1000, LAST_MS),
        natural(row.tries, 0xffff),
      ]);
    }
    const more = natural(missed, Number.MAX_SAFE_INTEGER);
    if (more > 0) this.#meta.set('questions_missed', (this.#meta.get('questions_missed') ?? 0) + more);
    for (const row of encrypted) this.#writeEncrypted(row);
  }

  #writeEncrypted({ minute, app, reason, host, transport, ...moved }: RecordedEncrypted): void {
    const facts = [app, reason, host].map((one) => this.#dictionary.label(one));
    const key = [natural(minute, LAST_MS / MINUTE_MS), ...facts, ENCRYPTED_TRANSPORTS.indexOf(transport)];
    const counts = [moved.connections, moved.rxBytes, moved.txBytes];
    this.#statements.run(ADD_ENCRYPTED, [...key, ...counts.map((count) => whole(count, MOST_BYTES))]);
    if (counts.some((count) => count < 0)) this.#statements.run(DROP_EMPTY, key);
  }

  /** What was asked in a range. An app is also the one for which a resolver asked. Encrypted DNS is known to the minute. */
  read(query: DnsQuery): RecordedDns {
    const asker = query.app === null ? null : this.#dictionary.find(query.app);
    if (query.app !== null && asker === null) return { questions: [], encrypted: [] };
    return { questions: this.#questions(query, asker), encrypted: this.#encrypted(query, asker) };
  }

  #questions({ from, to, most }: DnsQuery, asker: number | null): RecordedQuestion[] {
    const values = [Math.floor(from), Math.ceil(to), ...(asker === null ? [] : [asker]), Math.max(1, Math.min(MOST_READ, most))];
    const who = asker === null ? '' : 'AND (app = ?3 OR behalf = ?3)';
    return this.#statements
      .rows<Cells>(`${READ} WHERE time >= ?1 AND time < ?2 ${who} ORDER BY time DESC, id DESC LIMIT ?${values.length}`, values)
      .reverse()
      .map(questionOf);
  }

  #encrypted({ from, to }: DnsQuery, asker: number | null): RecordedDns['encrypted'] {
    const values = [Math.floor(from / MINUTE_MS), Math.ceil(to / MINUTE_MS), ...(asker === null ? [] : [asker])];
    const who = asker === null ? '' : 'AND app = ?3';
    const sql = `${READ_ENCRYPTED} WHERE minute >= ?1 AND minute < ?2 ${who} GROUP BY app, reason, host, transport
      ORDER BY total(rx) + total(tx) DESC LIMIT ${MOST_READ}`;
    return this.#statements
      .rows<Cells>(sql, values)
      .map(encryptedOf)
      .filter(({ connections, rxBytes, txBytes }) => connections + rxBytes + txBytes > 0);
  }

  /** Deletes an app's, those before a time (epoch ms), or both; not both null. */
  erase(app: string | null, before: number | null): void {
    const label = app === null ? null : this.#dictionary.find(app);
    if (app !== null && label === null) return;
    const conditions = [...(before === null ? [] : ['time < ?']), ...(label === null ? [] : ['(app = ? OR behalf = ?)'])];
    const values = [...(before === null ? [] : [before]), ...(label === null ? [] : [label, label])];
    this.#statements.run(`DELETE FROM question WHERE ${conditions.join(' AND ')}`, values);
    const minute = before === null ? [] : [before / MINUTE_MS];
    const which = [...minute.map(() => 'minute < ?'), ...(label === null ? [] : ['app = ?'])];
    this.#statements.run(`DELETE FROM encrypted WHERE ${which.join(' AND ')}`, [...minute, ...(label === null ? [] : [label])]);
  }

  /** Deletes the next ones that are old or too many. @param now epoch ms @returns true if it deleted any */
  prune(now: number, maxBytes: number): boolean {
    const isLess = this.#pruneEncrypted(now, maxBytes);
    const last = this.#statements.number('SELECT max(id) FROM question');
    if (last === null) return isLess;
    const most = Math.floor((maxBytes * SHARE) / QUESTION_BYTES);
    const first = `SELECT id, time FROM question ORDER BY id LIMIT ${ROWS_A_STEP}`;
    const sql = `DELETE FROM question WHERE id IN (SELECT id FROM (${first}) WHERE id <= ? OR time < ?)`;
    return this.#statements.run(sql, [last - most, now - KEPT_MS]) > 0 || isLess;
  }

  /** Deletes whole minutes. */
  #pruneEncrypted(now: number, maxBytes: number): boolean {
    const rows = this.#statements.number('SELECT count(*) FROM encrypted') ?? 0;
    const over = rows - Math.floor((maxBytes * ENCRYPTED_SHARE) / ENCRYPTED_BYTES);
    const last =
      over > 0 ? this.#statements.number('SELECT minute FROM encrypted ORDER BY minute LIMIT 1 OFFSET ?', [over - 1]) : null;
    const sql = 'DELETE FROM encrypted WHERE minute < ? OR minute <= ?';
    return rows > 0 && this.#statements.run(sql, [(now - KEPT_MS) / MINUTE_MS, last ?? -1]) > 0;
  }

  /** Deletes the oldest, because the file is too large. @returns true if there were any */
  shrink(): boolean {
    const sql = `DELETE FROM question WHERE id IN (SELECT id FROM question ORDER BY id LIMIT ${ROWS_A_STEP})`;
    return this.#statements.run(sql, []) > 0;
  }
}

/** The file may be forged: a word that is none of ours becomes the first of ours. */
function questionOf(cells: Cells): RecordedQuestion {
  const word = (column: number) =>
    cells[column] === null || cells[column] === undefined ? null : sanitize(String(cells[column]));
  const number = (column: number) => (typeof cells[column] === 'number' ? cells[column] : null);
  return {
    time: natural(number(0) ?? 0, LAST_MS),
    name: word(1) ?? '',
    domain: word(2),
    type: word(3) ?? '',
    app: word(4),
    pid: number(5),
    reason: word(6),
    onBehalfOf: word(7),
    resolver: { address: word(8) ?? '', port: number(9) ?? 0 },
    transport: DNS_TRANSPORTS[number(10) ?? 0] ?? 'udp',
    interface: word(11) ?? '',
    direction: FLOW_DIRECTIONS[number(12) ?? 0] ?? 'outbound',
    result: word(13) ?? '',
    answer: cleanLines(String(cells[14] ?? '')),
    answerCount: number(15) ?? 0,
    tookMs: number(16) === null ? null : (number(16) as number) / 1000,
    tries: number(17) ?? 1,
  };
}

function encryptedOf(cells: Cells): RecordedDns['encrypted'][number] {
  const word = (column: number) => (cells[column] === null ? null : sanitize(String(cells[column])));
  const number = (column: number) => natural(Number(cells[column]), Number.MAX_SAFE_INTEGER);
  return {
    lastSeen: natural(number(0) * MINUTE_MS, LAST_MS),
    app: word(1),
    reason: word(2),
    host: word(3) ?? '',
    transport: ENCRYPTED_TRANSPORTS[number(4)] ?? 'tls',
    connections: number(5),
    rxBytes: number(6),
    txBytes: number(7),
  };
}

/** Lines, each stripped of what moves a cursor. */
function cleanLines(lines: string): string {
  return lines.split('\n', MOST_ANSWERS).map(sanitize).join('\n');
}

function natural(value: number, most: number): number {
  return Math.max(0, whole(value, most));
}

function whole(value: number, most: number): number {
  return Number.isFinite(value) ? Math.max(-most, Math.min(most, Math.round(value))) : 0;
}

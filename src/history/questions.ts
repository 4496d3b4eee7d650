// Questions of DNS in the history file: writes what was asked, reads it back, deletes what is old or too much. Works in its caller's transaction.
// Texts come from a journal that may be forged.

import { DNS_TRANSPORTS, type DnsQuery, type RecordedQuestion } from '../model/dns.ts';
import type { QuestionRecords } from '../model/history-batch.ts';
import { FLOW_DIRECTIONS } from '../model/terms.ts';
import { sanitize } from '../net/text.ts';
import type { HistoryMeta } from './schema.ts';
import type { Statements } from './sqljs/statements.ts';
import type { HistoryDictionary } from './writer.ts';

/** For how long questions are kept, ms. */
const KEPT_MS = 7 * 86_400_000;
/** The share of the file's limit that they may take, and what one takes with a name that only it has; measured. */
const SHARE = 0.1;
const QUESTION_BYTES = 130;
/** The most that a step deletes. */
const ROWS_A_STEP = 20_000;
/** Most questions of an answer to a query. */
const MOST_READ = 200_000;
const LAST_MS = 8.64e15;
/** Answers of a question. */
const MOST_ANSWERS = 16;
const ADD = `INSERT INTO question VALUES (NULL${', ?'.repeat(18)})`;
const text = (column: string): string => `(SELECT text FROM label WHERE label.id = question.${column})`;
const READ = `SELECT time, ${text('name')}, ${text('domain')}, ${text('type')}, ${text('app')}, pid, ${text('reason')}, ${text('behalf')},
  ${text('resolver')}, port, transport, ${text('interface')}, direction, ${text('result')}, answers, answer_count, took, tries FROM question`;

/** Columns of `question` that are labels: retention must keep those. */
export const QUESTION_LABELS = ['name', 'domain', 'type', 'app', 'reason', 'behalf', 'resolver', 'interface', 'result'] as const;

type Cells = readonly (string | number | null)[];

/** The part of the file that holds questions. */
export class QuestionTable {
  readonly #statements: Statements;
  readonly #dictionary: HistoryDictionary;
  readonly #meta: HistoryMeta;

  constructor(statements: Statements, dictionary: HistoryDictionary, meta: HistoryMeta) {
    this.#statements = statements;
    this.#dictionary = dictionary;
    this.#meta = meta;
  }

  write({ questions, missed }: QuestionRecords): void {
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
  }

  /** The newest questions of a range, oldest first. An app is also the one for which a resolver asked. */
  read({ from, to, app, most }: DnsQuery): RecordedQuestion[] {
    const asker = app === null ? null : this.#dictionary.find(app);
    if (app !== null && asker === null) return [];
    const values = [Math.floor(from), Math.ceil(to), ...(asker === null ? [] : [asker]), Math.max(1, Math.min(MOST_READ, most))];
    const who = asker === null ? '' : 'AND (app = ?3 OR behalf = ?3)';
    return this.#statements
      .rows<Cells>(`${READ} WHERE time >= ?1 AND time < ?2 ${who} ORDER BY time DESC, id DESC LIMIT ?${values.length}`, values)
      .reverse()
      .map(questionOf);
  }

  /** Deletes an app's, those before a time (epoch ms), or both; not both null. */
  erase(app: string | null, before: number | null): void {
    const label = app === null ? null : this.#dictionary.find(app);
    if (app !== null && label === null) return;
    const conditions = [...(before === null ? [] : ['time < ?']), ...(label === null ? [] : ['(app = ? OR behalf = ?)'])];
    const values = [...(before === null ? [] : [before]), ...(label === null ? [] : [label, label])];
    this.#statements.run(`DELETE FROM question WHERE ${conditions.join(' AND ')}`, values);
  }

  /** Deletes the next ones that are old or too many. @param now epoch ms @returns true if it deleted any */
  prune(now: number, maxBytes: number): boolean {
    const last = this.#statements.number('SELECT max(id) FROM question');
    if (last === null) return false;
    const most = Math.floor((maxBytes * SHARE) / QUESTION_BYTES);
    const first = `SELECT id, time FROM question ORDER BY id LIMIT ${ROWS_A_STEP}`;
    const sql = `DELETE FROM question WHERE id IN (SELECT id FROM (${first}) WHERE id <= ? OR time < ?)`;
    return this.#statements.run(sql, [last - most, now - KEPT_MS]) > 0;
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

/** Lines, each stripped of what moves a cursor. */
function cleanLines(lines: string): string {
  return lines.split('\n', MOST_ANSWERS).map(sanitize).join('\n');
}

function natural(value: number, most: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.min(most, Math.round(value))) : 0;
}

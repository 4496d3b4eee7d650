// The statements behind answers: sums of segments by subject or over all, restricted to some subjects. Knows tables; what a question means it
// leaves to `history-queries`.

import type { Segment } from './history-cover.ts';
import { addSums, noSums, type Sums } from './history-fold.ts';
import { bucketOf, minutesOf, SUBJECT_MASK, SUBJECTS, type TierTable } from './history-schema.ts';
import type { Statements } from './statements.ts';

/** Columns of `subject` that rows can be grouped by. */
export type SubjectColumn =
  | 'app'
  | 'reason'
  | 'exe'
  | 'host'
  | 'domain'
  | 'category'
  | 'interface'
  | 'protocol'
  | 'direction'
  | 'id';

/** Equality that a subject must meet: column and number of the label. */
export type Restriction = readonly [column: SubjectColumn, label: number];

/** Sums under one combination of values of the columns that were asked for. */
export interface ColumnGroup extends Sums {
  readonly values: readonly number[];
}

const MOST_TEXTS = 65_536;
const MINUTE = 60_000;

/** Read access by sums. */
export class HistorySums {
  readonly #statements: Statements;
  readonly #texts = new Map<number, string>();

  constructor(statements: Statements) {
    this.#statements = statements;
    statements.run('CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY) STRICT', []);
  }

  /** Text of a label; null for 0. */
  text(label: number): string | null {
    if (label === 0) return null;
    const known = this.#texts.get(label);
    if (known !== undefined) return known;
    const text = this.#statements.first<[string]>('SELECT text FROM label WHERE id = ?', [label])?.[0] ?? '';
    if (this.#texts.size >= MOST_TEXTS) this.#texts.clear();
    this.#texts.set(label, text);
    return text;
  }

  /** Number of a text; null where nothing recorded bears it. */
  label(text: string): number | null {
    return this.#statements.number('SELECT id FROM label WHERE text = ?', [text]);
  }

  /** Forgets texts: after numbers were given up. */
  forget(): void {
    this.#texts.clear();
  }

  /** Sums by columns of the subject, over segments. */
  byColumns(
    segments: readonly Segment[],
    columns: readonly SubjectColumn[],
    restrictions: readonly Restriction[],
  ): ColumnGroup[] {
    const groups = new Map<string, ColumnGroup>();
    const names = columns.map((name) => `subject.${name}`).join(', ');
    const where = ['1', ...restrictions.map(([column]) => `subject.${column} = ?`)].join(' AND ');
    for (const segment of segments) {
      const rows = this.#statements.rows<number[]>(
        `SELECT sum(rx), sum(tx), sum(rx_packets), sum(tx_packets), sum(flows), min(first), max(last), ${names} FROM (
           SELECT id & ${SUBJECT_MASK} AS subject, ${SUMS}, min(id) AS first, max(id) AS last FROM ${segment.table} WHERE id >= ? AND id < ? GROUP BY 1
         ) AS moved CROSS JOIN subject ON subject.id = moved.subject WHERE ${where} GROUP BY ${names}`,
        [...idsOf(segment), ...restrictions.map(([, label]) => label)],
      );
      for (const row of rows) {
        const values = row.slice(7);
        const key = values.join();
        const sums = sumsOf(row, segment.table);
        const known = groups.get(key);
        if (known === undefined) groups.set(key, { values, ...sums });
        else addSums(known, sums);
      }
    }
    return [...groups.values()];
  }

  /** Chooses subjects for `over`. */
  choose(subjects: Iterable<number>): void {
    this.#statements.run('DELETE FROM temp.chosen', []);
    this.#statements.run('SAVEPOINT choose', []);
    for (const subject of subjects) this.#statements.run('INSERT INTO temp.chosen VALUES (?)', [subject]);
    this.#statements.run('RELEASE choose', []);
  }

  /** Chooses the subjects that meet restrictions. */
  chooseWhere(restrictions: readonly Restriction[]): void {
    this.#statements.run('DELETE FROM temp.chosen', []);
    const where = restrictions.map(([column]) => `${column} = ?`).join(' AND ');
    const sql = `INSERT INTO temp.chosen SELECT id FROM subject WHERE ${where}`;
    this.#statements.run(
      sql,
      restrictions.map(([, label]) => label),
    );
  }

  /** Sums of segments over all subjects, or over the chosen ones; null where there is no record. */
  over(segments: readonly Segment[], chosen: boolean): Sums | null {
    const sums = noSums();
    for (const segment of segments) {
      const where = chosen ? `AND id & ${SUBJECT_MASK} IN (SELECT id FROM temp.chosen)` : '';
      const row = this.#statements.first<(number | null)[]>(
        `SELECT ${SUMS}, min(id), max(id) FROM ${segment.table} WHERE id >= ? AND id < ? ${where}`,
        idsOf(segment),
      );
      if (row !== null && row[5] !== null) addSums(sums, sumsOf(row as number[], segment.table));
    }
    return sums.first === Number.POSITIVE_INFINITY ? null : sums;
  }
}

const SUMS = 'sum(rx) AS rx, sum(tx) AS tx, sum(rx_packets) AS rx_packets, sum(tx_packets) AS tx_packets, sum(flows) AS flows';

function idsOf(segment: Segment): number[] {
  return [segment.from * SUBJECTS, segment.to * SUBJECTS];
}

function sumsOf(row: readonly number[], table: TierTable): Sums {
  const [rxBytes, txBytes, rxPackets, txPackets, flows, first, last] = row as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { rxBytes, txBytes, rxPackets, txPackets, flows, first: startOf(first, table), last: startOf(last, table) };
}

/** Epoch ms at which the bucket of an id begins. */
function startOf(id: number, table: TierTable): number {
  return bucketOf(id) * minutesOf(table) * MINUTE;
}

// The statements behind answers: sums of segments by subject or over all, restricted to some subjects. Knows tables; what a question means it
// leaves to `history-queries`.

import { bucketOf, minutesOf, SUBJECT_MASK, SUBJECTS, type TierTable } from '../schema.ts';
import type { Statements } from '../sqljs/statements.ts';
import type { Segment } from './cover.ts';
import { addSums, type ColumnGroup, Groups, noSums, type Sums } from './fold.ts';

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

/** Where more than this many subjects come on one that was met, they are looked up one by one. */
const FEW = 4;
const MOST_TEXTS = 65_536;
/** ms */
const MINUTE = 60_000;
const DAY = 86_400_000;
/** id, rx, tx, rx_packets, tx_packets, flows */
type Record = [number, number, number, number, number, number];

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

  /** Forgets texts: after numbers were given up. */
  forget(): void {
    this.#texts.clear();
  }

  /** Sums by columns of the subject, over segments. Rows are added up here: twice as fast as the database's own grouping, which sorts. */
  byColumns(
    segments: readonly Segment[],
    columns: readonly SubjectColumn[],
    restrictions: readonly Restriction[],
  ): ColumnGroup[] {
    const met = this.#bySubject(segments);
    // Each subject is met once: nothing of it can be one with another's.
    const groups = columns.includes('id') ? null : new Groups();
    const alone: ColumnGroup[] = [];
    this.#eachSubject(met, columns, restrictions, (row) => {
      const subject = row[0] as number;
      if (!met.has(subject)) return;
      const values = row.slice(1);
      const group = groups?.of(values) ?? { values, ...noSums() };
      met.addTo(group, subject);
      if (groups === null) alone.push(group);
    });
    return groups?.list ?? alone;
  }

  #bySubject(segments: readonly Segment[]): SubjectSums {
    const met = new SubjectSums();
    for (const { table, ...buckets } of segments) {
      const sql = `SELECT id, rx, tx, rx_packets, tx_packets, flows FROM ${table} WHERE id >= ? AND id < ?`;
      this.#statements.each<Record>(sql, idsOf({ table, ...buckets }), (row) => {
        const bucket = bucketOf(row[0]);
        met.add(row[0] - bucket * SUBJECTS, startOf(bucket, table), row[1], row[2], row[3], row[4], row[5]);
      });
    }
    return met;
  }

  /** Hands over id and columns of the subjects that were met, and of others too where most of them were. */
  #eachSubject(
    met: SubjectSums,
    columns: readonly SubjectColumn[],
    restrictions: readonly Restriction[],
    take: (row: number[]) => void,
  ): void {
    const sql = `SELECT ${['id', ...columns].join(', ')} FROM subject WHERE ${[...restrictions.map(([column]) => `${column} = ?`), ''].join(' AND ')}`;
    const labels = restrictions.map(([, label]) => label);
    const [low, high] = met.range;
    if (met.size * FEW < high - low) for (const id of met.subjects) this.#statements.each(`${sql}id = ?`, [...labels, id], take);
    else if (met.size > 0) this.#statements.each(`${sql}id BETWEEN ? AND ?`, [...labels, low, high], take);
  }

  /** Start of the first day (UTC) with records that ends after a time, epoch ms; null where there is none. Years without any are passed over by it. */
  dayFrom(time: number): number | null {
    const id = this.#statements.number('SELECT min(id) FROM day WHERE id >= ?', [Math.floor(time / DAY) * SUBJECTS]);
    return id === null ? null : bucketOf(id) * DAY;
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

/** total() adds as floating point, exact up to 2^53; sum() fails where a damaged or forged file holds more than 2^63. */
const SUMS =
  'total(rx) AS rx, total(tx) AS tx, total(rx_packets) AS rx_packets, total(tx_packets) AS tx_packets, total(flows) AS flows';

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
  return {
    rxBytes,
    txBytes,
    rxPackets,
    txPackets,
    flows,
    first: startOf(bucketOf(first), table),
    last: startOf(bucketOf(last), table),
  };
}

/** Epoch ms at which a bucket begins. */
function startOf(bucket: number, table: TierTable): number {
  return bucket * minutesOf(table) * MINUTE;
}

// Sums by subject while records are read: numbers in one array, for a question of three months meets a hundred thousand subjects. Knows no tables.

/** rxBytes, txBytes, rxPackets, txPackets, flows, first, last: what each subject has in `#sums`. */
const WIDTH = 7;
const FEWEST = 4096;

/** Grows with what it meets: 56 bytes a subject, and 4 for each number up to the highest. */
export class SubjectSums {
  /** Place of each subject, counted from 1; 0 for one that was not met. */
  #places = new Int32Array(FEWEST);
  #sums = new Float64Array(FEWEST * WIDTH);
  #met = new Int32Array(FEWEST);
  #count = 0;
  #lowest = Number.POSITIVE_INFINITY;
  #highest = 0;

  /** Subjects that were met. */
  get size(): number {
    return this.#count;
  }

  /** Lowest and highest number among them. */
  get range(): readonly [low: number, high: number] {
    return [this.#lowest, this.#highest];
  }

  /** Numbers of all, in the order in which they were met. */
  get subjects(): Int32Array {
    return this.#met.subarray(0, this.#count);
  }

  has(subject: number): boolean {
    return (this.#places[subject] ?? 0) !== 0;
  }

  /** Adds a record. @param start of its bucket, epoch ms */
  add(subject: number, start: number, rx: number, tx: number, rxPackets: number, txPackets: number, flows: number): void {
    const at = this.#place(subject, start) * WIDTH;
    const sums = this.#sums;
    sums[at] = (sums[at] as number) + rx;
    sums[at + 1] = (sums[at + 1] as number) + tx;
    sums[at + 2] = (sums[at + 2] as number) + rxPackets;
    sums[at + 3] = (sums[at + 3] as number) + txPackets;
    sums[at + 4] = (sums[at + 4] as number) + flows;
    if (start < (sums[at + 5] as number)) sums[at + 5] = start;
    if (start > (sums[at + 6] as number)) sums[at + 6] = start;
  }

  /** Adds what a subject has to sums; nothing for one that was not met. */
  addTo(to: Sums, subject: number): void {
    const place = (this.#places[subject] ?? 0) - 1;
    if (place < 0) return;
    const at = place * WIDTH;
    const sum = (column: number) => this.#sums[at + column] as number;
    to.rxBytes += sum(0);
    to.txBytes += sum(1);
    to.rxPackets += sum(2);
    to.txPackets += sum(3);
    to.flows += sum(4);
    to.first = Math.min(to.first, sum(5));
    to.last = Math.max(to.last, sum(6));
  }

  #place(subject: number, start: number): number {
    if (subject >= this.#places.length) this.#places = grown(this.#places, subject + 1);
    const known = this.#places[subject] as number;
    if (known !== 0) return known - 1;
    const place = this.#count++;
    if (place >= this.#met.length) {
      this.#met = grown(this.#met, place + 1);
      const sums = new Float64Array(this.#met.length * WIDTH);
      sums.set(this.#sums);
      this.#sums = sums;
    }
    this.#places[subject] = place + 1;
    this.#met[place] = subject;
    this.#sums[place * WIDTH + 5] = start;
    this.#sums[place * WIDTH + 6] = start;
    this.#lowest = Math.min(this.#lowest, subject);
    this.#highest = Math.max(this.#highest, subject);
    return place;
  }
}

/** The same numbers with room for at least `count`. */
function grown(numbers: Int32Array, count: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(count, numbers.length * 2));
  larger.set(numbers);
  return larger;
}

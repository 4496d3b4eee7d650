// The statements behind answers: sums of segments by subject or over all, restricted to some subjects. It knows tables; `HistoryQueries`
// knows what a query means.

import { bucketOf, type CONTAINER_COLUMNS, minutesOf, SUBJECT_MASK, SUBJECTS, type TierTable } from '../schema.ts';
import type { Statements } from '../sqljs/statements.ts';
import { addSums, type ColumnGroup, Groups, noSums, type Sums } from './groups.ts';
import type { Segment } from './segments.ts';

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
  | (typeof CONTAINER_COLUMNS)[number]
  | 'id';

/** A subject has to have this label in this column. */
export type Restriction = readonly [column: SubjectColumn, label: number];

/** Subjects are looked up one by one if fewer than one in this many of their range has records. */
const SPARSE = 4;
const MOST_TEXTS = 65_536;
/** ms */
const MINUTE = 60_000;
const DAY = 86_400_000;
/** id, rx, tx, rx_packets, tx_packets, flows */
type Record = [number, number, number, number, number, number];

/** Sums of records; one for each database. */
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

  /** Empties the cache of texts; call it when labels were deleted. */
  forget(): void {
    this.#texts.clear();
  }

  /** Sums of segments by columns of the subject. SQLite's own grouping sorts, which takes twice as long as adding up here. */
  byColumns(
    segments: readonly Segment[],
    columns: readonly SubjectColumn[],
    restrictions: readonly Restriction[],
  ): ColumnGroup[] {
    const found = this.#bySubject(segments);
    // With its id among the columns, each subject is a group of its own.
    const groups = columns.includes('id') ? null : new Groups();
    const single: ColumnGroup[] = [];
    this.#eachSubject(found, columns, restrictions, (row) => {
      const subject = row[0] as number;
      if (!found.has(subject)) return;
      const values = row.slice(1);
      const group = groups?.of(values) ?? { values, ...noSums() };
      found.addTo(group, subject);
      if (groups === null) single.push(group);
    });
    return groups?.list ?? single;
  }

  #bySubject(segments: readonly Segment[]): SubjectSums {
    const found = new SubjectSums();
    for (const { table, ...buckets } of segments) {
      const sql = `SELECT id, rx, tx, rx_packets, tx_packets, flows FROM ${table} WHERE id >= ? AND id < ?`;
      this.#statements.each<Record>(sql, idsOf({ table, ...buckets }), (row) => {
        const bucket = bucketOf(row[0]);
        found.add(row[0] - bucket * SUBJECTS, startOf(bucket, table), row[1], row[2], row[3], row[4], row[5]);
      });
    }
    return found;
  }

  /** Passes id and columns of the subjects that were found to `take`; if these are many, of others between them too. */
  #eachSubject(
    found: SubjectSums,
    columns: readonly SubjectColumn[],
    restrictions: readonly Restriction[],
    take: (row: number[]) => void,
  ): void {
    const sql = `SELECT ${['id', ...columns].join(', ')} FROM subject WHERE ${[...restrictions.map(([column]) => `${column} = ?`), ''].join(' AND ')}`;
    const labels = restrictions.map(([, label]) => label);
    const [low, high] = found.range;
    if (found.size * SPARSE < high - low)
      for (const id of found.subjects) this.#statements.each(`${sql}id = ?`, [...labels, id], take);
    else if (found.size > 0) this.#statements.each(`${sql}id BETWEEN ? AND ?`, [...labels, low, high], take);
  }

  /** Start of the first day (UTC) with records that ends after a time, epoch ms; null for none. It lets callers skip years without records. */
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

  /** Chooses for `over` the subjects that meet restrictions. */
  chooseWhere(restrictions: readonly Restriction[]): void {
    this.#statements.run('DELETE FROM temp.chosen', []);
    const where = restrictions.map(([column]) => `${column} = ?`).join(' AND ');
    const sql = `INSERT INTO temp.chosen SELECT id FROM subject WHERE ${where}`;
    this.#statements.run(
      sql,
      restrictions.map(([, label]) => label),
    );
  }

  /** Sums of segments over all subjects, or over the chosen ones; null without any record. */
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

/** total() adds as floating point, exact up to 2^53; sum() fails above 2^63, which a damaged or forged file may hold. */
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

/** Numbers of a subject in `SubjectSums.#sums`. */
const WIDTH = 7;
const FEWEST = 4096;

/**
 * Sums by subject, in typed arrays, for a query of three months finds a hundred thousand subjects. It takes 60 bytes a subject, and 4 for each
 * number up to the highest.
 *
 *     #places[subject]     1 + place of the subject; 0 if it has no record
 *     #subjects[place]     the subject
 *     #sums[place * 7 ...] rxBytes | txBytes | rxPackets | txPackets | flows | first | last
 */
export class SubjectSums {
  #places = new Int32Array(FEWEST);
  #sums = new Float64Array(FEWEST * WIDTH);
  #subjects = new Int32Array(FEWEST);
  #count = 0;
  #lowest = Number.POSITIVE_INFINITY;
  #highest = 0;

  /** How many subjects have records. */
  get size(): number {
    return this.#count;
  }

  /** Lowest and highest number among them. */
  get range(): readonly [low: number, high: number] {
    return [this.#lowest, this.#highest];
  }

  /** Numbers of all, in the order of their first records. */
  get subjects(): Int32Array {
    return this.#subjects.subarray(0, this.#count);
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

  /** Adds the sums of a subject to `to`; nothing if it has no record. */
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
    if (place >= this.#subjects.length) {
      this.#subjects = grown(this.#subjects, place + 1);
      const sums = new Float64Array(this.#subjects.length * WIDTH);
      sums.set(this.#sums);
      this.#sums = sums;
    }
    this.#places[subject] = place + 1;
    this.#subjects[place] = subject;
    this.#sums[place * WIDTH + 5] = start;
    this.#sums[place * WIDTH + 6] = start;
    this.#lowest = Math.min(this.#lowest, subject);
    this.#highest = Math.max(this.#highest, subject);
    return place;
  }
}

/** A copy with room for at least `count` numbers. */
function grown(numbers: Int32Array, count: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(count, numbers.length * 2));
  larger.set(numbers);
  return larger;
}

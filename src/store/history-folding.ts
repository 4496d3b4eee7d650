// A day's smallest hosts made one: what moved stays in the sums of the app, the category, the interface; where it went is forgotten.

import { type HistoryDictionary, SUBJECT_COLUMNS } from './history-dictionary.ts';
import { ADD_TO, SUBJECT_MASK, SUBJECTS } from './history-schema.ts';
import type { Statements } from './statements.ts';

/** Columns of a subject that are forgotten. */
const FORGOTTEN: readonly string[] = ['host', 'domain'];
const KEPT_COLUMNS = SUBJECT_COLUMNS.map((name) => (FORGOTTEN.includes(name) ? '0' : name)).join(', ');

/**
 * Leaves the `left` largest rows of a day that name a host, and books the others under their app's other hosts.
 *
 * @returns false where there was nothing to fold
 */
export function foldDay(statements: Statements, dictionary: HistoryDictionary, day: number, left: number): boolean {
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

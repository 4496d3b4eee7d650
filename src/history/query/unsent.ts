// Reads what engines are still to get, in the order in which it is sent. A row of a cut is the same whenever it is read: what was recorded
// later under its minute is taken off again, and goes as a row of its own.

import type { Alert } from '../../model/alert.ts';
import type { ExportCursor } from '../../model/export.ts';
import type { MinuteRow, UnsentPage } from '../../model/export-batch.ts';
import type { LoggedFlow } from '../../model/history-batch.ts';
import type { AlertTables } from '../alerts.ts';
import type { ExportTables, StoredCut } from '../exports.ts';
import { bucketOf, SUBJECT_MASK, SUBJECTS } from '../schema.ts';
import type { Statements } from '../sqljs/statements.ts';
import { type Cells, FACTS, FLOWS_WHERE, factsOf, flowOf } from './pages.ts';

const MINUTE_MS = 60_000;
const MOST_ROWS = 10_000;
/** Parts of a cut in the order in which they are sent. The numbers are in files of users. */
const SECTION = { minutes: 0, changes: 1, flows: 2, alerts: 3, end: 4 } as const;
const NUMBERS = ['rx', 'tx', 'rx_packets', 'tx_packets', 'flows'] as const;

const MINUTES = `SELECT moved.id, ${NUMBERS.map((name) => `moved.${name} - coalesce(later.${name}, 0) AS ${name}`).join(', ')}, ${FACTS}
  FROM minute AS moved
  LEFT JOIN (SELECT id, ${NUMBERS.map((name) => `sum(${name}) AS ${name}`).join(', ')} FROM late WHERE id > ?1 AND id <= ?2 GROUP BY id) AS later
    ON later.id = moved.id
  CROSS JOIN subject ON subject.id = moved.id & ${SUBJECT_MASK}
  WHERE moved.id > ?1 AND moved.id <= ?2 ORDER BY moved.id LIMIT ?3`;
const CHANGES = `SELECT late.id, ${NUMBERS.join(', ')}, ${FACTS} FROM late
  CROSS JOIN subject ON subject.id = late.id & ${SUBJECT_MASK} WHERE cut = ? AND late.id > ? ORDER BY late.id LIMIT ?`;
const FLOWS = FLOWS_WHERE('flow.id > ? AND flow.id <= ?');
/** Before the first cut. */
const NOTHING: StoredCut = { number: 0, run: 0, minute: -1, flow: 0, alert: 0 };

/** The rows of cuts. */
export class UnsentRows {
  readonly #statements: Statements;
  readonly #exports: ExportTables;
  readonly #alerts: AlertTables;

  constructor(statements: Statements, exports: ExportTables, alerts: AlertTables) {
    this.#statements = statements;
    this.#exports = exports;
    this.#alerts = alerts;
  }

  /**
   * At most `most` rows from a place on, of one cut; null if that cut isn't there.
   *
   * @param minutesFrom minutes before it are deleted
   */
  page(cursor: ExportCursor, most: number, minutesFrom: number): UnsentPage | null {
    const cut = this.#exports.cut(Math.trunc(cursor.cut));
    if (cut === null) return null;
    const known = this.#exports.cut(cut.number - 1);
    const before = known ?? NOTHING;
    const page: Rows = { minutes: [], flows: [], alerts: [], deleted: { minutes: 0, connections: 0 } };
    if (known !== null && cursor.section === SECTION.minutes && cursor.after === 0)
      page.deleted.minutes = Math.max(0, Math.min(cut.minute + 1, minutesFrom) - (before.minute + 1));
    const { run, minute } = cut;
    let left = Math.max(1, Math.min(MOST_ROWS, Math.trunc(most)));
    let after = cursor.after;
    for (let section = cursor.section; section < SECTION.end; section++) {
      const ids = this.#take(section, before, cut, after, left, page);
      left -= ids.length;
      if (left === 0) return { cut: { run, minute }, ...page, next: { cut: cut.number, section, after: ids.at(-1) as number } };
      after = 0;
    }
    return { cut: { run, minute }, ...page, next: { cut: cut.number + 1, section: 0, after: 0 } };
  }

  /** Adds rows of a part to a page. @returns their numbers */
  #take(section: number, before: StoredCut, cut: StoredCut, after: number, most: number, page: Rows): number[] {
    switch (section) {
      case SECTION.minutes: {
        const from = Math.max(after, (before.minute + 1) * SUBJECTS - 1);
        const rows = this.#statements.rows<Cells>(MINUTES, [from, (cut.minute + 1) * SUBJECTS - 1, most]);
        page.minutes.push(...rows.map((cells) => minuteOf(cells, false)).filter(hasMoved));
        return rows.map(([id]) => Number(id));
      }
      case SECTION.changes: {
        const rows = this.#statements.rows<Cells>(CHANGES, [cut.number, after, most]);
        page.minutes.push(...rows.map((cells) => minuteOf(cells, true)).filter(hasMoved));
        return rows.map(([id]) => Number(id));
      }
      case SECTION.flows: {
        const from = Math.max(after, before.flow);
        const rows = this.#statements.rows<Cells>(FLOWS, [from, cut.flow, most]);
        page.flows.push(...rows.map(flowOf));
        const ids = rows.map(([id]) => Number(id));
        // Their numbers have no gaps of their own.
        const until = ids.length === most ? (ids.at(-1) as number) : cut.flow;
        if (before !== NOTHING) page.deleted.connections += Math.max(0, until - from - ids.length);
        return ids;
      }
      default: {
        const rows = this.#alerts.numbered(Math.max(after, before.alert), cut.alert, most);
        page.alerts.push(...rows.map(([, alert]) => alert));
        return rows.map(([number]) => number);
      }
    }
  }
}

interface Rows {
  readonly minutes: MinuteRow[];
  readonly flows: LoggedFlow[];
  readonly alerts: Alert[];
  readonly deleted: { minutes: number; connections: number };
}

function minuteOf(cells: Cells, isLate: boolean): MinuteRow {
  const [id = 0, rxBytes = 0, txBytes = 0, rxPackets = 0, txPackets = 0, flows = 0] = cells as readonly number[];
  const facts = factsOf(cells.slice(6));
  return { time: bucketOf(id) * MINUTE_MS, isLate, ...facts, rxBytes, txBytes, rxPackets, txPackets, flows };
}

/** Later changes may have made a row of a minute in which nothing had moved. */
function hasMoved({ rxBytes, txBytes, rxPackets, txPackets, flows }: MinuteRow): boolean {
  return rxBytes !== 0 || txBytes !== 0 || rxPackets !== 0 || txPackets !== 0 || flows !== 0;
}

// A batch into the tables: every entry into the day, and into hour and minute where those are still kept. Runs within its caller's transaction.

import type { HistoryBatch, HistoryEntry, LoggedFlow } from '../aggregate/history-batch.ts';
import type { HistoryDictionary } from './history-dictionary.ts';
import type { HistoryMeta } from './history-meta.ts';
import { ADD_TO, EMPTY, SUBJECTS, type TierTable } from './history-schema.ts';
import type { Statements } from './statements.ts';

/** Minutes up to the year 9999, which is what SQLite's dates can tell. */
const LAST_MINUTE = 4_223_376_000;
/** More than any flush moves; keeps sums of thousands of rows within 64 bits. */
const MOST = 1e15;
const ADD_FLOW = `INSERT INTO flow VALUES (NULL${', ?'.repeat(15)})`;
/** A contact of the day that a correction leaves without any record was none. */
const DROP_CONTACT = `DELETE FROM contact WHERE app = ?1 AND domain = ?2 AND minute >= ?3 * 1440 AND NOT EXISTS (
  SELECT 1 FROM subject JOIN day ON day.id = ?3 * ${SUBJECTS} + subject.id
  WHERE subject.app = ?1 AND subject.domain = ?2 AND NOT (${EMPTY}))`;

/** Books batches. */
export class HistoryWriter {
  readonly #dictionary: HistoryDictionary;
  readonly #meta: HistoryMeta;
  readonly #statements: Statements;

  constructor(statements: Statements, dictionary: HistoryDictionary, meta: HistoryMeta) {
    this.#statements = statements;
    this.#dictionary = dictionary;
    this.#meta = meta;
  }

  write(batch: HistoryBatch): void {
    const minute = Math.min(LAST_MINUTE, natural(batch.minute));
    for (const entry of batch.entries) this.#book(minute, entry);
    for (const flow of batch.flows) this.#log(flow);
    if (batch.unlogged > 0) this.#meta.set('unlogged', (this.#meta.get('unlogged') ?? 0) + natural(batch.unlogged));
  }

  #book(minute: number, entry: HistoryEntry): void {
    const numbers = [
      integer(entry.rxBytes),
      integer(entry.txBytes),
      integer(entry.rxPackets),
      integer(entry.txPackets),
      integer(entry.flows),
    ];
    if (numbers.every((number) => number === 0)) return;
    const subject = this.#dictionary.subject(entry);
    const [hour, day] = [Math.floor(minute / 60), Math.floor(minute / 1440)];
    const corrects = numbers.some((number) => number < 0);
    this.#add('day', day, subject, numbers);
    if (hour >= this.#meta.hoursFrom) this.#add('hour', hour, subject, numbers);
    if (minute >= this.#meta.minutesFrom) {
      this.#add('minute', minute, subject, numbers);
      // In `hour` and `day` an emptied row stays: every subject of a minute is in its hour, every one of an hour in its day.
      if (corrects) this.#statements.run(`DELETE FROM minute WHERE id = ? AND ${EMPTY}`, [minute * SUBJECTS + subject]);
    }
    this.#meta.set('oldest', Math.min(minute, this.#meta.get('oldest') ?? minute));
    this.#meta.set('newest', Math.max(minute, this.#meta.get('newest') ?? minute));
    if (entry.app === null || entry.domain === null) return;
    const pair = [this.#dictionary.label(entry.app), this.#dictionary.label(entry.domain)];
    if (corrects) this.#statements.run(DROP_CONTACT, [...pair, day]);
    else this.#statements.run('INSERT INTO contact VALUES (?, ?, ?) ON CONFLICT DO NOTHING', [...pair, minute]);
  }

  #add(table: TierTable, bucket: number, subject: number, numbers: readonly number[]): void {
    this.#statements.run(ADD_TO[table], [bucket * SUBJECTS + subject, ...numbers]);
  }

  #log(flow: LoggedFlow): void {
    const label = (text: string | null) => this.#dictionary.label(text);
    this.#statements.run(ADD_FLOW, [
      integer(flow.start),
      natural(flow.end - flow.start),
      this.#dictionary.subject(flow),
      label(flow.localAddress),
      natural(flow.localPort),
      label(flow.remoteAddress),
      natural(flow.remotePort),
      flow.pid === null ? null : integer(flow.pid),
      label(flow.attribution),
      label(flow.nameSource),
      label(flow.application),
      natural(flow.rxBytes),
      natural(flow.txBytes),
      natural(flow.rxPackets),
      natural(flow.txPackets),
    ]);
  }
}

function integer(value: number): number {
  return Number.isFinite(value) ? Math.max(-MOST, Math.min(MOST, Math.trunc(value))) : 0;
}

function natural(value: number): number {
  return Math.max(0, integer(value));
}

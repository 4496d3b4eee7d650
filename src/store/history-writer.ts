// A batch into the tables: every entry into the day, and into hour and minute where those are still kept. Runs within its caller's transaction.

import type { Database, Statement } from 'sql.js';
import type { HistoryBatch, HistoryEntry, LoggedFlow } from '../aggregate/history-batch.ts';
import type { HistoryDictionary } from './history-dictionary.ts';
import type { HistoryMeta } from './history-meta.ts';
import { SUBJECTS, type TierTable } from './history-schema.ts';

/** Minutes up to the year 9999, which is what SQLite's dates can tell. */
const LAST_MINUTE = 4_223_376_000;
/** More than any flush moves; keeps sums of thousands of rows within 64 bits. */
const MOST = 1e15;
const EMPTY = 'rx = 0 AND tx = 0 AND rx_packets = 0 AND tx_packets = 0 AND flows = 0';

/** Books batches. */
export class HistoryWriter {
  readonly #dictionary: HistoryDictionary;
  readonly #meta: HistoryMeta;
  readonly #add: Readonly<Record<TierTable, Statement>>;
  readonly #dropEmpty: Readonly<Record<'minute' | 'hour', Statement>>;
  readonly #addFlow: Statement;
  readonly #addContact: Statement;
  readonly #dropContact: Statement;

  constructor(database: Database, dictionary: HistoryDictionary, meta: HistoryMeta) {
    this.#dictionary = dictionary;
    this.#meta = meta;
    const add = (table: TierTable) =>
      database.prepare(
        `INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET rx = rx + excluded.rx, tx = tx + excluded.tx,
         rx_packets = rx_packets + excluded.rx_packets, tx_packets = tx_packets + excluded.tx_packets, flows = flows + excluded.flows`,
      );
    const dropEmpty = (table: TierTable) => database.prepare(`DELETE FROM ${table} WHERE id = ? AND ${EMPTY}`);
    this.#add = { minute: add('minute'), hour: add('hour'), day: add('day') };
    this.#dropEmpty = { minute: dropEmpty('minute'), hour: dropEmpty('hour') };
    this.#addFlow = database.prepare(`INSERT INTO flow VALUES (NULL${', ?'.repeat(15)})`);
    this.#addContact = database.prepare('INSERT INTO contact VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
    this.#dropContact = database.prepare(
      `DELETE FROM contact WHERE app = ?1 AND domain = ?2 AND minute >= ?3 * 1440 AND NOT EXISTS (
         SELECT 1 FROM subject JOIN day ON day.id = ?3 * ${SUBJECTS} + subject.id
         WHERE subject.app = ?1 AND subject.domain = ?2 AND NOT (${EMPTY}))`,
    );
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
    this.#add.day.run([day * SUBJECTS + subject, ...numbers]);
    if (hour >= this.#meta.hoursFrom) this.#addTo('hour', hour * SUBJECTS + subject, numbers, corrects);
    if (minute >= this.#meta.minutesFrom) this.#addTo('minute', minute * SUBJECTS + subject, numbers, corrects);
    this.#meta.set('oldest', Math.min(minute, this.#meta.get('oldest') ?? minute));
    this.#meta.set('newest', Math.max(minute, this.#meta.get('newest') ?? minute));
    if (entry.app === null || entry.domain === null) return;
    const pair = [this.#dictionary.label(entry.app), this.#dictionary.label(entry.domain)];
    if (corrects) this.#dropContact.run([...pair, day]);
    else this.#addContact.run([...pair, minute]);
  }

  /** A row that a correction has emptied goes; in `day` it stays, where it holds its subject for the finer rows. */
  #addTo(table: 'minute' | 'hour', id: number, numbers: readonly number[], corrects: boolean): void {
    this.#add[table].run([id, ...numbers]);
    if (corrects) this.#dropEmpty[table].run([id]);
  }

  #log(flow: LoggedFlow): void {
    const label = (text: string | null) => this.#dictionary.label(text);
    this.#addFlow.run([
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

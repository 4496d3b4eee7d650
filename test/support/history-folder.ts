// A folder with a history for tests: written and read without threads.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HistoryDatabase } from '../../src/history/database.ts';
import { journalPath } from '../../src/history/files.ts';
import { encodeRecord, JOURNAL_HEAD } from '../../src/history/journal/record.ts';
import { loadHistory } from '../../src/history/load.ts';
import type { SqlEngine } from '../../src/history/sqljs/engine.ts';
import type { HistoryBatch } from '../../src/model/history-batch.ts';
import { batch, entry, fileOf, NOVEMBER, question } from './history.ts';

/** A batch that moved so many bytes. */
export const moved = (rxBytes: number): HistoryBatch => batch(NOVEMBER, [entry({ rxBytes })]);

/** Bytes in a history, image and journals. */
export function bytesIn(sql: SqlEngine, path: string): number {
  const state = loadHistory(sql, path);
  const { rxBytes } = state.database.query(question({ from: 0, to: 4e12 })).total;
  state.close();
  return rxBytes;
}

/** Removed by `remove`. Records are given as sequence number -> bytes. */
export class HistoryFolder {
  readonly folder = mkdtempSync(join(tmpdir(), 'netmon-history-'));
  readonly path = join(this.folder, 'history.sqlite');
  readonly #sql: SqlEngine;

  constructor(sql: SqlEngine) {
    this.#sql = sql;
  }

  writeImage(records: Readonly<Record<number, number>>): void {
    const database = HistoryDatabase.create(this.#sql);
    for (const [sequence, rxBytes] of Object.entries(records)) database.apply(Number(sequence), moved(rxBytes));
    writeFileSync(this.path, database.image(), { mode: 0o600 });
    database.close();
  }

  /** @returns its path */
  async writeJournal(number: number, records: Readonly<Record<number, number>>): Promise<string> {
    const parts: Uint8Array[] = [JOURNAL_HEAD];
    for (const [sequence, rxBytes] of Object.entries(records))
      parts.push(await encodeRecord({ sequence: Number(sequence), batch: moved(rxBytes) }));
    const path = journalPath(this.path, number);
    writeFileSync(path, Buffer.concat(parts), { mode: 0o600 });
    return path;
  }

  /** Bytes in the image alone. */
  imageBytes(): number {
    const database = HistoryDatabase.open(this.#sql, fileOf(readFileSync(this.path)));
    const { rxBytes } = database.query(question()).total;
    database.close();
    return rxBytes;
  }

  /** Bytes in image and journals. */
  allBytes(): number {
    return bytesIn(this.#sql, this.path);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

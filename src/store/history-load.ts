// From files to a database in memory: the image, then what the journals hold beyond it. Writes nothing.

import type { Stats } from 'node:fs';
import type { SqlJsStatic } from 'sql.js';
import { HistoryDatabase } from './history-database.ts';
import { HistoryFileError } from './history-file-error.ts';
import { historyError, isSameFile, journalNumbers, journalPath, type ReadFile, readFile } from './history-files.ts';
import { readJournal } from './journal-record.ts';

/** A writer puts the image in place and then removes what it holds: seldom more than once while somebody reads. */
const TRIES = 5;

/** A history in memory and the image it began with. */
export interface HistoryState {
  readonly database: HistoryDatabase;
  readonly image: Stats | null;
}

/**
 * History with what is not yet in its image. Whoever called closes it.
 *
 * @throws NetmonError `history` where there is nothing, or nothing that can be read
 */
export function loadHistory(sql: SqlJsStatic, path: string): HistoryState {
  for (let tried = 1; ; tried++) {
    const image = readFile(path, 'anyone');
    const journals = readJournals(path);
    const isWhole = journals.every((journal) => journal !== null) && isSameFile(path, image?.stats ?? null);
    if (!isWhole && tried < TRIES) continue;
    if (image === null && journals.length === 0)
      throw historyError(path, 'it does not exist', 'to record one, type: sudo netmon-tui --history');
    const database = openImage(sql, path, image);
    try {
      for (const journal of journals) applyJournal(database, journal);
      return { database, image: image?.stats ?? null };
    } catch (thrown) {
      database.close();
      throw thrown;
    }
  }
}

/** Takes in what was written since: records alone while the image is the same, else all of it anew. The state before is used up. */
export function refreshHistory(sql: SqlJsStatic, path: string, state: HistoryState): HistoryState {
  const journals = readJournals(path);
  if (!isSameFile(path, state.image)) {
    const fresh = loadHistory(sql, path);
    state.database.close();
    return fresh;
  }
  for (const journal of journals) applyJournal(state.database, journal);
  return state;
}

/** The image as a database; a new one where there is none. @throws HistoryFileError that names the file */
export function openImage(sql: SqlJsStatic, path: string, image: ReadFile | null): HistoryDatabase {
  if (image === null || image.bytes.length === 0) return HistoryDatabase.create(sql);
  try {
    return HistoryDatabase.open(sql, image.bytes);
  } catch (thrown) {
    if (!(thrown instanceof HistoryFileError)) throw thrown;
    throw new HistoryFileError(thrown.why, `the history file ${path}: ${thrown.message}`, thrown);
  }
}

/** Books what a journal holds beyond the image. @returns how many records that were */
export function applyJournal(database: HistoryDatabase, journal: ReadFile | null): number {
  let applied = 0;
  for (const { sequence, batch } of readJournal(journal?.bytes ?? new Uint8Array())) {
    if (sequence <= database.applied) continue;
    database.apply(sequence, batch);
    applied++;
  }
  return applied;
}

function readJournals(path: string): (ReadFile | null)[] {
  return journalNumbers(path).map((number) => readFile(journalPath(path, number), 'anyone'));
}

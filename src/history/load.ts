// Loads a history for reading: pages of the image come from its file, and the journals are booked in memory. Writes nothing.

import { closeSync, fstatSync } from 'node:fs';
import { HistoryDatabase } from './database.ts';
import {
  HistoryFileError,
  historyError,
  isSameFile,
  journalNumbers,
  journalPath,
  LARGEST,
  missingHistory,
  type OpenedFile,
  openFile,
  type ReadFile,
  readFile,
  readInto,
} from './files.ts';
import { readJournal } from './journal/record.ts';
import { type DatabaseFile, OverlayFile } from './sqljs/database-file.ts';
import type { SqlEngine } from './sqljs/engine.ts';

/** A writer replaces the image, then removes journals. A reader seldom sees that happen more than once. */
const TRIES = 5;

/** A loaded history, and the image that it reads. The caller closes it. */
export class HistoryState {
  readonly database: HistoryDatabase;
  readonly #image: OpenedFile | null;

  constructor(database: HistoryDatabase, image: OpenedFile | null) {
    this.database = database;
    this.#image = image;
  }

  /** False once another program has written into the file that is read. Replacing the file does no harm: the old one stays open. */
  get isWhole(): boolean {
    if (this.#image === null) return true;
    const { size, mtimeMs } = fstatSync(this.#image.descriptor);
    return size === this.#image.stats.size && mtimeMs === this.#image.stats.mtimeMs;
  }

  /** True if a path leads to the image that is read. */
  isAt(path: string): boolean {
    return isSameFile(path, this.#image?.stats ?? null);
  }

  close(): void {
    this.database.close();
    closeImage(this.#image);
  }
}

/**
 * Loads a history with what its journals hold beyond the image.
 *
 * @throws NetmonError `history` if there is nothing that can be read
 */
export function loadHistory(sql: SqlEngine, path: string): HistoryState {
  for (let tried = 1; ; tried++) {
    const image = openFile(path, 'anyone');
    try {
      const state = loadFrom(sql, path, image, tried === TRIES);
      if (state !== null) return state;
    } catch (thrown) {
      closeImage(image);
      throw thrown;
    }
    closeImage(image);
  }
}

/** null if a writer changed the files meanwhile, except on the last try. */
function loadFrom(sql: SqlEngine, path: string, image: OpenedFile | null, isLastTry: boolean): HistoryState | null {
  const journals = readJournals(path);
  const isWhole = journals.every((journal) => journal !== null) && isSameFile(path, image?.stats ?? null);
  if (!isWhole && !isLastTry) return null;
  if (image === null && journals.length === 0) throw missingHistory(path);
  const database = image === null ? HistoryDatabase.create(sql) : openImage(sql, path, imageFile(sql, path, image));
  try {
    for (const journal of journals) applyJournal(database, journal);
    return new HistoryState(database, image);
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/** Adds what was written since; loads everything again if the image was replaced. It takes over `state`, and closes it if it throws. */
export function refreshHistory(sql: SqlEngine, path: string, state: HistoryState): HistoryState {
  try {
    const journals = readJournals(path);
    if (state.isAt(path)) {
      for (const journal of journals) applyJournal(state.database, journal);
      return state;
    }
    const reloaded = loadHistory(sql, path);
    state.close();
    return reloaded;
  } catch (thrown) {
    state.close();
    throw thrown;
  }
}

/** The database in a file, a new one if that is empty. @throws HistoryFileError that names the path */
export function openImage(sql: SqlEngine, path: string, file: DatabaseFile): HistoryDatabase {
  if (file.size === 0) return HistoryDatabase.create(sql, file);
  try {
    return HistoryDatabase.open(sql, file);
  } catch (thrown) {
    if (!(thrown instanceof HistoryFileError)) throw thrown;
    throw new HistoryFileError(thrown.why, `the history file ${path}: ${thrown.message}`, thrown);
  }
}

/** The image as a file that is only read. @throws NetmonError `history` if it is too large to be one, or for this build of sql.js */
export function imageFile(sql: SqlEngine, path: string, { descriptor, stats }: OpenedFile): DatabaseFile {
  if (stats.size > LARGEST)
    throw historyError(path, `it is larger than ${LARGEST >> 20} MiB`, 'name another file: --history=PATH');
  refuseTooLarge(sql, path, stats.size);
  return new OverlayFile({ size: stats.size, read: (bytes, at) => readInto(descriptor, bytes, at) });
}

/** @throws NetmonError `history` if this build of sql.js can't hold a file of that size */
export function refuseTooLarge(sql: SqlEngine, path: string, bytes: number): void {
  const { maxBytes } = sql.files;
  if (bytes <= maxBytes) return;
  const what = `it is larger than the ${maxBytes >> 20} MiB that this build of sql.js can hold`;
  throw historyError(path, what, "install the build that netmon-tui knows: type npm ci in netmon-tui's folder");
}

/** Books what a journal holds beyond the image. @returns how many records */
export function applyJournal(database: HistoryDatabase, journal: ReadFile | null): number {
  return journal === null ? 0 : database.applyAll(readJournal(journal.bytes));
}

function readJournals(path: string): (ReadFile | null)[] {
  return journalNumbers(path).map((number) => readFile(journalPath(path, number), 'anyone'));
}

function closeImage(image: OpenedFile | null): void {
  if (image !== null) closeSync(image.descriptor);
}

// Saves a history: image and journals in, a new image out, put in place of the old one in one step. Runs in a thread of its own, for it
// takes its time. Whatever fails leaves the old image and the journals as they were.

import { closeSync, statSync } from 'node:fs';
import type { DiskFile } from './database-file.ts';
import { beginFresh, type Clone, cloneFile, discardFresh, putInPlace, temporaryBeside } from './fresh-image.ts';
import type { HistoryDatabase } from './history-database.ts';
import type { Erasure } from './history-erasure.ts';
import { HistoryFileError } from './history-file-error.ts';
import { type FileOwner, historyError, type OpenedFile, openFile, readFile, setAside } from './history-files.ts';
import { applyJournal, imageFile, openImage } from './history-load.ts';
import { holdsRecords } from './journal-record.ts';
import type { SqlEngine } from './sql-engine.ts';

/** What is to be saved. Plain data: it goes to another thread. */
export interface SaveRequest {
  readonly path: string;
  /** Paths of the journals, oldest first; whoever asks removes them when the answer has come. */
  readonly journals: readonly string[];
  readonly owner: FileOwner;
  readonly maxBytes: number;
  /** Time from which retention reckons, epoch ms. */
  readonly now: number;
  /** Given where the file is to be written in any case, without what the user wants deleted. */
  readonly rewrite?: { readonly erase: Erasure | null };
}

/** How a save went. */
export interface SaveAnswer {
  /** Highest sequence number inside. */
  readonly applied: number;
  /** Size of the image; 0 where there is none, for nothing was recorded yet. */
  readonly bytes: number;
  /** Bytes that were written for it. */
  readonly written: number;
  /** Where a damaged image was moved to; null where it was sound. */
  readonly corrupt: string | null;
}

/** Steps of retention in one save: some are left for the next where there is very much to do. */
const MOST_STEPS = 1000;

/**
 * Saves.
 *
 * @throws NetmonError `history`, or whatever the file system says
 */
export function saveImage(sql: SqlEngine, request: SaveRequest, clone: Clone = cloneFile): SaveAnswer {
  const { path, journals, owner } = request;
  refuseUnfinished(path);
  discardFresh(path); // of a save that was killed: whoever holds the lock is alone here
  const isWanted = request.rewrite !== undefined || journals.some((journal) => holdsRecords(readFile(journal, owner)?.bytes));
  const image = openFile(path, owner);
  try {
    return isWanted ? writeAnew(sql, request, image, clone) : judge(sql, request, image);
  } catch (thrown) {
    if (!(thrown instanceof HistoryFileError) || thrown.why !== 'broken') throw thrown;
    const corrupt = setAside(path, request.now);
    return { ...(isWanted ? writeAnew(sql, request, null, clone) : { applied: 0, bytes: 0, written: 0 }), corrupt };
  } finally {
    if (image !== null) closeSync(image.descriptor);
  }
}

/** Nothing is to be written: opens the image to see what it is. */
function judge(sql: SqlEngine, { path }: SaveRequest, image: OpenedFile | null): SaveAnswer {
  if (image === null) return { applied: 0, bytes: 0, written: 0, corrupt: null };
  const database = openImage(sql, path, imageFile(path, image));
  const { applied } = database;
  database.close();
  return { applied, bytes: image.stats.size, written: 0, corrupt: null };
}

function writeAnew(sql: SqlEngine, request: SaveRequest, image: OpenedFile | null, clone: Clone): SaveAnswer {
  const { path, owner } = request;
  try {
    const { file, isShared } = beginFresh(path, owner, image, clone);
    try {
      const { applied, isChanged } = change(sql, request, file);
      if (!isChanged) {
        discardFresh(path);
        return { applied, bytes: image?.stats.size ?? 0, written: 0, corrupt: null };
      }
      file.sync();
      putInPlace(path, image?.stats ?? null);
      return { applied, bytes: file.size, written: isShared ? file.changedBytes : file.size, corrupt: null };
    } finally {
      file.close();
    }
  } catch (thrown) {
    try {
      discardFresh(path);
    } catch {
      // what went wrong first is what is told
    }
    throw thrown;
  }
}

/** Brings the copy up to date: journals in, what is old or unwanted out. */
function change(sql: SqlEngine, request: SaveRequest, file: DiskFile): { readonly applied: number; readonly isChanged: boolean } {
  const { path, owner, journals, now, maxBytes } = request;
  const aside: (DiskFile | null)[] = [];
  sql.files.temporary = () => {
    const made = temporaryBeside(path, owner);
    aside.push(made);
    return made;
  };
  let database: HistoryDatabase | null = null;
  try {
    database = openImage(sql, path, file);
    let records = 0;
    for (const journal of journals) records += applyJournal(database, readFile(journal, owner));
    const { applied } = database;
    if (records === 0 && request.rewrite === undefined) return { applied, isChanged: false };
    const erase = request.rewrite?.erase ?? null;
    if (erase !== null) database.erase(erase);
    for (let step = 0; step < MOST_STEPS && database.prune(now, maxBytes); step++);
    return { applied, isChanged: true };
  } catch (thrown) {
    throw [file, ...aside].find((one) => (one?.failure ?? null) !== null)?.failure ?? thrown;
  } finally {
    database?.close();
    sql.files.temporary = null;
  }
}

/** sqlite3 would finish what these hold in whatever file it finds beside them: in ours, which they do not belong to. */
function refuseUnfinished(path: string): void {
  for (const suffix of ['-journal', '-wal']) {
    if ((statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0) > 0)
      throw historyError(path, `another program is changing it (${path}${suffix})`, `end it, or type: sqlite3 ${path} .quit`);
  }
}

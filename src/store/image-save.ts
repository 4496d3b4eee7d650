// Saves a history: image and journals in, a new image out, put in place of the old one in one step. Runs in a thread of its own, for all
// of it is in memory at once. Whatever fails leaves the old image and the journals as they were.

import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import type { SqlJsStatic } from 'sql.js';
import type { HistoryDatabase } from './history-database.ts';
import type { Erasure } from './history-erasure.ts';
import { HistoryFileError } from './history-file-error.ts';
import {
  createOurs,
  type FileOwner,
  freshPath,
  historyError,
  isSameFile,
  type ReadFile,
  readFile,
  readInto,
  removeFile,
  setAside,
  syncFolder,
} from './history-files.ts';
import { applyJournal, openImage } from './history-load.ts';

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

/** Makes a copy that shares its blocks with the file, where the file system can. @returns false where it can't */
export type Clone = (from: string, to: string) => boolean;

const PAGE = 4096;
const CHUNK = 1 << 20;
/** Steps of retention in one save: some are left for the next where there is very much to do. */
const MOST_STEPS = 1000;

/**
 * Saves.
 *
 * @throws NetmonError `history`, or whatever the file system says
 */
export function saveImage(sql: SqlJsStatic, request: SaveRequest, clone: Clone = cloneFile): SaveAnswer {
  const { path, journals, owner } = request;
  refuseUnfinished(path);
  let image = readFile(path, owner);
  const size = image?.bytes.length ?? 0;
  let corrupt: string | null = null;
  let database: HistoryDatabase;
  try {
    database = openImage(sql, path, image);
    // The database has its own copy: a file of 30 MB need not be there twice.
    if (image !== null) image = { ...image, bytes: new Uint8Array() };
  } catch (thrown) {
    if (!(thrown instanceof HistoryFileError) || thrown.why !== 'broken') throw thrown;
    corrupt = setAside(path, request.now);
    image = null;
    database = openImage(sql, path, null);
  }
  try {
    let records = 0;
    for (const journal of journals) records += applyJournal(database, readFile(journal, owner));
    const { applied } = database;
    if (records === 0 && request.rewrite === undefined)
      return { applied, bytes: corrupt === null ? size : 0, written: 0, corrupt };
    const erase = request.rewrite?.erase ?? null;
    if (erase !== null) database.erase(erase);
    for (let step = 0; step < MOST_STEPS && database.prune(request.now, request.maxBytes); step++);
    const fresh = database.image();
    const written = writeFresh(request, fresh, image, clone);
    return { applied, bytes: fresh.length, written, corrupt };
  } finally {
    database.close();
  }
}

/** sqlite3 would finish what these hold in whatever file it finds beside them: in ours, which they do not belong to. */
function refuseUnfinished(path: string): void {
  for (const suffix of ['-journal', '-wal']) {
    if ((statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0) > 0)
      throw historyError(path, `another program is changing it (${path}${suffix})`, `end it, or type: sqlite3 ${path} .quit`);
  }
}

function writeFresh({ path, owner }: SaveRequest, fresh: Uint8Array, image: ReadFile | null, clone: Clone): number {
  const temporary = freshPath(path);
  removeFile(temporary); // of a save that was killed: whoever holds the lock is alone here
  try {
    const written =
      image !== null && clone(path, temporary) ? patch(temporary, fresh, owner) : writeWhole(temporary, fresh, owner);
    if (!isSameFile(path, image?.stats ?? null))
      throw historyError(path, 'another program changed it meanwhile', 'it is tried again');
    renameSync(temporary, path);
    syncFolder(path);
    return written;
  } catch (thrown) {
    try {
      removeFile(temporary);
    } catch {
      // what went wrong first is what is told
    }
    throw thrown;
  }
}

function writeWhole(path: string, bytes: Uint8Array, owner: FileOwner): number {
  const descriptor = createOurs(path, owner);
  try {
    writeAll(descriptor, bytes, 0, bytes.length);
    fsyncSync(descriptor);
    return bytes.length;
  } finally {
    closeSync(descriptor);
  }
}

/** Writes the pages that differ into a copy that shares all others with the old image: on APFS, XFS and Btrfs a save costs what changed. */
function patch(path: string, bytes: Uint8Array, owner: FileOwner): number {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    if (owner !== null) fchownSync(descriptor, owner.uid, owner.gid);
    fchmodSync(descriptor, 0o600);
    let written = 0;
    const old = new Uint8Array(CHUNK);
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const had = readInto(descriptor, old.subarray(0, Math.min(CHUNK, bytes.length - at)), at);
      for (let page = at; page < Math.min(at + CHUNK, bytes.length); page += PAGE) {
        const end = Math.min(page + PAGE, bytes.length);
        const same = end - at <= had && Buffer.compare(bytes.subarray(page, end), old.subarray(page - at, end - at)) === 0;
        if (same) continue;
        writeAll(descriptor, bytes, page, end);
        written += end - page;
      }
    }
    ftruncateSync(descriptor, bytes.length);
    fsyncSync(descriptor);
    return written;
  } finally {
    closeSync(descriptor);
  }
}

function writeAll(descriptor: number, bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; ) at += writeSync(descriptor, bytes, at, Math.min(to - at, CHUNK), at);
}

function cloneFile(from: string, to: string): boolean {
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    removeFile(to); // half a copy, where the file system gave up in the middle
    return false;
  }
}

// Saves a history: image and journals in, a new image out, put in place of the old one in one step. Runs in a thread of its own, for it
// takes its time. Whatever fails leaves the old image and the journals as they were.

import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  ftruncateSync,
  openSync,
  renameSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import type { FileOwner } from '../system/files.ts';
import type { HistoryDatabase } from './database.ts';
import type { Erasure } from './erasure.ts';
import {
  createOurs,
  freshPath,
  HistoryFileError,
  historyError,
  isSameFile,
  type OpenedFile,
  openFile,
  readFile,
  readInto,
  removeFile,
  setAside,
  syncFolder,
} from './files.ts';
import { holdsRecords } from './journal/record.ts';
import { applyJournal, imageFile, openImage } from './load.ts';
import type { RetentionTime } from './retention.ts';
import { DiskFile } from './sqljs/database-file.ts';
import type { SqlEngine } from './sqljs/engine.ts';

/** What is to be saved. Plain data: it goes to another thread. */
export interface SaveRequest {
  readonly path: string;
  /** Paths of the journals, oldest first; whoever asks removes them when the answer has come. */
  readonly journals: readonly string[];
  readonly owner: FileOwner;
  readonly maxBytes: number;
  readonly time: RetentionTime;
  /** What the last save of this run left; null before the first. Another file in its place is put aside. */
  readonly last: SavedImage | null;
  /** Given where the file is to be written in any case, without what the user wants deleted. */
  readonly rewrite?: { readonly erase: Erasure | null };
}

/** What tells an image from every other. */
interface SavedImage {
  /** null in one that no save has marked, or where there is none. */
  readonly identity: number | null;
  /** Highest sequence number of the journal that is inside. */
  readonly applied: number;
}

/** How a save went. */
export interface SaveAnswer extends SavedImage {
  /** Size of the image; 0 where there is none, for nothing was recorded yet. */
  readonly bytes: number;
  /** The image's inode; null where there is none. */
  readonly inode: number | null;
  /** Bytes that were written for it. */
  readonly written: number;
  /** What became of an image that the save could not go on with; null where it was the right one. */
  readonly aside: ImageAside | null;
}

/** `damaged`; `exchanged`: not the one that the last save left; `removed`: it is gone. */
export interface ImageAside {
  readonly why: 'damaged' | 'exchanged' | 'removed';
  /** Where it is now; null where there was none. */
  readonly path: string | null;
}

/** Thrown where an image isn't the one that the last save left. */
class ImageExchanged extends Error {}

/** Steps of retention in one save: some are left for the next where there is very much to do. */
const MOST_STEPS = 1000;

/**
 * Saves.
 *
 * @throws NetmonError `history`, or whatever the file system says
 */
export function saveImage(sql: SqlEngine, request: SaveRequest, clone: Clone = cloneFile): SaveAnswer {
  const { path, journals, owner, last } = request;
  refuseUnfinished(path);
  discardFresh(path); // of a save that was killed: whoever holds the lock is alone here
  const isWanted = request.rewrite !== undefined || journals.some((journal) => holdsRecords(readFile(journal, owner)?.bytes));
  const save = (image: OpenedFile | null, aside: ImageAside | null) =>
    isWanted ? writeAnew(sql, request, image, aside, clone) : judge(sql, request, image, aside);
  const image = openFile(path, owner);
  if (image === null) return save(null, last !== null && last.identity !== null ? { why: 'removed', path: null } : null);
  try {
    return save(image, null);
  } catch (thrown) {
    const why = faultOf(thrown);
    if (why === null) throw thrown;
    return save(null, { why, path: setAside(path, why, request.time.wall) });
  } finally {
    closeSync(image.descriptor);
  }
}

/** Why an image is put aside; null for all that leaves it where it is. */
function faultOf(thrown: unknown): 'damaged' | 'exchanged' | null {
  if (thrown instanceof ImageExchanged) return 'exchanged';
  return thrown instanceof HistoryFileError && thrown.why === 'broken' ? 'damaged' : null;
}

/** Nothing is to be written: opens the image to see what it is. */
function judge(sql: SqlEngine, { path, last }: SaveRequest, image: OpenedFile | null, aside: ImageAside | null): SaveAnswer {
  if (image === null) return { identity: null, applied: 0, bytes: 0, inode: null, written: 0, aside };
  const database = openImage(sql, path, imageFile(path, image));
  try {
    refuseExchanged(database, last);
    const { identity, applied } = database;
    return { identity, applied, bytes: image.stats.size, inode: image.stats.ino, written: 0, aside };
  } finally {
    database.close();
  }
}

/** An image that another run, a backup or a user put in place would swallow records whose numbers it has already. */
function refuseExchanged(database: HistoryDatabase, last: SavedImage | null): void {
  if (last !== null && (database.identity !== last.identity || database.applied !== last.applied)) throw new ImageExchanged();
}

function writeAnew(
  sql: SqlEngine,
  request: SaveRequest,
  image: OpenedFile | null,
  aside: ImageAside | null,
  clone: Clone,
): SaveAnswer {
  const { path, owner } = request;
  try {
    const { file, isShared } = beginFresh(path, owner, image, clone);
    try {
      const { isChanged, ...saved } = change(sql, image === null ? { ...request, last: null } : request, file);
      if (!isChanged) {
        discardFresh(path);
        return { ...saved, bytes: image?.stats.size ?? 0, inode: image?.stats.ino ?? null, written: 0, aside };
      }
      file.sync();
      putInPlace(path, image?.stats ?? null);
      return { ...saved, bytes: file.size, inode: file.inode, written: isShared ? file.changedBytes : file.size, aside };
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
function change(sql: SqlEngine, request: SaveRequest, file: DiskFile): SavedImage & { readonly isChanged: boolean } {
  const { path, owner, journals, time, maxBytes, last } = request;
  const aside: (DiskFile | null)[] = [];
  sql.files.temporary = () => {
    const made = temporaryBeside(path, owner);
    aside.push(made);
    return made;
  };
  let database: HistoryDatabase | null = null;
  try {
    database = openImage(sql, path, file);
    refuseExchanged(database, last);
    const identity = database.mark();
    const old = database.passTime(time); // before the journals: what they hold may be of a clock that was wrong
    let records = 0;
    for (const journal of journals) records += applyJournal(database, readFile(journal, owner));
    const { applied } = database;
    if (records === 0 && request.rewrite === undefined) return { identity, applied, isChanged: false };
    const erase = request.rewrite?.erase ?? null;
    if (erase !== null) database.erase(erase);
    for (let step = 0; step < MOST_STEPS && database.prune(time.now, maxBytes, old); step++);
    return { identity, applied, isChanged: true };
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

// The image that is being written, FILE.new: begun as a copy of the image there is, put in its place in one step, or thrown away.

/** Makes a copy that shares its blocks with the file, where the file system can. @returns false where it can't */
type Clone = (from: string, to: string) => boolean;

const CHUNK = 1 << 18;

/** Copies the image to where it is written anew; without one, begins an empty file. @returns what the caller closes, and whether it shares its blocks */
function beginFresh(
  path: string,
  owner: FileOwner,
  image: OpenedFile | null,
  clone: Clone,
): { readonly file: DiskFile; readonly isShared: boolean } {
  const fresh = freshPath(path);
  if (image === null) return { file: new DiskFile(createOurs(fresh, owner), 0), isShared: false };
  // A clone is made by name. What root makes for a user in the user's folder it makes of what it has open: names change hands there.
  const isForAnother = owner !== null && process.geteuid?.() === 0;
  const isShared = !isForAnother && clone(path, fresh);
  const descriptor = isShared ? openSync(fresh, constants.O_RDWR | constants.O_NOFOLLOW) : createOurs(fresh, owner);
  const { size } = image.stats;
  try {
    if (isShared) claim(descriptor, size);
    else copy(image.descriptor, descriptor, size);
    return { file: new DiskFile(descriptor, size), isShared };
  } catch (thrown) {
    closeSync(descriptor);
    throw thrown;
  }
}

/** A clone has the mode of what it was cloned from. */
function claim(descriptor: number, size: number): void {
  fchmodSync(descriptor, 0o600);
  ftruncateSync(descriptor, size);
}

function copy(from: number, to: number, size: number): void {
  const bytes = new Uint8Array(CHUNK);
  for (let at = 0; at < size; ) {
    const got = readInto(from, bytes.subarray(0, Math.min(CHUNK, size - at)), at);
    if (got === 0) return; // it was cut meanwhile: putting in place finds out
    for (let done = 0; done < got; ) done += writeSync(to, bytes, done, got - done, at + done);
    at += got;
  }
}

/** Puts what was written in the image's place. @throws NetmonError `history` where that is no longer the one it was made of */
function putInPlace(path: string, made: Stats | null): void {
  if (!isSameFile(path, made)) throw historyError(path, 'another program changed it meanwhile', 'it is tried again');
  renameSync(freshPath(path), path);
  syncFolder(path);
}

/** Removes what was being written. */
function discardFresh(path: string): void {
  removeFile(freshPath(path));
}

/** A file without a name, for what SQLite puts aside: it goes away with its last use, also where that is a kill. null where none can be had. */
function temporaryBeside(path: string, owner: FileOwner): DiskFile | null {
  const name = `${freshPath(path)}.sort`;
  try {
    removeFile(name);
    const file = new DiskFile(createOurs(name, owner), 0);
    removeFile(name);
    return file;
  } catch {
    return null;
  }
}

/** Clones on APFS, XFS and Btrfs: a save then costs what changed. */
function cloneFile(from: string, to: string): boolean {
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    removeFile(to); // half a copy, where the file system gave up in the middle
    return false;
  }
}

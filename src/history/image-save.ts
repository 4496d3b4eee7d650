// Saves a history: image and journals go into a new file, FILE.new, which then replaces the image in one step. It takes seconds, and so it
// runs in a thread of its own. Whatever fails leaves the image and the journals as they were.

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
  HistoryFileError,
  historyError,
  isSameFile,
  moveAway,
  newImagePath,
  type OpenedFile,
  openFile,
  readFile,
  readInto,
  removeFile,
  syncFolder,
} from './files.ts';
import { holdsRecords } from './journal/record.ts';
import { applyJournal, imageFile, openImage, refuseTooLarge } from './load.ts';
import type { RetentionTime } from './retention.ts';
import { DiskFile } from './sqljs/database-file.ts';
import type { SqlEngine } from './sqljs/engine.ts';

/** What to save. Plain data: it goes to another thread. */
export interface SaveRequest {
  readonly path: string;
  /** Paths of the journals, oldest first; the caller removes them once the save has succeeded. */
  readonly journals: readonly string[];
  readonly owner: FileOwner;
  readonly maxBytes: number;
  readonly time: RetentionTime;
  /** What the last save of this run left; null before the first. Any other file in its place is moved away. */
  readonly last: SavedImage | null;
  /** Writes the file in any case, without what is to be erased. */
  readonly rewrite?: { readonly erase: Erasure | null };
}

/** What tells an image from every other. */
interface SavedImage {
  /** null if no save has marked it, or without an image. */
  readonly identity: number | null;
  /** Sequence number of the newest record inside. */
  readonly applied: number;
}

/** How a save went. */
export interface SaveAnswer extends SavedImage {
  /** Size of the image; 0 without one, when nothing was recorded yet. */
  readonly bytes: number;
  /** The image's inode; null without one. */
  readonly inode: number | null;
  /** Bytes written for it. */
  readonly written: number;
  /** The image that the save could not go on with; null if there was none. */
  readonly rejected: RejectedImage | null;
  /** See `SqlEngine`. */
  readonly notice: string | null;
}

/** `damaged`; `replaced`: not the one that the last save left; `removed`: it is gone. */
export interface RejectedImage {
  readonly why: 'damaged' | 'replaced' | 'removed';
  /** Where it is now; null if it is gone. */
  readonly path: string | null;
}

/** What `write` and `inspect` find out. */
type ImageState = Omit<SaveAnswer, 'rejected' | 'notice'>;

/** The image isn't the one that the last save left. */
class ImageReplaced extends Error {}

/** Makes a copy that shares its blocks with the file, if the file system can. @returns false if it can't */
type Clone = (from: string, to: string) => boolean;

/** Steps of retention in one save; the next save goes on. */
const MOST_STEPS = 1000;

/**
 * Saves.
 *
 * @throws NetmonError `history`, or the failure of a system call
 */
export function saveImage(sql: SqlEngine, request: SaveRequest, clone: Clone = cloneFile): SaveAnswer {
  const { path, journals, owner, last } = request;
  refuseUnfinished(path);
  removeFile(newImagePath(path)); // of a save that was killed: the caller holds the lock
  const isWanted = request.rewrite !== undefined || journals.some((journal) => holdsRecords(readFile(journal, owner)?.bytes));
  const save = (image: OpenedFile | null, rejected: RejectedImage | null): SaveAnswer => {
    const state = isWanted ? write(sql, request, image, clone) : inspect(sql, request, image);
    return { ...state, rejected, notice: sql.notice };
  };
  const image = openFile(path, owner);
  if (image === null) return save(null, last !== null && last.identity !== null ? { why: 'removed', path: null } : null);
  try {
    return save(image, null);
  } catch (thrown) {
    const why = rejectionOf(thrown);
    if (why === null) throw thrown;
    return save(null, { why, path: moveAway(path, why, request.time.wall) });
  } finally {
    closeSync(image.descriptor);
  }
}

/** Why to move an image away; null for every failure that leaves it where it is. */
function rejectionOf(thrown: unknown): 'damaged' | 'replaced' | null {
  if (thrown instanceof ImageReplaced) return 'replaced';
  return thrown instanceof HistoryFileError && thrown.why === 'broken' ? 'damaged' : null;
}

/** sqlite3 would roll back what these hold into our file, which they don't belong to. */
function refuseUnfinished(path: string): void {
  for (const suffix of ['-journal', '-wal']) {
    if ((statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0) > 0)
      throw historyError(path, `another program is changing it (${path}${suffix})`, `end it, or type: sqlite3 ${path} .quit`);
  }
}

/** Another run's image, a backup or a user's file would swallow records whose numbers it has already. */
function refuseReplaced(database: HistoryDatabase, last: SavedImage | null): void {
  if (last !== null && (database.identity !== last.identity || database.applied !== last.applied)) throw new ImageReplaced();
}

/** With nothing to write: opens the image to see what it is. */
function inspect(sql: SqlEngine, { path, last }: SaveRequest, image: OpenedFile | null): ImageState {
  if (image === null) return { identity: null, applied: 0, bytes: 0, inode: null, written: 0 };
  const database = openImage(sql, path, imageFile(sql, path, image));
  try {
    refuseReplaced(database, last);
    const { identity, applied } = database;
    return { identity, applied, bytes: image.stats.size, inode: image.stats.ino, written: 0 };
  } finally {
    database.close();
  }
}

function write(sql: SqlEngine, request: SaveRequest, image: OpenedFile | null, clone: Clone): ImageState {
  const { path, owner } = request;
  refuseTooLarge(sql, path, image?.stats.size ?? 0);
  try {
    const { file, isShared } = createNewImage(path, owner, image, clone);
    try {
      const { isChanged, ...saved } = update(sql, image === null ? { ...request, last: null } : request, file);
      if (!isChanged) {
        removeFile(newImagePath(path));
        return { ...saved, bytes: image?.stats.size ?? 0, inode: image?.stats.ino ?? null, written: 0 };
      }
      file.sync();
      putInPlace(path, image?.stats ?? null);
      return { ...saved, bytes: file.size, inode: file.inode, written: isShared ? file.changedBytes : file.size };
    } finally {
      file.close();
    }
  } catch (thrown) {
    try {
      removeFile(newImagePath(path));
    } catch {
      // the first failure is the one to report
    }
    throw thrown;
  }
}

/** Brings the new image up to date: journals in, what is old or unwanted out. */
function update(sql: SqlEngine, request: SaveRequest, file: DiskFile): SavedImage & { readonly isChanged: boolean } {
  const { path, owner, journals, time, maxBytes, last } = request;
  let database: HistoryDatabase | null = null;
  try {
    database = openImage(sql, path, file);
    refuseReplaced(database, last);
    const identity = database.mark();
    const old = database.passTime(time); // before the journals, whose records may come from a wrong clock
    let records = 0;
    for (const journal of journals) records += applyJournal(database, readFile(journal, owner));
    const { applied } = database;
    if (records === 0 && request.rewrite === undefined) return { identity, applied, isChanged: false };
    const erase = request.rewrite?.erase ?? null;
    if (erase !== null) database.erase(erase);
    for (let step = 0; step < MOST_STEPS && database.prune(time.now, maxBytes, old); step++);
    refuseTooLarge(sql, path, database.bytes);
    database.flush();
    return { identity, applied, isChanged: true };
  } catch (thrown) {
    throw file.failure ?? thrown;
  } finally {
    database?.close();
  }
}

const CHUNK = 1 << 18;

/** Creates FILE.new as a copy of the image, or empty. @returns a file that the caller closes, and whether it shares blocks with the image */
function createNewImage(
  path: string,
  owner: FileOwner,
  image: OpenedFile | null,
  clone: Clone,
): { readonly file: DiskFile; readonly isShared: boolean } {
  const newPath = newImagePath(path);
  const makeTemporary = () => createTemporary(path, owner);
  if (image === null) return { file: new DiskFile(createOurs(newPath, owner), 0, makeTemporary), isShared: false };
  // Cloning goes by name, and in a user's folder the user can change what a name means. Root copies from the open file instead.
  const isForAnother = owner !== null && process.geteuid?.() === 0;
  const isShared = !isForAnother && clone(path, newPath);
  const descriptor = isShared ? openSync(newPath, constants.O_RDWR | constants.O_NOFOLLOW) : createOurs(newPath, owner);
  const { size } = image.stats;
  try {
    if (isShared) {
      fchmodSync(descriptor, 0o600); // a clone has the mode of its original
      ftruncateSync(descriptor, size);
    } else copy(image.descriptor, descriptor, size);
    return { file: new DiskFile(descriptor, size, makeTemporary), isShared };
  } catch (thrown) {
    closeSync(descriptor);
    throw thrown;
  }
}

/** Clones on APFS, XFS and Btrfs: a save then costs what changed. */
function cloneFile(from: string, to: string): boolean {
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    removeFile(to); // it may be half a copy
    return false;
  }
}

function copy(from: number, to: number, size: number): void {
  const bytes = new Uint8Array(CHUNK);
  for (let at = 0; at < size; ) {
    const got = readInto(from, bytes.subarray(0, Math.min(CHUNK, size - at)), at);
    if (got === 0) return; // it was cut meanwhile: `putInPlace` finds out
    for (let done = 0; done < got; ) done += writeSync(to, bytes, done, got - done, at + done);
    at += got;
  }
}

/** A file without a name, for sorting: the system removes it with its last descriptor, even after a kill. null if none can be made. */
function createTemporary(path: string, owner: FileOwner): DiskFile | null {
  const name = `${newImagePath(path)}.sort`;
  try {
    removeFile(name);
    const file = new DiskFile(createOurs(name, owner), 0);
    removeFile(name);
    return file;
  } catch {
    return null;
  }
}

/** Replaces the image with FILE.new. @param made the image that it was made from @throws NetmonError `history` if the path leads elsewhere by now */
function putInPlace(path: string, made: Stats | null): void {
  if (!isSameFile(path, made)) throw historyError(path, 'another program changed it meanwhile', 'it is tried again');
  renameSync(newImagePath(path), path);
  syncFolder(path);
}

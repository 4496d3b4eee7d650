// The image that is being written, FILE.new: begun as a copy of the image there is, put in its place in one step, or thrown away.

import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  ftruncateSync,
  openSync,
  renameSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { DiskFile } from './database-file.ts';
import {
  createOurs,
  type FileOwner,
  freshPath,
  historyError,
  isSameFile,
  type OpenedFile,
  readInto,
  removeFile,
  syncFolder,
} from './history-files.ts';

/** Makes a copy that shares its blocks with the file, where the file system can. @returns false where it can't */
export type Clone = (from: string, to: string) => boolean;

const CHUNK = 1 << 18;

/** Copies the image to where it is written anew; without one, begins an empty file. @returns what the caller closes, and whether it shares its blocks */
export function beginFresh(
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
export function putInPlace(path: string, made: Stats | null): void {
  if (!isSameFile(path, made)) throw historyError(path, 'another program changed it meanwhile', 'it is tried again');
  renameSync(freshPath(path), path);
  syncFolder(path);
}

/** Removes what was being written. */
export function discardFresh(path: string): void {
  removeFile(freshPath(path));
}

/** A file without a name, for what SQLite puts aside: it goes away with its last use, also where that is a kill. null where none can be had. */
export function temporaryBeside(path: string, owner: FileOwner): DiskFile | null {
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
export function cloneFile(from: string, to: string): boolean {
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    removeFile(to); // half a copy, where the file system gave up in the middle
    return false;
  }
}

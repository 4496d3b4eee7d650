// The files of a history and their names: the image, its journals, what is being written. Opens none that belongs to somebody else, is a
// symbolic link or no regular file.

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { NetmonError } from '../model/errors.ts';
import { RECORD_HINT, recordCommand } from '../model/history.ts';
import { createFolder, type FileOwner } from '../system/files.ts';

/** Runs synchronous work on files as their owner, where root does it for another user; see system/as-owner.ts. */
export type FileWork = <T>(work: () => T) => T;

/** sqlite3 takes FILE-journal, FILE-wal and FILE-shm for its own: a dot keeps ours apart. */
const PENDING = '.pending-';
const MOST_JOURNALS = 4096;
/** Bytes of an image or a journal; what is larger is none of ours. */
export const LARGEST = 1 << 30;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EIO: 'the device failed',
  EFBIG: 'the file would be too large',
  ELOOP: 'it is a symbolic link',
  ENOTDIR: 'a part of its path is no folder',
};

const NOT_OURS = 'its owner may read it: run as that user, stay root with --stay-root, or name another file: --history=PATH';

/** What a user would call the failure of a system call. */
export function systemReason(thrown: unknown): string {
  const { code, message } = thrown as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? code ?? message;
}

/** A failure that names the file. */
export function historyError(path: string, what: string, hint: string, cause?: unknown): NetmonError {
  return new NetmonError('history', `the history file ${path}: ${what}`, hint, cause);
}

/** That nothing was recorded there, and how to begin. */
export function missingHistory(path: string): NetmonError {
  return historyError(path, 'it does not exist', `${RECORD_HINT}${recordCommand(path)}`);
}

/** Path of the journal with a number. */
export function journalPath(path: string, number: number): string {
  return `${path}${PENDING}${number}`;
}

/** Path of the image that is being written; only the holder of the lock writes one. */
export function newImagePath(path: string): string {
  return `${path}.new`;
}

/** Path of the file that is locked. Never the image itself: that is another file after each save. */
export function lockPath(path: string): string {
  return `${path}.lock`;
}

/** Numbers of the journals that are there, oldest first. */
export function journalNumbers(path: string): number[] {
  const begin = `${basename(path)}${PENDING}`;
  let names: string[];
  try {
    names = readdirSync(dirname(path));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw thrown;
  }
  return names
    .filter((name) => name.startsWith(begin) && /^\d{1,15}$/.test(name.slice(begin.length)))
    .map((name) => Number(name.slice(begin.length)))
    .sort((a, b) => a - b)
    .slice(0, MOST_JOURNALS);
}

/**
 * Makes the folder of a history where it is missing, and judges it.
 *
 * @throws NetmonError `history` for a symbolic link that is not the system's, somebody else's folder, or one that others may write to
 */
export function claimFolder(path: string, owner: FileOwner): void {
  const folder = dirname(path);
  makeFolder(folder, owner);
  const found = lstatSync(folder);
  // macOS: /tmp and /var are links into /private. Who may not write to / can't have made them, nor lead them elsewhere.
  const stats = found.isSymbolicLink() && found.uid === 0 && dirname(folder) === '/' ? statSync(folder) : found;
  const us = owner?.uid ?? process.geteuid?.() ?? stats.uid;
  const refuse = (what: string) => historyError(path, `the folder ${folder} ${what}`, 'name another place: --history=PATH');
  if (stats.isSymbolicLink()) throw refuse('is a symbolic link');
  if (!stats.isDirectory()) throw refuse('is no folder');
  if (stats.uid !== us && stats.uid !== 0) throw refuse('belongs to another user');
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0 && (stats.mode & STICKY) === 0) throw refuse('can be written by other users');
}

function makeFolder(folder: string, owner: FileOwner): void {
  if (lstatSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  const above = dirname(folder);
  if (above !== folder) makeFolder(above, owner);
  createFolder(folder, owner);
}

/** A file that was opened, and which one that was. */
export interface OpenedFile {
  readonly descriptor: number;
  readonly stats: Stats;
}

/**
 * Opens a regular file: one that is ours and no symbolic link, or, for `anyone`, whatever may be read.
 *
 * @returns null where it is missing @throws NetmonError `history`
 */
export function openFile(path: string, owner: FileOwner | 'anyone'): OpenedFile | null {
  let descriptor: number;
  try {
    // O_NONBLOCK: a FIFO in its place must not stop us for ever.
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    descriptor = openSync(path, O_RDONLY | O_NONBLOCK | (owner === 'anyone' ? 0 : O_NOFOLLOW));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const hint = (thrown as NodeJS.ErrnoException).code === 'EACCES' ? NOT_OURS : 'name another file: --history=PATH';
    throw historyError(path, systemReason(thrown), hint, thrown);
  }
  const stats = fstatSync(descriptor);
  const us = owner === 'anyone' ? stats.uid : (owner?.uid ?? process.geteuid?.() ?? stats.uid);
  const fault = !stats.isFile()
    ? 'it is no regular file'
    : stats.uid !== us && stats.uid !== 0
      ? 'it belongs to another user'
      : null;
  if (fault === null) return { descriptor, stats };
  closeSync(descriptor);
  throw historyError(path, fault, 'name another file: --history=PATH');
}

/** A file's contents, and which file that was. */
export interface ReadFile {
  readonly bytes: Uint8Array;
  readonly stats: Stats;
}

/** All of a file; null where it is missing. @throws NetmonError `history`, see `openFile` */
export function readFile(path: string, owner: FileOwner | 'anyone'): ReadFile | null {
  const opened = openFile(path, owner);
  if (opened === null) return null;
  const { descriptor, stats } = opened;
  try {
    if (stats.size > LARGEST)
      throw historyError(path, `it is larger than ${LARGEST >> 20} MiB`, 'name another file: --history=PATH');
    const bytes = new Uint8Array(stats.size);
    const length = readInto(descriptor, bytes, 0);
    return { bytes: length === bytes.length ? bytes : bytes.subarray(0, length), stats };
  } finally {
    closeSync(descriptor);
  }
}

/** Reads from `position` on until `bytes` is full or the file ends. @returns how many bytes that were */
export function readInto(descriptor: number, bytes: Uint8Array, position: number): number {
  let length = 0;
  while (length < bytes.length) {
    const got = readSync(descriptor, bytes, length, bytes.length - length, position + length);
    if (got === 0) break;
    length += got;
  }
  return length;
}

/** True while a path still leads to the file that was read, unchanged since. */
export function isSameFile(path: string, read: Stats | null): boolean {
  const now = statSync(path, { throwIfNoEntry: false });
  if (now === undefined || read === null) return now === undefined && read === null;
  return now.ino === read.ino && now.dev === read.dev && now.size === read.size && now.mtimeMs === read.mtimeMs;
}

/** Creates a file that must not be there yet, mode 0600, for its owner. @returns its descriptor, to read and write */
export function createOurs(path: string, owner: FileOwner): number {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    if (owner !== null) fchownSync(descriptor, owner.uid, owner.gid);
    fchmodSync(descriptor, 0o600); // whatever the umask left of it
    return descriptor;
  } catch (thrown) {
    closeSync(descriptor);
    throw thrown;
  }
}

/** Removes a file; one that is not there is as good. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
}

/** Makes what was created, renamed or removed in a file's folder last through a loss of power. */
export function syncFolder(path: string): void {
  const descriptor = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(descriptor);
  } catch (thrown) {
    // EINVAL: a file system that has no such thing.
    if ((thrown as NodeJS.ErrnoException).code !== 'EINVAL') throw thrown;
  } finally {
    closeSync(descriptor);
  }
}

/** Moves a file away without overwriting another: FILE.corrupt-TIME or FILE.exchanged-TIME. @returns where it is now */
export function moveAway(path: string, why: 'damaged' | 'replaced', now: number): string {
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  for (let i = 0; ; i++) {
    const target = `${path}.${why === 'damaged' ? 'corrupt' : 'exchanged'}-${stamp}${i === 0 ? '' : `-${i}`}`;
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      linkSync(path, target); // fails where the name is taken meanwhile, which a rename does not
      unlinkSync(path);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'EEXIST') continue;
      if (code === 'ENOENT') throw thrown;
      renameSync(path, target); // a file system without links
    }
    return target;
  }
}

// Why an image is not a history that this program can go on with. Told apart so that the caller keeps a broken file and leaves another's alone.

/** `broken`: damaged; `newer`: of a later netmon-tui; `not ours`: some other file. */
export type HistoryFault = 'broken' | 'newer' | 'not ours';

const HINTS: Readonly<Record<HistoryFault, string>> = {
  broken: 'move it away to begin anew, or try: sqlite3 FILE .recover',
  newer: 'install the newer netmon-tui, or name another file: --history=PATH',
  'not ours': 'name another file: --history=PATH',
};

/** Code `history`; the message does not name the file, for an image has no path: who opened it says which. */
export class HistoryFileError extends NetmonError {
  readonly why: HistoryFault;

  constructor(why: HistoryFault, message: string, cause?: unknown) {
    super('history', message, HINTS[why], cause);
    this.name = 'HistoryFileError';
    this.why = why;
  }
}

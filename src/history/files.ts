// The files of a history: their names, and how to open, create, replace and lock them safely. For writing, it refuses files of other users,
// symbolic links, and whatever is not a regular file.

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

/** Runs synchronous work on files as their owner, if root does it for another user; see system/as-owner.ts. */
export type FileWork = <T>(work: () => T) => T;

/** A dot, for sqlite3 takes FILE-journal, FILE-wal and FILE-shm for its own. */
const PENDING = '.pending-';
const MOST_JOURNALS = 4096;
/** Bytes of the largest image or journal. */
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
  ENOTDIR: 'a part of its path is not a folder',
};

const NOT_OURS = 'its owner may read it: run as that user, stay root with --stay-root, or name another file: --history=PATH';

/** The failure of a system call in a user's words. */
export function systemReason(thrown: unknown): string {
  const { code, message } = thrown as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? code ?? message;
}

/** A NetmonError that names the file. */
export function historyError(path: string, what: string, hint: string, cause?: unknown): NetmonError {
  return new NetmonError('history', `the history file ${path}: ${what}`, hint, cause);
}

/** Says that nothing was recorded there, and how to begin. */
export function missingHistory(path: string): NetmonError {
  return new NetmonError('history', `nothing is recorded yet in ${path}`, `${RECORD_HINT}${recordCommand(path)}`);
}

/** Whether a failure is that nothing was recorded yet. */
export function isMissingHistory(thrown: unknown): boolean {
  return thrown instanceof NetmonError && thrown.hint?.startsWith(RECORD_HINT) === true;
}

/** Path of the journal with a number. */
export function journalPath(path: string, number: number): string {
  return `${path}${PENDING}${number}`;
}

/** Path of the image that is being written; only the holder of the lock writes one. */
export function newImagePath(path: string): string {
  return `${path}.new`;
}

/** Path of the file that is locked. It can't be the image: each save replaces that. */
export function lockPath(path: string): string {
  return `${path}.lock`;
}

/** Numbers of the existing journals, oldest first. */
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
 * Creates the folder of a history if it is missing, and checks who may write there.
 *
 * @throws NetmonError `history` for a symbolic link that is not the system's, another user's folder, or one that others may write to
 */
export function claimFolder(path: string, owner: FileOwner): void {
  const folder = dirname(path);
  makeFolder(folder, owner);
  const found = lstatSync(folder);
  // macOS: /tmp and /var are links into /private. Only root can make links in /, or change them.
  const stats = found.isSymbolicLink() && found.uid === 0 && dirname(folder) === '/' ? statSync(folder) : found;
  const us = owner?.uid ?? process.geteuid?.() ?? stats.uid;
  const refuse = (what: string) => historyError(path, `the folder ${folder} ${what}`, 'name another place: --history=PATH');
  if (stats.isSymbolicLink()) throw refuse('is a symbolic link');
  if (!stats.isDirectory()) throw refuse('is not a folder');
  if (stats.uid !== us && stats.uid !== 0) throw refuse('belongs to another user');
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0 && (stats.mode & STICKY) === 0) throw refuse('can be written by other users');
}

function makeFolder(folder: string, owner: FileOwner): void {
  if (lstatSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  const above = dirname(folder);
  if (above !== folder) makeFolder(above, owner);
  createFolder(folder, owner);
}

/** An open file, and which file it was at that time. */
export interface OpenedFile {
  readonly descriptor: number;
  readonly stats: Stats;
}

/**
 * Opens a regular file for reading: one of the owner's, not through a symbolic link; with `anyone`, whatever may be read.
 *
 * @returns null if it is missing @throws NetmonError `history`
 */
export function openFile(path: string, owner: FileOwner | 'anyone'): OpenedFile | null {
  let descriptor: number;
  try {
    // O_NONBLOCK: opening a FIFO would wait forever.
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
    ? 'it is not a regular file'
    : stats.uid !== us && stats.uid !== 0
      ? 'it belongs to another user'
      : null;
  if (fault === null) return { descriptor, stats };
  closeSync(descriptor);
  throw historyError(path, fault, 'name another file: --history=PATH');
}

/** A file's contents, and which file it was. */
export interface ReadFile {
  readonly bytes: Uint8Array;
  readonly stats: Stats;
}

/** Reads a whole file; null if it is missing. @throws NetmonError `history`, see `openFile` */
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

/** Reads from `position` on until `bytes` is full or the file ends. @returns how many bytes it read */
export function readInto(descriptor: number, bytes: Uint8Array, position: number): number {
  let length = 0;
  while (length < bytes.length) {
    const got = readSync(descriptor, bytes, length, bytes.length - length, position + length);
    if (got === 0) break;
    length += got;
  }
  return length;
}

/** True if a path still leads to the file that was read, and nothing changed it since. */
export function isSameFile(path: string, read: Stats | null): boolean {
  const now = statSync(path, { throwIfNoEntry: false });
  if (now === undefined || read === null) return now === undefined && read === null;
  return now.ino === read.ino && now.dev === read.dev && now.size === read.size && now.mtimeMs === read.mtimeMs;
}

/** Creates a file, mode 0600, for its owner. @returns its descriptor, for reading and writing @throws EEXIST if there is one */
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

/** Removes a file if it is there. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
}

/** Makes what was created, renamed or removed in a file's folder survive a loss of power. */
export function syncFolder(path: string): void {
  const descriptor = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(descriptor);
  } catch (thrown) {
    // EINVAL: the file system can't do it.
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
      linkSync(path, target); // unlike a rename, it fails if the name was taken meanwhile
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

/** What is wrong with an image. `broken`: damaged; `newer`: of a later netmon-tui; `not ours`: some other file, to be left alone. */
export type HistoryFault = 'broken' | 'newer' | 'not ours';

const HINTS: Readonly<Record<HistoryFault, string>> = {
  broken: 'move it away to begin anew, or try: sqlite3 FILE .recover',
  newer: 'install the newer netmon-tui, or name another file: --history=PATH',
  'not ours': 'name another file: --history=PATH',
};

/** An image that can't be used, code `history`. A database has no path: `openImage` adds it to the message. */
export class HistoryFileError extends NetmonError {
  readonly why: HistoryFault;

  constructor(why: HistoryFault, message: string, cause?: unknown) {
    super('history', message, HINTS[why], cause);
    this.name = 'HistoryFileError';
    this.why = why;
  }
}

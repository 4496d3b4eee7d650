// File access for configurations, behind an interface that tests replace. It checks a file by its open descriptor, never by its path, so what was
// checked is what is read.

import { closeSync, constants, fchownSync, fstatSync, lstatSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { NetmonError } from '../model/errors.ts';

/** Largest configuration to read, bytes. */
const FILE_LIMIT = 1 << 20;

/** A file's text, or why it was not read. */
export type FileRead =
  | { readonly kind: 'missing' }
  | { readonly kind: 'link' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'read'; readonly uid: number; readonly mode: number; readonly isFile: boolean; readonly text: string };

/** File access for the configuration; tests pass their own. */
export interface FileAccess {
  /** Owner of a folder, following links; null if there is no such folder. */
  folderOwner(path: string): number | null;
  /** Reads a file of at most FILE_LIMIT bytes. @param follow whether the last part of the path may be a symbolic link */
  read(path: string, follow: boolean): FileRead;
}

/** The machine's file system. */
export const systemFiles: FileAccess = {
  folderOwner(path) {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isDirectory() ? stats.uid : null;
  },
  read(path, follow) {
    let descriptor: number;
    try {
      // O_NONBLOCK keeps a FIFO in the file's place from blocking the start forever. One that the user named may block.
      const flags = constants.O_RDONLY | (follow ? 0 : constants.O_NOFOLLOW | constants.O_NONBLOCK);
      descriptor = openSync(path, flags);
    } catch (thrown) {
      const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown error';
      if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
      return code === 'ELOOP' ? { kind: 'link' } : { kind: 'failed', reason: code };
    }
    try {
      const stats = fstatSync(descriptor);
      const text = stats.isFile() || follow ? readBounded(descriptor) : '';
      if (text === null) return { kind: 'failed', reason: `larger than ${FILE_LIMIT >> 10} KiB` };
      return { kind: 'read', uid: stats.uid, mode: stats.mode, isFile: stats.isFile(), text };
    } catch (thrown) {
      return { kind: 'failed', reason: (thrown as NodeJS.ErrnoException).code ?? 'unreadable' };
    } finally {
      closeSync(descriptor);
    }
  },
};

function readBounded(descriptor: number): string | null {
  const bytes = Buffer.alloc(FILE_LIMIT + 1);
  let length = 0;
  while (length < bytes.length) {
    const got = readSync(descriptor, bytes, length, bytes.length - length, null);
    if (got === 0) return bytes.toString('utf8', 0, length);
    length += got;
  }
  return null;
}

/** Creates a folder with mode 0700. @param owner its owner; null for the process's user @throws the system's error */
export function createFolder(folder: string, owner: FileOwner): void {
  mkdirSync(folder, { mode: 0o700 });
  if (owner === null) return;
  // By descriptor, because a user could have replaced the path by now.
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fchownSync(descriptor, owner.uid, owner.gid);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes a folder and those above it that are missing. Refuses a folder that is a link or another user's, if an owner is given. @throws the system's error */
export function makeFolders(folder: string, owner: FileOwner): void {
  const there = lstatSync(folder, { throwIfNoEntry: false });
  if (there !== undefined) {
    if (owner !== null && (!there.isDirectory() || there.uid !== owner.uid)) throw new Error('not the folder of that user');
    return;
  }
  const above = dirname(folder);
  if (above !== folder && lstatSync(above, { throwIfNoEntry: false }) === undefined) makeFolders(above, owner);
  createFolder(folder, owner);
}

/** Absolute path of the working folder; null if it was removed. Use this in place of process.cwd() and path.resolve(), which would throw then. */
export function workingFolder(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

/**
 * The absolute path of something that the user named. Resolve it at once, before the working folder changes.
 *
 * @throws NetmonError `usage` for a relative path in a removed folder
 */
export function absolutePath(path: string): string {
  if (isAbsolute(path)) return join(path);
  const folder = workingFolder();
  if (folder !== null) return join(folder, path);
  throw new NetmonError('usage', `${path} can't be found: the current folder was removed`, 'go to another one first: cd');
}

/** Owner for what root writes; null if the process is that user. A gid of -1 leaves the group unchanged. */
export type FileOwner = { readonly uid: number; readonly gid: number } | null;

// The file that keeps the screen's choices from one run to the next. It is read only if it is small and the user's own, and written whole
// beside its place and moved there, mode 0600, never through a link. If that fails, the run goes on without it.

import { randomBytes } from 'node:crypto';
import { closeSync, constants, fchownSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FileOwner } from '../output/output-file.ts';
import { type FileWork, fileWork } from '../system/as-owner.ts';
import { makeFolders, systemFiles } from '../system/files.ts';

/** The file is not ours if it is longer, UTF-16 units. */
export const LONGEST_SAVED = 16_384;
const WRITABLE_BY_OTHERS = 0o022;

/** Where the file is, and whose it is. */
export interface SavedPlace {
  readonly path: string;
  /** Its owner if root writes it; null if the process is that user. */
  readonly owner: FileOwner | null;
}

/** Reads what the last run saved. @returns null if there is nothing, or nothing that can be trusted */
export function readSavedScreen({ path, owner }: SavedPlace): unknown {
  const read = systemFiles.read(path, false);
  if (read.kind !== 'read' || !read.isFile || (read.mode & WRITABLE_BY_OTHERS) !== 0 || read.text.length > LONGEST_SAVED)
    return null;
  if (read.uid !== (owner?.uid ?? process.geteuid?.() ?? read.uid)) return null;
  try {
    return JSON.parse(read.text) as unknown;
  } catch {
    return null;
  }
}

/** Saves the state for the next run. @returns false if it could not be written */
export function writeSavedScreen(state: unknown, { path, owner }: SavedPlace): boolean {
  const theirs = process.geteuid?.() === 0 ? owner : null;
  const asOwner: FileWork = theirs === null ? (work) => work() : fileWork(theirs, dirname(path));
  try {
    asOwner(() => write(state, path, theirs));
    return true;
  } catch {
    return false;
  }
}

function write(state: unknown, path: string, owner: FileOwner | null): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.part`;
  makeFolders(dirname(path), owner);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const descriptor = openSync(temporary, flags, 0o600);
  try {
    try {
      if (owner !== null) fchownSync(descriptor, owner.uid, owner.gid);
      writeSync(descriptor, `${JSON.stringify(state)}\n`);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (thrown) {
    unlinkSync(temporary);
    throw thrown;
  }
}

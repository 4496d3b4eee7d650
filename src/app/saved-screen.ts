// The file in which the screen's choices outlive a run: read if it is the user's own and small, written whole beside its place and moved
// there, mode 0600, never through a link. Whatever fails, the run goes on without.

import { randomBytes } from 'node:crypto';
import { closeSync, constants, fchownSync, lstatSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FileOwner } from '../output/output-file.ts';
import { type FileWork, fileWork } from '../system/as-owner.ts';
import { createFolder, systemFiles } from '../system/files.ts';

/** Longest text that is believed to be ours. */
const LONGEST = 16_384;
const WRITABLE_BY_OTHERS = 0o022;

/** Where the file is, and whose. */
export interface MemoryPlace {
  readonly path: string;
  /** Who is to own it where root writes it; null where the process is that user. */
  readonly owner: FileOwner | null;
}

/** What was remembered; null where there is nothing, or nothing that may be believed. */
export function recall({ path, owner }: MemoryPlace): unknown {
  const read = systemFiles.read(path, false);
  if (read.kind !== 'read' || !read.isFile || (read.mode & WRITABLE_BY_OTHERS) !== 0 || read.text.length > LONGEST) return null;
  if (read.uid !== (owner?.uid ?? process.geteuid?.() ?? read.uid)) return null;
  try {
    return JSON.parse(read.text) as unknown;
  } catch {
    return null;
  }
}

/** Remembers. @returns false where it could not be written */
export function memorise(memory: unknown, { path, owner }: MemoryPlace): boolean {
  const theirs = process.geteuid?.() === 0 ? owner : null;
  const asOwner: FileWork = theirs === null ? (work) => work() : fileWork(theirs, dirname(path));
  try {
    asOwner(() => write(memory, path, theirs));
    return true;
  } catch {
    return false;
  }
}

function write(memory: unknown, path: string, owner: FileOwner | null): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.part`;
  makeFolder(dirname(path), owner);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const descriptor = openSync(temporary, flags, 0o600);
  try {
    try {
      if (owner !== null) fchownSync(descriptor, owner.uid, owner.gid);
      writeSync(descriptor, `${JSON.stringify(memory)}\n`);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (thrown) {
    unlinkSync(temporary);
    throw thrown;
  }
}

/** Makes the folder and those above it that are missing. Root goes into no folder that is a link of somebody's. */
function makeFolder(folder: string, owner: FileOwner | null): void {
  const there = lstatSync(folder, { throwIfNoEntry: false });
  if (there !== undefined) {
    if (owner !== null && (!there.isDirectory() || there.uid !== owner.uid)) throw new Error('not the folder of that user');
    return;
  }
  const above = dirname(folder);
  if (above !== folder && lstatSync(above, { throwIfNoEntry: false }) === undefined) makeFolder(above, owner);
  createFolder(folder, owner);
}

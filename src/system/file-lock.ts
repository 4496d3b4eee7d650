// A file lock that ends with its process, however that ends: flock(2), which Node lacks. If libc can't be called, a file with the holder's pid takes
// its place, valid while that process lives. It never waits.

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { NetmonError } from '../model/errors.ts';

/** Owner for a file that root creates; null if the process is that user. */
type Owner = { readonly uid: number; readonly gid: number } | null;

/** Held until `release`, or until the process ends. */
export interface FileLock {
  release(): void;
}

/** The lock; or null with the pid of the process that holds it, null if unknown. */
export type LockResult = { readonly held: FileLock } | { readonly held: null; readonly pid: number | null };

/** flock(2) with LOCK_EX | LOCK_NB. @returns whether we have the lock now */
export type Flock = (descriptor: number) => boolean;

const LOCK_EXCLUSIVE = 2;
const LOCK_NO_WAIT = 4;
const LIBRARIES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`],
  darwin: ['/usr/lib/libSystem.B.dylib'],
};

/** This system's flock(2); null if it can't be called. */
export async function systemFlock(): Promise<Flock | null> {
  for (const library of LIBRARIES[process.platform] ?? []) {
    try {
      const koffi = (await import('koffi')).default;
      const flock = koffi.load(library).func('int flock(int, int)');
      return (descriptor) => flock(descriptor, LOCK_EXCLUSIVE | LOCK_NO_WAIT) === 0;
    } catch {
      // try the next
    }
  }
  return null;
}

/**
 * Takes the lock.
 *
 * @param path of a file used only for this; created if missing, and never removed
 * @throws NetmonError `history`, or the system's error
 */
export function lockFile(path: string, owner: Owner, flock: Flock | null): LockResult {
  return flock === null ? lockByName(path, owner) : lockByKernel(path, owner, flock);
}

function lockByKernel(path: string, owner: Owner, flock: Flock) {
  const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
  const made = create(path, owner);
  const descriptor = made ?? openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  try {
    if (made === null) check(descriptor, path, owner);
    if (!flock(descriptor)) {
      const pid = pidIn(descriptor);
      closeSync(descriptor);
      return { held: null, pid } as const;
    }
    writePid(descriptor);
  } catch (thrown) {
    closeSync(descriptor);
    throw thrown;
  }
  // Never remove the file: somebody may be about to lock it, and there would be two locks.
  return { held: { release: () => closeSync(descriptor) } } as const;
}

function lockByName(path: string, owner: Owner) {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  for (let tried = 0; ; tried++) {
    const made = create(path, owner);
    if (made !== null) {
      writePid(made);
      closeSync(made);
      return { held: { release: () => removeOwn(path) } } as const;
    }
    const descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      check(descriptor, path, owner);
      const pid = pidIn(descriptor);
      if (tried > 0 || (pid !== null && isAlive(pid))) return { held: null, pid } as const;
    } finally {
      closeSync(descriptor);
    }
    unlinkSync(path); // its holder is gone
  }
}

/** Creates the file with its owner. @returns null if it exists */
function create(path: string, owner: Owner): number | null {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  let descriptor: number;
  try {
    descriptor = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw thrown;
  }
  try {
    if (owner !== null) fchownSync(descriptor, owner.uid, owner.gid);
    fchmodSync(descriptor, 0o600);
    return descriptor;
  } catch (thrown) {
    closeSync(descriptor);
    throw thrown;
  }
}

/**
 * Checks an existing file by its descriptor. It must belong to the expected user and nobody else, not even root: the folder may contain a hard link to
 * any of root's files, which locking would empty. @throws NetmonError `history`
 */
function check(descriptor: number, path: string, owner: Owner): void {
  const stats = fstatSync(descriptor);
  const us = owner?.uid ?? process.geteuid?.() ?? stats.uid;
  if (!stats.isFile())
    throw new NetmonError('history', `the lock of history ${path} is not a regular file`, 'name another place: --history=PATH');
  if (stats.uid === us) return;
  const what = `the lock of history ${path} belongs to another user`;
  throw new NetmonError('history', what, 'remove it while nothing records there, or name another place: --history=PATH');
}

function writePid(descriptor: number): void {
  try {
    ftruncateSync(descriptor, 0);
    writeSync(descriptor, `${process.pid}\n`, 0);
  } catch {
    // the disk is full: the lock holds even without a pid
  }
}

function pidIn(descriptor: number): number | null {
  const bytes = Buffer.alloc(16);
  const length = readSync(descriptor, bytes, 0, bytes.length, 0);
  const text = bytes.toString('latin1', 0, length).trim();
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
}

/** Whether the process exists, even if we may not signal it. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function removeOwn(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // gone already
  }
}

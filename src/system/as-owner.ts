// Lets root work on another user's files as that user: a link put in a file's place then gains that user nothing. Only the calling thread
// changes, for the length of one synchronous call.

import { lstatSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type koffi from 'koffi';
import type { LibraryHandle } from 'koffi';
import { NetmonError } from '../model/errors.ts';

/** Owner of files that root writes; null for the process's own. A gid of -1 is an unknown group. */
export type Owner = { readonly uid: number; readonly gid: number } | null;
/** Runs synchronous work on files. */
export type FileWork = <T>(work: () => T) => T;

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
const MAX_LINKS = 8;
const NO_GROUP = 65_534;
/** setgroups(2) itself: libc's function changes all threads. */
const SETGROUPS: Partial<Record<NodeJS.Architecture, number>> = { x64: 116, arm64: 159 };
/** KAUTH_UID_NONE (sys/kauth.h): the thread is the process's user again. */
const KAUTH_NONE = 0xffff_ff9b;

/**
 * Returns what runs work on the files of a folder: as their owner for root, unless only root can change where the path leads.
 *
 * @throws NetmonError `history`, when it runs, where another user can replace a part of the path to root's own files
 */
export function fileWork(owner: Owner, folder: string): FileWork {
  if (process.geteuid?.() !== 0 || isRootsAlone(folder)) return (work) => work();
  if (owner !== null && owner.uid !== 0) return (work) => as(owner, work);
  if (owner === null && isRootsAlone(folder, true)) return (work) => work();
  const what = `a part of the path ${folder} belongs to another user, who could put a link in its place`;
  return () => {
    throw new NetmonError('history', what, "name a folder of root's: --history=PATH");
  };
}

/** Makes the calling thread work as the files' owner for good, where necessary. For threads that do nothing else. */
export function becomeOwner(owner: Owner, folder: string): void {
  if (process.geteuid?.() !== 0 || isRootsAlone(folder) || owner === null || owner.uid === 0) return;
  change(owner.uid, owner.gid < 0 ? NO_GROUP : owner.gid, []);
}

/**
 * True where every part of a path is root's, and nobody else may put another thing in its place.
 *
 * @param isShared whether others may add to the folder itself, as to /tmp
 */
export function isRootsAlone(folder: string, isShared = false, links = 0): boolean {
  const parts = resolve(folder).split('/').slice(1);
  let at = '/';
  for (let i = 0; ; i++) {
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (stats === undefined) return true; // root makes it, in a folder of its own
    if (stats.uid !== 0) return false;
    if (stats.isSymbolicLink()) {
      return (
        links < MAX_LINKS && isRootsAlone(join(resolve(dirname(at), readlinkSync(at)), ...parts.slice(i)), isShared, links + 1)
      );
    }
    const isLast = i >= parts.length || parts[i] === '';
    // in a sticky folder nobody takes away what is root's, but anybody adds to it
    if ((stats.mode & WRITABLE_BY_OTHERS) !== 0 && ((stats.mode & STICKY) === 0 || (isLast && !isShared))) return false;
    if (isLast) return true;
    at = join(at, parts[i] as string);
  }
}

function as<T>({ uid, gid }: NonNullable<Owner>, work: () => T): T {
  const groups = process.getgroups?.() ?? [];
  change(uid, gid < 0 ? NO_GROUP : gid, []);
  try {
    return work();
  } finally {
    change(0, 0, groups);
  }
}

type Change = (uid: number, gid: number, groups: readonly number[]) => void;
let change: Change = (...wanted) => {
  change = process.platform === 'darwin' ? changeOnMac() : changeOnLinux();
  change(...wanted);
};

function changeOnLinux(): Change {
  const libc = load(['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]);
  const setfsuid = libc('int setfsuid(unsigned int)');
  const setfsgid = libc('int setfsgid(unsigned int)');
  const syscall = libc('long syscall(long, long, void*)');
  return (uid, gid, groups) => {
    // The kernel takes root's rights over files away with the user, and gives them back with root.
    if (uid === 0) setfsuid(uid);
    const setgroups = SETGROUPS[process.arch];
    if (setgroups !== undefined) syscall(setgroups, groups.length, Uint32Array.from(groups));
    setfsgid(gid);
    setfsuid(uid);
    // Both answer with what was before, also when they fail.
    if (setfsuid(0xffff_ffff) !== uid || setfsgid(0xffff_ffff) !== gid)
      throw new Error(`files of user ${uid} can't be made here`);
  };
}

function changeOnMac(): Change {
  const set = load(['/usr/lib/libSystem.B.dylib'])('int pthread_setugid_np(unsigned int, unsigned int)');
  return (uid, gid) => {
    const done = uid === 0 ? set(KAUTH_NONE, KAUTH_NONE) : set(uid, gid);
    if (done !== 0) throw new Error(`files of user ${uid} can't be made here`);
  };
}

/** Loaded when it is first needed, which most runs never do. */
function load(names: readonly string[]): (prototype: string) => ReturnType<LibraryHandle['func']> {
  const calls = createRequire(import.meta.url)('koffi') as typeof koffi;
  for (const name of names) {
    try {
      const library = calls.load(name);
      return (prototype) => library.func(prototype);
    } catch {
      // the next one
    }
  }
  throw new Error('libc can not be called here');
}

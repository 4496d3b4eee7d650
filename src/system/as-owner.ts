// Lets root work on another user's files with that user's rights, so replacing a file by a link gains the user nothing. It changes only the calling
// thread, for one synchronous call.

import { lstatSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type koffi from 'koffi';
import type { LibraryHandle } from 'koffi';
import { NetmonError } from '../model/errors.ts';

/** Owner of files that root writes; null for the process's own user. A gid of -1 means an unknown group. */
export type Owner = { readonly uid: number; readonly gid: number } | null;
/** Runs synchronous work on files. */
export type FileWork = <T>(work: () => T) => T;

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
const MAX_LINKS = 8;
const NO_GROUP = 65_534;
/** System call numbers of setgroups(2): libc's function would change all threads. */
const SETGROUPS: Partial<Record<NodeJS.Architecture, number>> = { x64: 116, arm64: 159 };
/** KAUTH_UID_NONE (sys/kauth.h): makes the thread the process's user again. */
const KAUTH_NONE = 0xffff_ff9b;

/**
 * Returns a function that runs work on a folder's files. If we are root, it runs as their owner, unless only root can change the path.
 *
 * The function throws NetmonError `history` if another user can replace a part of the path to root's own files.
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

/** Permanently makes the calling thread work as the files' owner, if necessary. For threads that do nothing else. */
export function becomeOwner(owner: Owner, folder: string): void {
  if (process.geteuid?.() !== 0 || isRootsAlone(folder) || owner === null || owner.uid === 0) return;
  change(owner.uid, owner.gid < 0 ? NO_GROUP : owner.gid, []);
}

/**
 * Whether every part of a path belongs to root and nobody else can replace it.
 *
 * @param isShared allows a folder to which others may add files, like /tmp
 */
export function isRootsAlone(folder: string, isShared = false, links = 0): boolean {
  const parts = resolve(folder).split('/').slice(1);
  let at = '/';
  for (let i = 0; ; i++) {
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (stats === undefined) return true; // root will create it in a folder of its own
    if (stats.uid !== 0) return false;
    if (stats.isSymbolicLink()) {
      return (
        links < MAX_LINKS && isRootsAlone(join(resolve(dirname(at), readlinkSync(at)), ...parts.slice(i)), isShared, links + 1)
      );
    }
    const isLast = i >= parts.length || parts[i] === '';
    // in a sticky folder others can't remove root's files, but can add their own
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
    // With setfsuid the kernel drops root's file capabilities, and restores them with uid 0.
    if (uid === 0) setfsuid(uid);
    const setgroups = SETGROUPS[process.arch];
    if (setgroups !== undefined) syscall(setgroups, groups.length, Uint32Array.from(groups));
    setfsgid(gid);
    setfsuid(uid);
    // Both return the previous id even on failure, so read it back.
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

/** Loads libc on first use; most runs never need it. */
function load(names: readonly string[]): (prototype: string) => ReturnType<LibraryHandle['func']> {
  const calls = createRequire(import.meta.url)('koffi') as typeof koffi;
  for (const name of names) {
    try {
      const library = calls.load(name);
      return (prototype) => library.func(prototype);
    } catch {
      // try the next
    }
  }
  throw new Error("libc can't be loaded here");
}

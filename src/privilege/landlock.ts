// Landlock (landlock(7)): confines the calling thread to some folders, irrevocably. Existing threads aren't affected: before Linux 7.0 that is
// impossible, so work that the thread gives to Node's thread pool runs unconfined.

import { closeSync, constants, openSync } from 'node:fs';
import koffi from 'koffi';

/** System call numbers, the same on all architectures. */
const CREATE_RULESET = 444;
const ADD_RULE = 445;
const RESTRICT_SELF = 446;
const ASK_VERSION = 1;
const PATH_BENEATH = 1;
const PR_SET_NO_NEW_PRIVS = 38;
/** linux/landlock.h, LANDLOCK_ACCESS_FS_*. */
const ACCESS = { WRITE_FILE: 1, READ_FILE: 2, READ_DIR: 3, REMOVE_FILE: 5, MAKE_REG: 8, TRUNCATE: 14 } as const;
/** Number of file rights by Landlock version, from 1: 13, then also REFER, TRUNCATE, and ioctl(2) on devices. */
const FILE_RIGHTS = [13, 14, 15, 15, 16] as const;
/** Binding and connecting TCP sockets; version 4 and later. */
const ALL_TCP = 0b11n;

/** A folder that stays accessible with everything in it. */
export interface FencedFolder {
  readonly path: string;
  readonly mayWrite: boolean;
}

/**
 * Denies the calling thread all files outside these folders, starting programs, and TCP, as far as the kernel supports it.
 *
 * @returns the Landlock version in force; 0 if the kernel has none or a container refuses it
 */
export function fence(folders: readonly FencedFolder[]): number {
  const libc = load();
  if (libc === null) return 0;
  const syscall = libc.func('long syscall(long, void*, long, long)');
  const version = Number(syscall(CREATE_RULESET, null, 0, ASK_VERSION));
  if (version < 1) return 0;
  const handled = (1n << BigInt(FILE_RIGHTS[Math.min(version, FILE_RIGHTS.length) - 1] as number)) - 1n;
  // struct landlock_ruleset_attr { u64 handled_access_fs, handled_access_net; }
  const attributes = Buffer.alloc(version < 4 ? 8 : 16);
  attributes.writeBigUInt64LE(handled, 0);
  if (version >= 4) attributes.writeBigUInt64LE(ALL_TCP, 8);
  const ruleset = Number(syscall(CREATE_RULESET, attributes, attributes.length, 0));
  if (ruleset < 0) return 0;
  try {
    const addRule = libc.func('long syscall(long, long, long, void*, long)');
    for (const { path, mayWrite } of folders) if (!allow(addRule, ruleset, path, rightsOf(mayWrite) & handled)) return 0;
    const prctl = libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)');
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) !== 0) return 0;
    return Number(libc.func('long syscall(long, long, long)')(RESTRICT_SELF, ruleset, 0)) === 0 ? version : 0;
  } finally {
    libc.func('int close(int)')(ruleset); // Node's own close warns about descriptors that it didn't open
  }
}

function allow(addRule: (...args: unknown[]) => unknown, ruleset: number, path: string, rights: bigint): boolean {
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    // struct landlock_path_beneath_attr { u64 allowed_access; s32 parent_fd; }, packed
    const rule = Buffer.alloc(12);
    rule.writeBigUInt64LE(rights, 0);
    rule.writeInt32LE(folder, 8);
    return Number(addRule(ADD_RULE, ruleset, PATH_BENEATH, rule, 0)) === 0;
  } finally {
    closeSync(folder);
  }
}

function rightsOf(mayWrite: boolean): bigint {
  const { READ_FILE, READ_DIR, WRITE_FILE, REMOVE_FILE, MAKE_REG, TRUNCATE } = ACCESS;
  const bits = mayWrite ? [READ_FILE, READ_DIR, WRITE_FILE, REMOVE_FILE, MAKE_REG, TRUNCATE] : [READ_FILE, READ_DIR];
  return bits.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
}

function load() {
  for (const name of ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]) {
    try {
      return koffi.load(name);
    } catch {
      // try the next
    }
  }
  return null;
}

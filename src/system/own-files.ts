// The program's own files, and where its threads and child processes begin. The program comes in three forms: modules as compiled (tests and
// benchmarks), a bundle beside its files, and a single executable that holds them. Nothing here looks at the working folder or at PATH.

import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { getRawAsset, isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';
import { NO_DEBUGGER } from './edges.ts';

/** What a bundle knows of itself. */
interface Bundle {
  readonly version: string;
  /** Short commit that it was built from, `-dirty` after it if files differed; null if it is unknown. */
  readonly commit: string | null;
  /** Names of all files in the executable. */
  readonly files: readonly string[];
}

/** Set by scripts/bundle.mjs; modules don't have it. */
declare const BUNDLE: Bundle | undefined;

/** Modules in which threads and child processes begin. scripts/bundle.mjs reads this table, and makes each a file named by its role. */
const ENTRIES = {
  'reader-worker': 'history/query/reader-worker',
  'save-worker': 'history/save-worker',
  'exec-worker': 'identify/process/linux/exec-worker',
  'publisher-worker': 'publisher/publisher-worker',
  'root-child': 'privilege/root-child-main',
  'cap-child': 'privilege/cap-child',
  'command-gate': 'command/gate-main',
  messenger: 'messenger/messenger-main',
} as const;

/** What a thread or a child process is for. */
export type Role = keyof typeof ENTRIES;

/**
 * Names the role of a child that is the executable itself. It is no argument, because who may run the program through sudo, with any arguments, must
 * not choose a role: the root child starts what it is told to. sudo takes such variables away.
 */
const ROLE_VARIABLE = 'NETMON_ROLE';

/** Null in modules. */
export const bundle: Bundle | null = typeof BUNDLE === 'undefined' ? null : BUNDLE;
/** Whether this is the executable, which reads no file of its own from the disk. */
export const isExecutable = bundle !== null && isSea();
/** The folder with bin/, data/ and themes/: two levels above this file, in modules as in a bundle. */
const ROOT = new URL('../../', import.meta.url);

/** The program's folder, whose files are still read after root was dropped; null for the executable. */
export function ownFolder(): string | null {
  return isExecutable ? null : ownPath('.').replace(/\/$/, '');
}

/** Reads one of the program's files. @param path within its folder. A bundle keeps what is used of packages beside it. */
export function readOwnFile(path: string): Buffer {
  const held = bundle !== null && path.startsWith('node_modules/') ? `dist/bundle/${basename(path)}` : path;
  return isExecutable ? Buffer.from(getRawAsset(held) as ArrayBuffer) : readFileSync(new URL(held, ROOT));
}

/** Absolute path of one of the program's files, which the executable doesn't have. */
export function ownPath(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}

/** Names of the files in one of the program's folders; empty if it can't be read. */
export function ownFilesIn(folder: string): readonly string[] {
  if (isExecutable) return (bundle?.files ?? []).filter((path) => path.startsWith(`${folder}/`)).map((path) => basename(path));
  try {
    return readdirSync(new URL(folder, ROOT));
  } catch {
    return [];
  }
}

/** Where a thread begins: a file, or in the executable its text. */
export function threadEntry(role: Role): URL | string {
  return isExecutable ? readOwnFile(`dist/bundle/${role}.cjs`).toString('latin1') : entryOf(role);
}

/** How to start this program's child process for a role. `env` is added to the child's environment. */
export interface ChildCommand {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How to start a child process. @param flags for Node, which the executable takes from the environment alone @param words its arguments */
export function childCommand(role: Role, flags: readonly string[], words: readonly string[]): ChildCommand {
  const path = process.execPath;
  if (isExecutable) {
    // Node refuses the debugger's options in NODE_OPTIONS; the executable's first line looks whether a signal was faster.
    const options = flags.filter((flag) => flag !== NO_DEBUGGER).join(' ');
    return { path, args: words, env: { [ROLE_VARIABLE]: role, ...(options === '' ? {} : { NODE_OPTIONS: options }) } };
  }
  return { path, args: [...flags, fileURLToPath(entryOf(role)), ...words], env: {} };
}

/** The app that the messenger is: its traffic is the program's own. */
export const SENDER_APP = 'netmon-tui (sender)';

/** Whether a command line is that of a messenger, of this run or another. @param commandLine NUL-terminated arguments. The executable's has none. */
export function isMessenger(commandLine: string): boolean {
  return !isExecutable && commandLine.split('\0').includes(fileURLToPath(entryOf('messenger')));
}

function entryOf(role: Role): URL {
  return new URL(bundle === null ? `../${ENTRIES[role]}.js` : `./${role}.cjs`, import.meta.url);
}

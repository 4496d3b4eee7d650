// Composes the sudo command that gives the rights to capture, with the user's own arguments, ready to type.

import { basename, dirname, relative } from 'node:path';
import { shellWords } from '../net/quote.ts';
import { workingFolder } from '../system/files.ts';
import { isExecutable } from '../system/own-files.ts';

/** How this process was started. */
export interface Invocation {
  readonly platform: NodeJS.Platform;
  readonly euid: number;
  /** Path of the running node; null if the program is an executable of its own. */
  readonly node: string | null;
  /** Path of the program as started: a link on PATH, a file in a clone, or the executable. */
  readonly script: string;
  /** The working folder; null if it was removed. */
  readonly folder: string | null;
  /** The arguments after the program's name. */
  readonly words: readonly string[];
}

/** What sudo sets PATH to (`secure_path` on Debian, Fedora, Arch). Apple's sudoers has none and keeps the user's. */
const SECURE_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** How this process was started. */
export function thisInvocation(): Invocation {
  const { platform, execPath, argv } = process;
  return {
    platform,
    euid: process.geteuid?.() ?? -1,
    node: isExecutable ? null : execPath,
    script: isExecutable ? execPath : (argv[1] ?? 'netmon-tui'),
    folder: workingFolder(),
    words: argv.slice(2),
  };
}

/**
 * What to type if rights are missing. sudo must find both node and the command; if it wouldn't, the command passes PATH along.
 *
 * For root it says what root lacks, since sudo wouldn't help.
 */
export function permissionHint(invocation: Invocation): string {
  const { platform, euid, node, script, words } = invocation;
  if (euid === 0) {
    return platform === 'linux'
      ? 'root lacks CAP_NET_RAW here: start the container with --cap-add NET_RAW'
      : 'root may not open /dev/bpf here: check the sandbox that this runs in';
  }
  const command = commandOf(invocation);
  const isFound = platform === 'darwin' || ((node === null || isSecure(node)) && (command !== 'netmon-tui' || isSecure(script)));
  return `type: sudo ${isFound ? '' : 'env "PATH=$PATH" '}${shellWords([command, ...words])}`;
}

/** The program's name to type. An executable may have been typed as a path, which only leads to where sudo doesn't look. */
export function commandOf({ node, script, folder }: Pick<Invocation, 'node' | 'script' | 'folder'>): string {
  return basename(script) === 'netmon-tui' && (node !== null || isSecure(script)) ? 'netmon-tui' : pathOf(script, folder);
}

function isSecure(path: string): boolean {
  return SECURE_PATH.includes(dirname(path));
}

/** The shortest path that isn't a bare name, which sudo would look up on its PATH. */
function pathOf(script: string, folder: string | null): string {
  if (folder === null) return script;
  const inside = relative(folder, script);
  if (inside.startsWith('..')) return script;
  return inside.includes('/') ? inside : `./${inside}`;
}

// Composes the sudo command that gives the rights to capture, with the user's own arguments, ready to type.

import { basename, dirname, relative } from 'node:path';
import { shellWords } from '../net/quote.ts';

/** How this process was started. */
export interface Invocation {
  readonly platform: NodeJS.Platform;
  readonly euid: number;
  /** Path of the running node. */
  readonly node: string;
  /** Path of the script as started: a link on PATH, or a file in a clone. */
  readonly script: string;
  /** The working folder; null if it was removed. */
  readonly folder: string | null;
  /** The arguments after the program's name. */
  readonly words: readonly string[];
}

/** What sudo sets PATH to (`secure_path` on Debian, Fedora, Arch). Apple's sudoers has none and keeps the user's. */
const SECURE_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * What to type if rights are missing. sudo must find both node and the command; if it wouldn't, the command passes PATH along.
 *
 * For root it says what root lacks, since sudo wouldn't help.
 */
export function permissionHint({ platform, euid, node, script, folder, words }: Invocation): string {
  if (euid === 0) {
    return platform === 'linux'
      ? 'root lacks CAP_NET_RAW here: start the container with --cap-add NET_RAW'
      : 'root may not open /dev/bpf here: check the sandbox that this runs in';
  }
  const isCommand = basename(script) === 'netmon-tui';
  const command = commandOf(script, folder);
  const isFound =
    platform === 'darwin' || (SECURE_PATH.includes(dirname(node)) && (!isCommand || SECURE_PATH.includes(dirname(script))));
  return `type: sudo ${isFound ? '' : 'env "PATH=$PATH" '}${shellWords([command, ...words])}`;
}

/** The program's name to type. @param script and `folder` as in `Invocation` */
export function commandOf(script: string, folder: string | null): string {
  return basename(script) === 'netmon-tui' ? 'netmon-tui' : pathOf(script, folder);
}

/** The shortest path that isn't a bare name, which sudo would look up on its PATH. */
function pathOf(script: string, folder: string | null): string {
  if (folder === null) return script;
  const inside = relative(folder, script);
  if (inside.startsWith('..')) return script;
  return inside.includes('/') ? inside : `./${inside}`;
}

// The command that gives the rights to capture, exactly as it is to be typed: the user's own arguments behind it. Pure.

import { basename, dirname, relative } from 'node:path';
import { shellWords } from '../net/quote.ts';

/** How this process was started. */
export interface Invocation {
  readonly platform: NodeJS.Platform;
  readonly euid: number;
  /** Path of the node that runs. */
  readonly node: string;
  /** Path of the script as it was started: a link on PATH, or a file of a clone. */
  readonly script: string;
  /** The working folder; null where it was removed. */
  readonly folder: string | null;
  /** The words behind the program's name. */
  readonly words: readonly string[];
}

/** What sudo resets PATH to (`secure_path` of Debian, Fedora, Arch). Apple's sudoers has none and keeps the user's. */
const SECURE_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * What to type when rights are missing. Both node and the command must be found by sudo; where they would not be, PATH is carried along.
 *
 * For root it says what root lacks: no sudo helps there.
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

/** The program as it was typed. @param script as in `Invocation`, `folder` too */
export function commandOf(script: string, folder: string | null): string {
  return basename(script) === 'netmon-tui' ? 'netmon-tui' : pathOf(script, folder);
}

/** Short where it can be, and never a bare name: sudo would look for that on its path. */
function pathOf(script: string, folder: string | null): string {
  if (folder === null) return script;
  const inside = relative(folder, script);
  if (inside.startsWith('..')) return script;
  return inside.includes('/') ? inside : `./${inside}`;
}

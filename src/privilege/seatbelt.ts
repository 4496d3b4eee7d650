// Seatbelt (sandbox(7) on macOS): a second, irrevocable defence for the whole process. What a profile doesn't mention stays allowed: reading files
// and using system services. Profiles are written in Scheme; Apple documents neither the language nor the flag that accepts a text.

import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import koffi from 'koffi';
import { NetmonError, reasonOf } from '../model/errors.ts';

/** What the process may still do in the sandbox. */
export interface SandboxPlan {
  /** Writable files: these paths, and in the same folders all files whose names begin with theirs. */
  readonly files: readonly string[];
  readonly asksDns: boolean;
}

/** sandbox_init(3). @returns the error if it refused; null if the profile is in force */
export type SandboxInit = (profile: string) => string | null;

/** The flag for a profile given as text. The documented flag takes the name of one of Apple's profiles. */
const TEXT = 0;

/** The sandbox profile for a plan. */
export function sandboxProfile({ files, asksDns }: SandboxPlan): string {
  const writable = files.flatMap((path) => {
    const real = realOf(path);
    // The folder itself too, since it may have to be created.
    return [`(literal ${scheme(dirname(real))})`, `(regex ${scheme(`^${real.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}[^/]*$`)})`];
  });
  return [
    '(version 1)',
    '(allow default)',
    '(deny file-write*)',
    `(allow file-write* (literal "/dev/null") (literal "/dev/tty")${writable.map((rule) => ` ${rule}`).join('')})`,
    '(deny process-exec*)',
    '(deny network-outbound)',
    ...(asksDns ? ['(allow network-outbound (remote udp "*:53") (remote tcp "*:53"))'] : []),
    '',
  ].join('\n');
}

/** Enters the sandbox. @throws NetmonError `permission` with the error, because a user who asked for a sandbox shouldn't run without one */
export function enterSandbox(plan: SandboxPlan, init: SandboxInit = systemSandbox): void {
  let refusal: string | null;
  try {
    refusal = init(sandboxProfile(plan));
  } catch (thrown) {
    refusal = reasonOf(thrown);
  }
  if (refusal !== null)
    throw new NetmonError('permission', `macOS refused the sandbox: ${refusal}`, 'to run without it, leave --sandbox out');
}

function systemSandbox(profile: string): string | null {
  const library = koffi.load('/usr/lib/libSystem.B.dylib');
  const init = library.func('int sandbox_init(const char*, uint64_t, _Out_ char**)');
  const words: [string | null] = [null];
  if ((init(profile, TEXT, words) as number) === 0) return null;
  return reasonOf(words[0] ?? 'no reason given');
}

/** A string literal in the profile language. */
function scheme(text: string): string {
  const escaped = text.replace(/["\\]/g, '\\$&');
  // A path may hold any byte but NUL.
  return `"${escaped.replace(/[\x01-\x1f\x7f]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}

/** Resolves links, because the kernel compares real paths. For a path that doesn't exist yet, it resolves the existing part. */
function realOf(path: string): string {
  const folder = dirname(path);
  if (folder === path) return path;
  try {
    return join(realpathSync(folder), basename(path));
  } catch {
    return join(realOf(folder), basename(path));
  }
}

// Seatbelt (sandbox(7) of macOS): a second defence for the whole process, for good. What a profile doesn't name stays allowed: reading files, and
// asking services of the system. Profiles are written in Scheme; Apple documents neither the language nor the flag that takes a text.

import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import koffi from 'koffi';
import { NetmonError, reasonOf } from '../model/errors.ts';

/** What a process goes on doing behind the fence. */
export interface SandboxPlan {
  /** Files that may be written: these paths, and in the same folders whatever has a name that begins like theirs. */
  readonly files: readonly string[];
  readonly asksDns: boolean;
}

/** sandbox_init(3). @returns the kernel's words where it refused; null where the profile is in force */
export type SandboxInit = (profile: string) => string | null;

/** PROFILE is a text; a documented flag would name one of Apple's profiles. */
const TEXT = 0;

/** The profile of a run. */
export function sandboxProfile({ files, asksDns }: SandboxPlan): string {
  const writable = files.flatMap((path) => {
    const real = realOf(path);
    // The folder itself, as it may have to be made.
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

/** Fences this process in. @throws NetmonError `permission` with the kernel's words: who asked for a fence doesn't run without one */
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

/** A string of the profile's language. */
function scheme(text: string): string {
  const escaped = text.replace(/["\\]/g, '\\$&');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a path may hold any byte but NUL
  return `"${escaped.replace(/[\x01-\x1f\x7f]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}

/** The kernel compares paths without links; what isn't there yet lies in what is. */
function realOf(path: string): string {
  const folder = dirname(path);
  if (folder === path) return path;
  try {
    return join(realpathSync(folder), basename(path));
  } catch {
    return join(realOf(folder), basename(path));
  }
}

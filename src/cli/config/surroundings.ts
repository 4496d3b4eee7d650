// Whose files a run reads and writes: the user's, and under sudo the invoking user's. HOME is never believed over the user database.

import type { FileAccess } from '../../system/files.ts';

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What decides where files are and whose they are; one struct that tests replace. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Environment;
  readonly euid: number;
  /** The user database, as text; empty where there is none. */
  passwd(): string;
  readonly files: FileAccess;
}

/** The user whose files are read and written. */
export interface Owner {
  readonly uid: number;
  /** Absolute; null if it is not known. */
  readonly home: string | null;
  /** True when root acts for this user. */
  readonly underSudo: boolean;
}

/**
 * The owner of this run's files.
 *
 * SUDO_UID counts only where the process is root: it may be left over in the environment of anybody else. A home folder under sudo
 * comes from the user database; macOS keeps its users elsewhere, so there HOME (which its sudo keeps) and /Users/NAME are taken when
 * the folder belongs to that user.
 */
export function ownerOf({ platform, env, euid, passwd, files }: Surroundings): Owner {
  const sudoUid = euid === 0 && /^\d{1,10}$/.test(env['SUDO_UID'] ?? '') ? Number(env['SUDO_UID']) : null;
  if (sudoUid === null || sudoUid === 0)
    return { uid: euid, home: absoluteOrNull(env['HOME']) ?? homeIn(passwd(), euid), underSudo: false };
  const listed = homeIn(passwd(), sudoUid);
  if (listed !== null) return { uid: sudoUid, home: listed, underSudo: true };
  const name = env['SUDO_USER'] ?? '';
  const guesses = [
    absoluteOrNull(env['HOME']),
    platform === 'darwin' && /^[\w][\w.-]{0,63}$/.test(name) ? `/Users/${name}` : null,
  ];
  const home = guesses.find((guess) => guess !== null && files.folderOwner(guess) === sudoUid) ?? null;
  return { uid: sudoUid, home, underSudo: true };
}

/** Home folder of a user in a passwd file (passwd(5)), null where it is not listed. */
function homeIn(passwd: string, uid: number): string | null {
  for (const line of passwd.split('\n')) {
    const fields = line.split(':');
    if (fields.length >= 7 && fields[2] === String(uid)) return absoluteOrNull(fields[5]);
  }
  return null;
}

function absoluteOrNull(path: string | undefined): string | null {
  return path?.startsWith('/') && !path.includes('\0') ? path : null;
}

/** Who is to own what root writes for this user; null if the process is that user. A gid of -1 leaves the group alone. */
export function fileOwner({ underSudo, uid }: Owner, env: Environment): { readonly uid: number; readonly gid: number } | null {
  if (!underSudo) return null;
  const gid = env['SUDO_GID'] ?? '';
  return { uid, gid: /^\d{1,10}$/.test(gid) ? Number(gid) : -1 };
}

/**
 * A file of the program in one of the user's folders; null if no home folder is known. On macOS all of them are in Application Support.
 *
 * @param variable names the folder where it is set and is the owner's; under sudo it may be root's @param usual the folder in the home otherwise
 */
export function userFile(
  { uid, home, underSudo }: Owner,
  { env, platform, files }: Surroundings,
  variable: 'XDG_DATA_HOME' | 'XDG_STATE_HOME',
  usual: string,
  name: string,
): string | null {
  const folder = env[variable] ?? '';
  if (folder.startsWith('/')) {
    const owner = files.folderOwner(folder);
    if (owner === uid || (owner === null && !underSudo)) return `${folder}/netmon-tui/${name}`;
  }
  return home === null ? null : `${home}/${platform === 'darwin' ? 'Library/Application Support' : usual}/netmon-tui/${name}`;
}

// Whose configuration a run reads: the user's, and under sudo the invoking user's. HOME is never believed over the user database.

import type { FileAccess } from './file-access.ts';

/** Environment variables; the ones that are read by name, and the NETMON_ ones. */
export interface Environment {
  readonly HOME?: string | undefined;
  readonly SUDO_UID?: string | undefined;
  readonly SUDO_USER?: string | undefined;
  readonly SUDO_GID?: string | undefined;
  readonly XDG_CONFIG_HOME?: string | undefined;
  readonly XDG_DATA_HOME?: string | undefined;
  readonly NO_COLOR?: string | undefined;
  readonly NETMON_CONFIG?: string | undefined;
  readonly NETMON_HISTORY?: string | undefined;
  readonly [name: string]: string | undefined;
}

/** What the program stands in; one struct, so that tests can stand somewhere else. */
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
  /** Absolute; null where it could not be told. */
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
  const sudoUid = euid === 0 && /^\d{1,10}$/.test(env.SUDO_UID ?? '') ? Number(env.SUDO_UID) : null;
  if (sudoUid === null || sudoUid === 0)
    return { uid: euid, home: absolute(env.HOME) ?? homeIn(passwd(), euid), underSudo: false };
  const listed = homeIn(passwd(), sudoUid);
  if (listed !== null) return { uid: sudoUid, home: listed, underSudo: true };
  const name = env.SUDO_USER ?? '';
  const guesses = [absolute(env.HOME), platform === 'darwin' && /^[\w][\w.-]{0,63}$/.test(name) ? `/Users/${name}` : null];
  const home = guesses.find((guess) => guess !== null && files.folderOwner(guess) === sudoUid) ?? null;
  return { uid: sudoUid, home, underSudo: true };
}

/** Home folder of a user in a passwd file (passwd(5)), null where it is not listed. */
function homeIn(passwd: string, uid: number): string | null {
  for (const line of passwd.split('\n')) {
    const fields = line.split(':');
    if (fields.length >= 7 && fields[2] === String(uid)) return absolute(fields[5]);
  }
  return null;
}

function absolute(path: string | undefined): string | null {
  return path?.startsWith('/') && !path.includes('\0') ? path : null;
}

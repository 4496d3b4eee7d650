// Where the configuration file lies, and whether it may be trusted: its owner, its mode, no symbolic link in the end.

import { NetmonError } from '../../model/errors.ts';
import { quoted, shellWords } from '../../net/quote.ts';
import type { FileAccess, FileRead } from '../../system/files.ts';

/** The configuration file of a run. */
export interface FoundConfig {
  /** null where there is none. */
  readonly file: { readonly path: string; readonly text: string } | null;
  readonly owner: Owner;
  /** One line each: files and folders that were passed over. */
  readonly warnings: readonly string[];
}

const CONFIG_NAME = 'netmon-tui/config.toml';
const WRITABLE_BY_OTHERS = 0o022;
const UNREADABLE: readonly string[] = ['EACCES', 'EPERM'];

/**
 * Finds and reads the configuration file.
 *
 * @param asked path from `--config` or NETMON_CONFIG; null looks in the usual places
 * @throws NetmonError `usage` for a file that was asked for and is not there, or that must not be trusted
 */
export function findConfig(asked: string | null, surroundings: Surroundings): FoundConfig {
  const owner = ownerOf(surroundings);
  if (asked === '/dev/null') return { file: null, owner, warnings: [] }; // the usual way to say: none
  if (asked !== null) {
    // whoever is not root may read what he can; for root the file decides what root does
    const isRoot = surroundings.euid === 0;
    const read = surroundings.files.read(asked, !isRoot);
    if (read.kind === 'missing')
      throw new NetmonError(
        'usage',
        `the configuration file ${quoted(asked)} does not exist`,
        'give the path of a file after --config',
      );
    const text = isRoot || read.kind !== 'read' ? trusted('configuration file', asked, read, owner) : read.text;
    return { file: { path: asked, text }, owner, warnings: [] };
  }
  const warnings: string[] = [];
  let file: FoundConfig['file'] = null;
  for (const path of usualPlaces(owner, surroundings, warnings)) {
    const read = surroundings.files.read(path, false);
    if (read.kind === 'missing') continue;
    if (read.kind === 'failed' && UNREADABLE.includes(read.reason)) {
      // HOME may be somebody else's (su, a service), and macOS closes folders to programs: no reason not to start
      warnings.push(`the configuration file ${quoted(path)} may not be read (${read.reason})`);
      continue;
    }
    if (file === null) file = { path, text: trusted('configuration file', path, read, owner) };
    else warnings.push(`${quoted(path)} is not read, because ${quoted(file.path)} comes first`);
  }
  return { file, owner, warnings };
}

/** Paths in the order in which they are tried; $XDG_CONFIG_HOME stands for ~/.config where it is set and is the owner's. */
function usualPlaces(owner: Owner, { env, platform, files }: Surroundings, warnings: string[]): string[] {
  const places: string[] = [];
  const folder = env.XDG_CONFIG_HOME ?? '';
  const folderOwner = folder.startsWith('/') ? files.folderOwner(folder) : null;
  if (folderOwner !== null && folderOwner === owner.uid) places.push(`${folder}/${CONFIG_NAME}`);
  else {
    if (folderOwner !== null) warnings.push(`XDG_CONFIG_HOME ${quoted(folder)} is not used, because it belongs to another user`);
    if (owner.home !== null) places.push(`${owner.home}/.config/${CONFIG_NAME}`);
  }
  if (platform === 'darwin' && owner.home !== null) places.push(`${owner.home}/Library/Application Support/${CONFIG_NAME}`);
  return places;
}

/**
 * Text of a file whose words decide what root does.
 *
 * @param kind what it is, for the message
 * @throws NetmonError `usage` where it may not be trusted
 */
export function trusted(kind: string, path: string, read: Exclude<FileRead, { kind: 'missing' }>, owner: Owner): string {
  const refuse = (what: string, hint: string) => new NetmonError('usage', `the ${kind} ${quoted(path)} ${what}`, hint);
  if (read.kind === 'link') throw refuse('is a symbolic link', 'put the file itself there, or give its real path after --config');
  if (read.kind === 'failed') throw refuse(`cannot be read (${read.reason})`, `type: ls -l ${shellWords([path])}`);
  if (!read.isFile) throw refuse('is no regular file', 'put a text file there, or remove it');
  if (read.uid !== owner.uid && read.uid !== 0)
    throw refuse('belongs to another user', `type: sudo chown ${owner.uid} ${shellWords([path])}`);
  if ((read.mode & WRITABLE_BY_OTHERS) !== 0)
    throw refuse('can be written by other users', `type: chmod go-w ${shellWords([path])}`);
  return read.text;
}

// Whose configuration a run reads: the user's, and under sudo the invoking user's. HOME is never believed over the user database.

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
    return { uid: euid, home: absoluteOrNull(env.HOME) ?? homeIn(passwd(), euid), underSudo: false };
  const listed = homeIn(passwd(), sudoUid);
  if (listed !== null) return { uid: sudoUid, home: listed, underSudo: true };
  const name = env.SUDO_USER ?? '';
  const guesses = [absoluteOrNull(env.HOME), platform === 'darwin' && /^[\w][\w.-]{0,63}$/.test(name) ? `/Users/${name}` : null];
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

// Where the screen keeps what it remembers: in the state folder of the user whose files count. Pure but for one look at a folder's owner.

/** Part of the configuration that nobody writes by hand. */
export interface ScreenSettings {
  /** Absolute path of the file; null where nothing is to be remembered. */
  readonly screenMemory: string | null;
}

const STATE_NAME = 'netmon-tui/screen.json';

/**
 * $XDG_STATE_HOME where it is set and is the owner's, else ~/.local/state; macOS: Application Support.
 *
 * @param asked the configuration file that was asked for: who names /dev/null wants a run like the first one
 */
export function screenSettings({ owner }: FoundConfig, surroundings: Surroundings, asked: string | null): ScreenSettings {
  const { env, platform, files } = surroundings;
  if (asked === '/dev/null') return { screenMemory: null };
  const folder = env['XDG_STATE_HOME'] ?? '';
  if (folder.startsWith('/')) {
    const uid = files.folderOwner(folder);
    if (uid === owner.uid || (uid === null && !owner.underSudo)) return { screenMemory: `${folder}/${STATE_NAME}` };
  }
  if (owner.home === null) return { screenMemory: null };
  return {
    screenMemory: `${owner.home}/${platform === 'darwin' ? 'Library/Application Support' : '.local/state'}/${STATE_NAME}`,
  };
}

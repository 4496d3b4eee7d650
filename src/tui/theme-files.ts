// Finds theme files by name in folders, or by path, and reads them. view/text/theme.ts parses them.

import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { NetmonError, reasonOf } from '../model/errors.ts';
import { ownFilesIn, readOwnFile } from '../system/own-files.ts';
import { parseTheme, type Theme } from '../view/text/theme.ts';

const SUFFIX = '.theme';
/** Themes listed at most. */
const MOST = 200;
const MOST_BYTES = 64 * 1024;

/** A folder with themes. */
export interface ThemeFolder {
  /** An absolute path, or `OURS`. */
  readonly path: string;
  /** Only this user's files count: root reads nobody else's files for a user. null takes anybody's. */
  readonly uid: number | null;
}

/** Where to look for themes, and for whom. */
export interface ThemePlaces {
  readonly platform: NodeJS.Platform;
  /** Home folder of the user; null if unknown. */
  readonly home: string | null;
  /** The user for whom root runs; null if the process is the user. */
  readonly uid: number | null;
  /** XDG_CONFIG_HOME */
  readonly configHome: string | undefined;
}

/** The folder of our own themes, among the program's files. */
export const OURS = 'themes';
const BTOP = join('btop', 'themes');

/** Where packages put btop's themes. */
const SHARES = [
  '/usr/share',
  '/usr/local/share', // builds by hand, Homebrew on Intel
  '/opt/homebrew/share',
  '/home/linuxbrew/.linuxbrew/share',
  '/opt/local/share', // MacPorts
  '/snap/btop/current/usr/local/share',
  '/run/current-system/sw/share', // NixOS
  '/nix/var/nix/profiles/default/share',
] as const;

/** Profiles of Nix in a user's home, older and newer. */
const NIX_PROFILES = ['.nix-profile', join('.local', 'state', 'nix', 'profiles', 'profile')];

/** Folders in the order of search: the user's own, the user's for btop, ours, those that came with btop. */
export function themeFolders({ platform, home, uid, configHome }: ThemePlaces): ThemeFolder[] {
  const isTheirs = configHome?.startsWith('/') === true && (uid === null || ownerOf(configHome) === uid);
  const config = isTheirs ? configHome : home === null ? null : join(home, '.config');
  const users = config === null ? [] : [join(config, 'netmon-tui', 'themes'), join(config, BTOP)];
  if (platform === 'darwin' && home !== null) users.push(join(home, 'Library', 'Application Support', 'netmon-tui', 'themes'));
  return [
    ...users.map((path) => ({ path, uid })),
    { path: OURS, uid: null },
    ...(home === null ? [] : [{ path: join(home, '.local', 'share', BTOP), uid }, ...nixFolders(home, uid)]),
    ...SHARES.map((share) => ({ path: join(share, BTOP), uid: null })),
  ];
}

/** A profile of a user's leads into the store, which belongs to root. Root follows it there and nowhere else. */
function nixFolders(home: string, uid: number | null): readonly ThemeFolder[] {
  return NIX_PROFILES.flatMap((profile) => {
    const path = realPathOf(join(home, profile, 'share', BTOP));
    return path === null || (uid !== null && !path.startsWith('/nix/store/')) ? [] : [{ path, uid: null }];
  });
}

function realPathOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function ownerOf(folder: string): number | null {
  return statSync(folder, { throwIfNoEntry: false })?.uid ?? null;
}

/** Themes in folders; the first folder that has a name wins. */
export class ThemeShelf {
  readonly #folders: readonly ThemeFolder[];

  /** @param folders in order of search; missing ones are skipped */
  constructor(folders: readonly ThemeFolder[]) {
    this.#folders = folders;
  }

  /** Names without suffix, sorted; at most `MOST`. */
  names(): readonly string[] {
    const names = new Set<string>();
    for (const { path } of this.#folders)
      for (const file of filesIn(path)) if (file.endsWith(SUFFIX) && names.size < MOST) names.add(file.slice(0, -SUFFIX.length));
    return [...names].sort();
  }

  /**
   * Reads a theme by name, or by path when it holds a slash.
   *
   * @throws NetmonError `usage` if there is no such theme, with the names of those that exist
   */
  load(wanted: string): Theme {
    if (wanted.includes('/')) return readTheme(wanted, null);
    const stem = wanted.endsWith(SUFFIX) ? wanted.slice(0, -SUFFIX.length) : wanted;
    const folder = this.#folders.find(({ path }) => filesIn(path).includes(stem + SUFFIX));
    if (folder !== undefined) return readTheme(join(folder.path, stem + SUFFIX), folder.uid);
    throw new NetmonError(
      'usage',
      `no theme "${wanted}"`,
      `themes are ${this.names().join(', ') || 'nowhere to be found'}; a path holds a slash`,
    );
  }
}

function filesIn(folder: string): readonly string[] {
  if (folder === OURS) return ownFilesIn(OURS);
  try {
    return readdirSync(folder);
  } catch {
    return []; // few users have all of these folders
  }
}

/** Text of a regular file: a FIFO, a device or a growing file might never end. */
function textOf(path: string, uid: number | null): string {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new Error('not a regular file');
    if (uid !== null && stats.uid !== uid) throw new Error('it belongs to another user');
    const bytes = Buffer.alloc(MOST_BYTES + 1);
    const length = readSync(descriptor, bytes, 0, bytes.length, 0);
    if (length > MOST_BYTES) throw new Error('too large for a theme: more than 64 KiB');
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(descriptor);
  }
}

function readTheme(path: string, uid: number | null): Theme {
  try {
    const text = path.startsWith(`${OURS}/`) ? readOwnFile(path).toString('utf8') : textOf(path, uid);
    return parseTheme(basename(path).replace(/\.theme$/, ''), text);
  } catch (error) {
    throw new NetmonError(
      'usage',
      `theme ${path}: ${reasonOf(error)}`,
      'give the name of a theme, or the path of a btop .theme file',
      error,
    );
  }
}

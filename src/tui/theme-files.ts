// Theme files: found by name in folders or by path, read, and no more than read. Parsing them is view/theme.ts.

import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { NetmonError, reasonOf } from '../errors.ts';
import { parseTheme, type Theme } from '../view/theme.ts';

const SUFFIX = '.theme';
/** Themes that are listed. */
const MOST = 200;
const MOST_BYTES = 64 * 1024;

/** Themes in folders, the first folder that has a name wins: the user's own, the user's btop's, ours. */
export class ThemeShelf {
  private readonly folders: readonly string[];

  /** @param folders - absolute paths; those that do not exist are passed over. */
  constructor(folders: readonly string[]) {
    this.folders = folders;
  }

  /** Names without suffix, sorted; bounded. */
  names(): readonly string[] {
    const names = new Set<string>();
    for (const folder of this.folders)
      for (const file of filesIn(folder))
        if (file.endsWith(SUFFIX) && names.size < MOST) names.add(file.slice(0, -SUFFIX.length));
    return [...names].sort();
  }

  /**
   * Reads a theme by name, or by path when it holds a slash.
   *
   * @throws NetmonError (usage) when there is none, with the names that there are.
   */
  load(wanted: string): Theme {
    if (wanted.includes('/')) return readTheme(wanted);
    const stem = wanted.endsWith(SUFFIX) ? wanted.slice(0, -SUFFIX.length) : wanted;
    for (const folder of this.folders) if (filesIn(folder).includes(stem + SUFFIX)) return readTheme(join(folder, stem + SUFFIX));
    throw new NetmonError(
      'usage',
      `no theme "${wanted}"`,
      `themes are ${this.names().join(', ') || 'nowhere to be found'}; a path holds a slash`,
    );
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // most of the folders do not exist for most users
  }
}

/** The text of a regular file. A FIFO, a device or a file that grows would never end. */
function textOf(path: string): string {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(descriptor).isFile()) throw new Error('not a regular file');
    const bytes = Buffer.alloc(MOST_BYTES + 1);
    const length = readSync(descriptor, bytes, 0, bytes.length, 0);
    if (length > MOST_BYTES) throw new Error('too large for a theme: more than 64 KiB');
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(descriptor);
  }
}

function readTheme(path: string): Theme {
  try {
    return parseTheme(basename(path).replace(/\.theme$/, ''), textOf(path));
  } catch (error) {
    throw new NetmonError(
      'usage',
      `theme ${path}: ${reasonOf(error)}`,
      'give the name of a theme, or the path of a btop .theme file',
      error,
    );
  }
}

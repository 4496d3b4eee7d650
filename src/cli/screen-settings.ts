// Where the screen keeps what it remembers: in the state folder of the user whose files count. Pure but for one look at a folder's owner.

import type { FoundConfig } from './config-find.ts';
import type { Surroundings } from './config-owner.ts';

/** Part of the configuration that nobody writes by hand. */
export interface ScreenSettings {
  /** Absolute path of the file; null where nothing is to be remembered. */
  readonly screenMemory: string | null;
}

const NAME = 'netmon-tui/screen.json';

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
    if (uid === owner.uid || (uid === null && !owner.underSudo)) return { screenMemory: `${folder}/${NAME}` };
  }
  if (owner.home === null) return { screenMemory: null };
  return { screenMemory: `${owner.home}/${platform === 'darwin' ? 'Library/Application Support' : '.local/state'}/${NAME}` };
}

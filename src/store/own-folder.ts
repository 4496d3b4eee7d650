// A folder made for the user whose files it will hold.

import { closeSync, constants, fchownSync, mkdirSync, openSync } from 'node:fs';
import type { FileOwner } from './history-files.ts';

/** Makes a folder that is not there yet, mode 0700. @param owner null leaves it to whoever this process is. @throws what the system says */
export function createFolder(folder: string, owner: FileOwner): void {
  mkdirSync(folder, { mode: 0o700 });
  if (owner === null) return;
  // Not by name: in a folder of the user's, another thing may bear it by now.
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fchownSync(descriptor, owner.uid, owner.gid);
  } finally {
    closeSync(descriptor);
  }
}

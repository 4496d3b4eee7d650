// The folder that the program was started in, which may have been removed since: process.cwd() and path.resolve() throw then, and nothing else here
// calls them.

import { isAbsolute, join } from 'node:path';
import { NetmonError } from '../errors.ts';

/** Absolute path of the working folder; null where it has been removed. */
export function workingFolder(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

/**
 * The absolute path of what a user named. Always this one: threads and other folders come later.
 *
 * @throws NetmonError `usage` for a relative path in a folder that has been removed
 */
export function absolutePath(path: string): string {
  if (isAbsolute(path)) return join(path);
  const folder = workingFolder();
  if (folder !== null) return join(folder, path);
  throw new NetmonError('usage', `${path} can't be found: the folder that you are in was removed`, 'go to another one first: cd');
}

// Tells whether other users could put something else at a path: in its place, in a folder above it, or at a link on the way.

import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
/** As many as Linux follows. */
const MOST_LINKS = 40;

/**
 * Why what is at a path can't be trusted; null if only the user and root could have put it there.
 *
 * It follows links step by step: one that leads to another may pass a folder in which others can write.
 *
 * @param path absolute @throws the system's error
 */
export function whyOpenToOthers(path: string, uid: number | undefined): string | null {
  const names = ['', ...path.split('/')];
  let at = '/';
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = join(at, name); // `..` leads to the folder above, for no part of `at` is a link
    const stats = lstatSync(next);
    const fault = faultOf(stats, uid);
    if (fault !== null) return `${next} ${fault}`;
    if (!stats.isSymbolicLink()) {
      at = next;
      continue;
    }
    if (++links > MOST_LINKS) return `${next} leads through too many links`;
    const target = readlinkSync(next);
    if (target.startsWith('/')) at = '/';
    names.unshift(...target.split('/'));
  }
  return null;
}

function faultOf(stats: Stats, uid: number | undefined): string | null {
  if (stats.uid !== uid && stats.uid !== 0) return 'belongs to another user';
  if (stats.isSymbolicLink()) return null; // its mode means nothing
  const isShared = stats.isDirectory() && (stats.mode & STICKY) !== 0; // in a sticky folder nobody can replace what is another's
  return (stats.mode & WRITABLE_BY_OTHERS) !== 0 && !isShared ? 'can be written by other users' : null;
}

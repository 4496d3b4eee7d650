// The parts of /proc that need rights over other users' processes: the executable's path and file, a process's sockets, its network namespace.
// Anybody may read the rest, so other files read it directly.

import { readdirSync, readlinkSync } from 'node:fs';

/** Access to the parts of /proc that need rights. */
export interface Proc {
  /** `/proc` */
  readonly path: string;
  /** Path of the executable as the kernel writes it; null if the process is gone, has none, or access is denied. */
  exe(pid: number): string | null;
  /** The file that a process executes, `DEVICE:INODE`, wherever its path leads to by now; empty if it is gone or access is denied. */
  file(pid: number): string;
  /** Inodes of a process's sockets; 0 for its other descriptors. Throws ENOENT if the process is gone, EACCES if access is denied. */
  sockets(pid: number): Iterable<number>;
  /** Its network namespace as a string to compare; empty if the process is gone or access is denied. */
  namespace(pid: number): string;
}

/** /proc as the calling thread may read it. */
export function procAt(path: string): Proc {
  return {
    path,
    exe: (pid) => linkOf(`${path}/${pid}/exe`) || null,
    file: () => '', // asking could block on a file system of another user's
    *sockets(pid) {
      const folder = `${path}/${pid}/fd`;
      for (const name of readdirSync(folder)) yield socketOf(linkOf(`${folder}/${name}`));
    },
    namespace: (pid) => linkOf(`${path}/${pid}/ns/net`),
  };
}

/** Socket inode that a descriptor's link names; 0 if it isn't a socket. */
export function socketOf(link: string): number {
  return link.startsWith('socket:[') ? Number(link.slice(8, -1)) : 0;
}

/** Target of a symbolic link; empty if it is gone or unreadable. */
export function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

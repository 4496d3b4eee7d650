// What of /proc takes rights over other users' processes: where an executable lies, which sockets a process holds, which network namespace
// it is in. Everything else there may be read by anybody, and is.

import { readdirSync, readlinkSync } from 'node:fs';

/** /proc, as far as it takes rights. */
export interface Proc {
  /** `/proc` */
  readonly path: string;
  /** Path of the executable as the kernel writes it; null when the process is gone, has none, or may not be asked. */
  exe(pid: number): string | null;
  /** Inodes of a process's sockets, 0 for its other descriptors. Throws ENOENT where it is gone, EACCES where it may not be asked. */
  sockets(pid: number): Iterable<number>;
  /** Its network namespace, as a text to compare; empty when it is gone or may not be asked. */
  namespace(pid: number): string;
}

/** /proc as the calling thread may read it. */
export function procAt(path: string): Proc {
  return {
    path,
    exe: (pid) => linkOf(`${path}/${pid}/exe`) || null,
    *sockets(pid) {
      const folder = `${path}/${pid}/fd`;
      for (const name of readdirSync(folder)) yield socketOf(linkOf(`${folder}/${name}`));
    },
    namespace: (pid) => linkOf(`${path}/${pid}/ns/net`),
  };
}

/** Inode that a descriptor's link names; 0 where it is no socket. */
export function socketOf(link: string): number {
  return link.startsWith('socket:[') ? Number(link.slice(8, -1)) : 0;
}

/** Where a link leads; empty when it is gone or may not be read. */
export function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

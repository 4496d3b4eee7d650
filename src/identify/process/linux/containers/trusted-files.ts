// Opens files of which others must not choose what they are: each part of the path is opened without following a link, and belongs to root or to
// the user whose file it is. Whoever has rights over all files reads through this alone.

import { closeSync, constants, fstatSync, opendirSync, openSync, readFileSync, readSync, realpathSync } from 'node:fs';

/** Why a file isn't read: it isn't there; it may not be read; it may not be trusted. */
export type Unread = 'missing' | 'hidden' | 'refused';

/** open(2); Node doesn't name it. */
const O_PATH = 0o10000000;
const FOLDER = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const ANY = O_PATH | constants.O_NOFOLLOW;
/** Entries of a folder that are looked at. */
const MOST_ENTRIES = 16_384;
/** A file there can keep its reader waiting for as long as somebody likes. */
const FAR = /^(?:fuse(?!blk)|nfs|cifs|smb|9p|afs|ceph|autofs|gfs|ocfs|lustre|beegfs|glusterfs|davfs)/;

/** Files below one root folder. */
export class TrustedFiles {
  readonly #proc: string;
  readonly #root: string;
  readonly #trusted: number;

  /** @param proc `/proc` @param root empty for the machine's own; a folder in tests @param trusted the user who may own everything */
  constructor(proc: string, root = '', trusted = 0) {
    this.#proc = proc;
    this.#root = root;
    this.#trusted = trusted;
  }

  /**
   * Bytes of a file.
   *
   * @param base a folder that may be a link, because only root can make one there; its real path is checked like the rest
   * @param path below it @param owner a user who may own it, too; null for root alone @param most bytes; a larger file is refused
   */
  read(base: string, path: string, owner: number | null, most: number): Buffer | Unread {
    return this.#at(base, path, owner, (found) => {
      const { size, uid } = fstatSync(found);
      if (!fstatSync(found).isFile() || size > most || !this.#isTrusted(uid, owner)) return 'refused';
      // The descriptor names the file that was checked; what its path leads to by now doesn't matter.
      const file = openSync(this.#through(found), constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const bytes = Buffer.allocUnsafe(size);
        let got = 0;
        for (let more = -1; got < size && more !== 0; got += more) more = readSync(file, bytes, got, size - got, got);
        return bytes.subarray(0, got);
      } finally {
        closeSync(file);
      }
    });
  }

  /** The first name in a folder that meets a condition; null if there is none. */
  find(base: string, owner: number | null, isWanted: (name: string) => boolean): string | null | Unread {
    return this.#at(base, '', owner, (found) => {
      const folder = opendirSync(this.#through(found));
      try {
        for (let left = MOST_ENTRIES, entry = folder.readSync(); entry !== null && left > 0; entry = folder.readSync(), left--)
          if (isWanted(entry.name)) return entry.name;
        return null;
      } finally {
        folder.closeSync();
      }
    });
  }

  #at<T>(base: string, path: string, owner: number | null, use: (found: number) => T | Unread): T | Unread {
    let at = -1;
    try {
      const whole = `${realpathSync(this.#root + base)}/${path}`;
      if (owner !== null && FAR.test(this.#fileSystemOf(whole))) return 'refused';
      const parts = whole.split('/').filter((part) => part !== '');
      at = openSync('/', FOLDER);
      for (const [i, part] of parts.entries()) {
        const isLast = path !== '' && i === parts.length - 1;
        const next = openSync(`${this.#through(at)}/${part}`, isLast ? ANY : FOLDER);
        closeSync(at);
        at = next;
        if (!this.#isTrusted(fstatSync(at).uid, owner)) return 'refused';
      }
      return use(at);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOENT') return 'missing';
      return code === 'EACCES' || code === 'EPERM' ? 'hidden' : 'refused';
    } finally {
      if (at >= 0) closeSync(at);
    }
  }

  #through(descriptor: number): string {
    return `/proc/self/fd/${descriptor}`;
  }

  #isTrusted(uid: number, owner: number | null): boolean {
    return uid === 0 || uid === this.#trusted || uid === owner;
  }

  /** Type of the file system that a path lies on, as mountinfo says (proc_pid_mountinfo(5)), without touching it; empty if unknown. */
  #fileSystemOf(path: string): string {
    let longest = '';
    let type = '';
    for (const line of readFileSync(`${this.#proc}/self/mountinfo`, 'utf8').split('\n')) {
      const point = line.split(' ', 5)[4]?.replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)));
      if (point === undefined || point.length < longest.length) continue;
      if (point !== '/' && point !== path && !path.startsWith(`${point}/`)) continue;
      longest = point;
      type = / - (\S+) /.exec(line)?.[1] ?? '';
    }
    return type;
  }
}

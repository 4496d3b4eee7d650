// A file that a command writes: new, mode 0600, owned by the invoking user, never through a symbolic link, over another file only if
// forced. It is written beside its place and moved there whole; a failure leaves nothing behind.

import { randomBytes } from 'node:crypto';
import {
  close,
  constants,
  fchownSync,
  fstatSync,
  fsync,
  ftruncateSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeFile,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { NetmonError } from '../model/errors.ts';
import { quoted } from '../net/quote.ts';
import { type FileWork, fileWork } from '../system/as-owner.ts';
import { absolutePath } from '../system/files.ts';

const AS_SELF: FileWork = (work) => work();
const NO_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** Owner of a file that root writes for somebody. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** An open file that gets its name with `commit`. Every step that names it is taken as its owner. */
export class OutputFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #descriptor: number;
  readonly #inode: Pick<Stats, 'ino' | 'dev'>;
  readonly #force: boolean;
  readonly #asOwner: FileWork;
  #isOpen = true;
  #isNamed = false;

  private constructor(path: string, temporary: string, descriptor: number, force: boolean, asOwner: FileWork) {
    this.path = path;
    this.#temporary = temporary;
    this.#descriptor = descriptor;
    this.#inode = fstatSync(descriptor);
    this.#force = force;
    this.#asOwner = asOwner;
  }

  /** Opens it. @param owner null leaves it the process's @throws NetmonError `usage` if the name is taken or the folder can't be written */
  static create(named: string, force: boolean, owner: FileOwner | null): OutputFile {
    const path = absolutePath(named);
    const asOwner = owner === null ? AS_SELF : fileWork(owner, dirname(path));
    return asOwner(() => {
      const there = found(path);
      if (there?.isSymbolicLink()) throw refusal(path, 'is a symbolic link', 'give the real path');
      if (there !== null && !there.isFile()) throw refusal(path, 'is no regular file', 'give the path of a file');
      if (there !== null && !force) throw refusal(path, 'is there already', 'to write over it, add --force');
      const temporary = `${path}.${randomBytes(6).toString('hex')}.part`;
      try {
        const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
        const descriptor = openSync(temporary, flags, 0o600);
        if (owner !== null) fchownSync(descriptor, owner.uid, owner.gid); // in a folder of root's the file is root's so far
        return new OutputFile(path, temporary, descriptor, force, asOwner);
      } catch (thrown) {
        throw failure(path, thrown);
      }
    });
  }

  /** Appends. @throws NetmonError `usage` */
  async write(chunk: string | Uint8Array): Promise<void> {
    try {
      await promisify(writeFile)(this.#descriptor, chunk);
    } catch (thrown) {
      throw failure(this.path, thrown);
    }
  }

  /** Makes it durable and gives it its name. @throws NetmonError `usage` */
  async commit(): Promise<void> {
    try {
      await promisify(fsync)(this.#descriptor);
      await this.#close();
    } catch (thrown) {
      throw failure(this.path, thrown);
    }
    this.name();
  }

  /** Gives it its name, which `commit` does by itself: for a file that is looked at while it is written. @throws NetmonError `usage` */
  name(): void {
    try {
      this.#asOwner(() => {
        if (this.#force || !linked(this.#temporary, this.path)) renameSync(this.#temporary, this.path);
        else unlinkSync(this.#temporary);
      });
      this.#isNamed = true;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EEXIST')
        throw refusal(this.path, 'is there already', 'to write over it, add --force');
      throw failure(this.path, thrown);
    }
  }

  /** Closes a file that has its name. After a write that failed, it is cut behind its last whole part. @param keep how much of these bytes to keep @throws NetmonError `usage` */
  async close(keep: (bytes: number) => number = (bytes) => bytes): Promise<void> {
    try {
      const { size } = fstatSync(this.#descriptor);
      if (keep(size) < size) ftruncateSync(this.#descriptor, keep(size));
      await this.#close();
    } catch (thrown) {
      throw failure(this.path, thrown);
    }
  }

  /** Removes a file that has its name, if the name is still that of this file. */
  remove(): void {
    this.#asOwner(() => {
      const there = lstatSync(this.path, { throwIfNoEntry: false });
      if (there?.ino === this.#inode.ino && there.dev === this.#inode.dev) unlinkSync(this.path);
    });
  }

  /** Removes it; does nothing after it got its name. */
  async discard(): Promise<void> {
    if (this.#isOpen) await this.#close().catch(() => undefined);
    if (this.#isNamed) return;
    try {
      this.#asOwner(() => unlinkSync(this.#temporary));
    } catch {
      // it has its name, or is gone
    }
  }

  async #close(): Promise<void> {
    this.#isOpen = false;
    await promisify(close)(this.#descriptor);
  }
}

/** What bears the name; null for nothing, or nothing that can be seen. */
function found(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}

/** Links the name: unlike a rename, that never replaces what came meanwhile. @returns false if the disk has no links (FAT, some shares) */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (thrown) {
    if (NO_LINKS.includes((thrown as NodeJS.ErrnoException).code ?? '')) return false;
    throw thrown;
  }
}

function refusal(path: string, what: string, hint: string): NetmonError {
  return new NetmonError('usage', `${quoted(path)} ${what}`, hint);
}

function failure(path: string, thrown: unknown): NetmonError {
  const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown error';
  const hints: Readonly<Record<string, string>> = {
    ENOENT: `make the folder first: mkdir -p ${quoted(dirname(path))}`,
    EACCES: 'choose a folder that you may write to',
    EPERM: 'choose a folder that you may write to',
    EROFS: 'the disk is read-only: choose another',
    ENOSPC: 'the disk is full: make room, or choose another',
  };
  return new NetmonError('usage', `${quoted(path)} can't be written (${code})`, hints[code] ?? 'choose another path', thrown);
}

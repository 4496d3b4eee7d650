// A file that a command writes: made anew with mode 0600, for the invoking user, never through a symbolic link, over another file only when
// forced. Written beside its place and moved there whole, so that a failure leaves no half of it.

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NetmonError } from '../../errors.ts';
import { quoted } from '../quote.ts';
import { absolutePath } from '../working-folder.ts';

const NO_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** Owner of the file when root writes it for somebody; null leaves it the process's. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** An open file that appears under its name with `commit`. */
export class OutputFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #force: boolean;
  #isOpen = true;

  private constructor(path: string, temporary: string, handle: FileHandle, force: boolean) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
    this.#force = force;
  }

  /** @throws NetmonError `usage` when something is there already or the folder can't be written */
  static async create(named: string, force: boolean, owner: FileOwner | null): Promise<OutputFile> {
    const path = absolutePath(named);
    const there = await lstat(path).catch(() => null);
    if (there?.isSymbolicLink()) throw refusal(path, 'is a symbolic link', 'give the real path after --output');
    if (there !== null && !there.isFile()) throw refusal(path, 'is no regular file', 'give the path of a file');
    if (there !== null && !force) throw refusal(path, 'is there already', 'to write over it, add --force');
    const temporary = `${path}.${randomBytes(6).toString('hex')}.part`;
    try {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      const handle = await open(temporary, flags, 0o600);
      if (owner !== null) await handle.chown(owner.uid, owner.gid);
      return new OutputFile(path, temporary, handle, force);
    } catch (thrown) {
      throw failure(path, thrown);
    }
  }

  async write(chunk: string | Uint8Array): Promise<void> {
    try {
      await this.#handle.writeFile(chunk);
    } catch (thrown) {
      throw failure(this.path, thrown);
    }
  }

  /** Makes it durable and gives it its name. @throws NetmonError `usage` */
  async commit(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#close();
      if (this.#force || !(await linked(this.#temporary, this.path))) await rename(this.#temporary, this.path);
      else await unlink(this.#temporary);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EEXIST')
        throw refusal(this.path, 'is there already', 'to write over it, add --force');
      throw failure(this.path, thrown);
    }
  }

  /** Leaves nothing behind; after `commit` it does nothing. */
  async discard(): Promise<void> {
    if (this.#isOpen) await this.#close().catch(() => undefined);
    await unlink(this.#temporary).catch(() => undefined);
  }

  async #close(): Promise<void> {
    this.#isOpen = false;
    await this.#handle.close();
  }
}

/** Unlike a rename, a link never replaces what came meanwhile. False where the disk has no links (FAT, some shares). */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
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
